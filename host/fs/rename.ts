// renameat2 (Linux: do_renameat2 and vfs_rename in fs/namei.c). Requires: FS_LOCK for write, hart.walk at the old name
// and hart.walk2 at the new one. What is replaced is left in `walk2.held`.

import { DENTRY_INODE, DENTRY_PARENT, DENTRY_SUPER, INODE_NLINK, INODE_SUPER } from "../../assembly/layout.ts";
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
} from "../memory/errno.ts";
import { LAST_NORMAL, type PathWalk } from "../memory/path-walk.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryExchange, dentryLink, dentryMove, dentryUnlink, dput, isBacked } from "./dentry.ts";
import { changeLinks, fileType, TOUCH_CTIME, TOUCH_MTIME, touch } from "./inode.ts";
import { copyAsAbsent, dropLink, hasFixedNames, isEmpty, isReadOnly } from "./namei.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE, S_IFDIR } from "./uapi.ts";

/** 0 or -errno. */
export function renameEntry(hart: Hart, flags: number): number {
  const { walk, walk2 } = hart;
  const error = mayRename(hart, walk, walk2, flags);
  if (error !== 0) return error;
  if (walk.entry === walk2.entry) return 0;
  const oldInode = hart.shared.get(walk.entry + DENTRY_INODE);
  const newInode = walk2.dentry === 0 ? 0 : hart.shared.get(walk2.entry + DENTRY_INODE);
  // Two names of one file: POSIX wants nothing to happen.
  if (oldInode === newInode) return 0;
  return (flags & RENAME_EXCHANGE) !== 0 ? exchange(hart, walk, walk2) : move(hart, walk, walk2);
}

function mayRename(hart: Hart, from: PathWalk, to: PathWalk, flags: number): number {
  const { shared } = hart;
  if (from.lastKind !== LAST_NORMAL) return -EBUSY;
  if (to.lastKind !== LAST_NORMAL) return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  const oldInode = shared.get(from.entry + DENTRY_INODE);
  const newParent = shared.get(to.parent + DENTRY_INODE);
  if (shared.get(newParent + INODE_SUPER) !== shared.get(shared.get(from.parent + DENTRY_INODE) + INODE_SUPER))
    return -EXDEV;
  if (isReadOnly(hart, oldInode)) return -EROFS;
  if (hasFixedNames(hart, newParent)) return -EPERM;
  const exists = to.dentry !== 0;
  if ((flags & RENAME_NOREPLACE) !== 0 && exists) return -EEXIST;
  if ((flags & RENAME_EXCHANGE) !== 0 && !exists) return -ENOENT;
  const oldIsDirectory = fileType(hart, oldInode) === S_IFDIR;
  const newIsDirectory = exists && fileType(hart, shared.get(to.entry + DENTRY_INODE)) === S_IFDIR;
  if (!oldIsDirectory && (from.trailingSlash || (to.trailingSlash && (flags & RENAME_EXCHANGE) === 0))) return -ENOTDIR;
  // Nothing may become its own ancestor.
  if (isAncestor(hart, from.entry, to.parent)) return -EINVAL;
  if ((flags & RENAME_EXCHANGE) !== 0) {
    if (isAncestor(hart, to.entry, from.parent)) return -EINVAL;
    return isMountPoint(hart, from.entry) || isMountPoint(hart, to.entry) ? -EBUSY : 0;
  }
  if (exists && isAncestor(hart, to.entry, from.parent)) return -ENOTEMPTY;
  if (shared.get(newParent + INODE_NLINK) === 0) return -ENOENT;
  if (exists && from.entry !== to.entry) {
    if (oldIsDirectory && !newIsDirectory) return -ENOTDIR;
    if (!oldIsDirectory && newIsDirectory) return -EISDIR;
  }
  if (isMountPoint(hart, from.entry) || (exists && isMountPoint(hart, to.entry))) return -EBUSY;
  return newIsDirectory && from.entry !== to.entry && !isEmpty(hart, to.entry) ? -ENOTEMPTY : 0;
}

function isMountPoint(hart: Hart, dentry: number): boolean {
  return hart.shared.get(dentry + DENTRY_SUPER) !== 0;
}

/** Is `dentry` `below`, or a directory above it? */
function isAncestor(hart: Hart, dentry: number, below: number): boolean {
  for (let at = below; at !== 0; at = hart.shared.get(at + DENTRY_PARENT)) if (at === dentry) return true;
  return false;
}

function move(hart: Hart, from: PathWalk, to: PathWalk): number {
  const { shared } = hart;
  const { entry } = from;
  const inode = shared.get(entry + DENTRY_INODE);
  const replaced = to.entry;
  const replacedInode = replaced === 0 ? 0 : shared.get(replaced + DENTRY_INODE);
  const leavesAbsent = isBacked(hart, from.parent);
  const absent = leavesAbsent ? copyAsAbsent(hart, entry) : 0;
  if ((leavesAbsent && absent === 0) || !dentryMove(hart, entry, to.parent, to.name, to.nameBytes)) {
    if (absent !== 0) dput(hart, absent);
    return -ENOMEM;
  }
  if (absent !== 0) dentryLink(hart, absent);
  if (replaced !== 0) {
    dentryUnlink(hart, replaced);
    if (replacedInode !== 0) dropLink(hart, to.parent, replacedInode);
    to.held = replaced;
  }
  if (fileType(hart, inode) === S_IFDIR && from.parent !== to.parent) {
    changeLinks(hart, shared.get(from.parent + DENTRY_INODE), -1);
    changeLinks(hart, shared.get(to.parent + DENTRY_INODE), 1);
  }
  dput(hart, from.parent); // the reference of the entry that has moved
  stamp(hart, from, to, inode);
  return 0;
}

/** The two entries change places, names and all. */
function exchange(hart: Hart, from: PathWalk, to: PathWalk): number {
  const { shared } = hart;
  const firstInode = shared.get(from.entry + DENTRY_INODE);
  const secondInode = shared.get(to.entry + DENTRY_INODE);
  dentryExchange(hart, from.entry, to.entry);
  const firstIsDirectory = fileType(hart, firstInode) === S_IFDIR;
  if (from.parent !== to.parent && firstIsDirectory !== (fileType(hart, secondInode) === S_IFDIR)) {
    changeLinks(hart, shared.get(from.parent + DENTRY_INODE), firstIsDirectory ? -1 : 1);
    changeLinks(hart, shared.get(to.parent + DENTRY_INODE), firstIsDirectory ? 1 : -1);
  }
  stamp(hart, from, to, firstInode);
  touch(hart, secondInode, TOUCH_CTIME);
  return 0;
}

function stamp(hart: Hart, from: PathWalk, to: PathWalk, inode: number): void {
  touch(hart, hart.shared.get(from.parent + DENTRY_INODE), TOUCH_MTIME | TOUCH_CTIME);
  touch(hart, hart.shared.get(to.parent + DENTRY_INODE), TOUCH_MTIME | TOUCH_CTIME);
  touch(hart, inode, TOUCH_CTIME);
}
