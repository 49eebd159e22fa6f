// Changes to the tree of names, at the place that a walk with WALK_WRITE has found (Linux: vfs_create, vfs_unlink and
// so on in fs/namei.c; the checks come in its order). All of it requires FS_LOCK for write. What is taken out of the
// tree is left in `hart.walk.held`, so that its contents are freed after pathUnlock.

import {
  DENTRY_CHILD_FIRST,
  DENTRY_COMPLETE,
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_NAME_BYTES,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  DENTRY_SUPER,
  HART_KERNEL_SCRATCH,
  INODE_GID,
  INODE_LINKABLE,
  INODE_MODE,
  INODE_NLINK,
  INODE_NUMBER,
  INODE_SUPER,
  SUPER_FLAGS,
} from "../../assembly/layout.ts";
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  EXDEV,
} from "../memory/errno.ts";
import { LAST_DOT, LAST_DOTDOT, LAST_NORMAL, type PathWalk } from "../memory/path-walk.ts";
import type { Hart } from "../policy/hart.ts";
import { contentCreate } from "./content.ts";
import { dentryAlloc, dentryLink, dentryName, dentryUnlink, isBacked } from "./dentry.ts";
import { changeLinks, fileType, fsTypeOf, iget, inodeAlloc, iput, TOUCH_CTIME, TOUCH_MTIME, touch } from "./inode.ts";
import { ST_RDONLY } from "./super.ts";
import { setLinkText } from "./symlink.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID } from "./uapi.ts";

const LINK_MAX = 65000;

/**
 * What stands in the way of a new entry: 0 or -errno. Requires: a walk with WALK_CREATE. (Linux: filename_create)
 */
export function mayCreate(hart: Hart, walk: PathWalk, isDirectory: boolean): number {
  if (walk.lastKind !== LAST_NORMAL || walk.dentry !== 0) return -EEXIST;
  if (walk.trailingSlash && !isDirectory) return -ENOENT;
  return mayChange(hart, walk);
}

/** Can entries of the directory in which the walk ended be changed? */
function mayChange(hart: Hart, walk: PathWalk): number {
  const directory = hart.shared.get(walk.parent + DENTRY_INODE);
  if (isReadOnly(hart, directory)) return -EROFS;
  // A directory that has been removed takes no new names.
  return hart.shared.get(directory + INODE_NLINK) === 0 ? -ENOENT : 0;
}

export function isReadOnly(hart: Hart, inode: number): boolean {
  return (hart.shared.get(hart.shared.get(inode + INODE_SUPER) + SUPER_FLAGS) & ST_RDONLY) !== 0;
}

/** A new file, directory or node where the walk ended: its dentry (walk.dentry), or -errno. mayCreate has said yes. */
export function createNode(hart: Hart, walk: PathWalk, mode: number, rdev: number): number {
  const { shared } = hart;
  const directory = shared.get(walk.parent + DENTRY_INODE);
  const isDirectory = (mode & S_IFMT) === S_IFDIR;
  if (isDirectory && shared.get(directory + INODE_NLINK) >= LINK_MAX) return -EMLINK;
  const inode = inodeAlloc(hart, shared.get(directory + INODE_SUPER), mode, rdev);
  if (inode === 0) return -ENOSPC;
  if ((mode & S_IFMT) === S_IFREG && !contentCreate(hart, inode)) {
    iput(hart, inode);
    return -ENOMEM;
  }
  if ((shared.get(directory + INODE_MODE) & S_ISGID) !== 0) inheritGroup(hart, directory, inode);
  changeLinks(hart, inode, isDirectory ? 2 : 1);
  const error = addEntry(hart, walk, inode);
  if (error !== 0) {
    iput(hart, inode);
    return error;
  }
  // Nothing of a new directory can be anywhere but in the tree.
  if (isDirectory) shared.set(walk.entry + DENTRY_FLAGS, shared.get(walk.entry + DENTRY_FLAGS) | DENTRY_COMPLETE);
  if (isDirectory) changeLinks(hart, directory, 1);
  return walk.entry;
}

/**
 * O_TMPFILE: a new file without a name, for `directory`: its dentry, which is not in the tree, with a reference; or
 * -errno. Requires: FS_LOCK. (Linux: vfs_tmpfile, shmem_tmpfile)
 */
export function createUnnamed(hart: Hart, directory: number, mode: number, isLinkable: boolean): number {
  const { shared } = hart;
  const parent = shared.get(directory + DENTRY_INODE);
  if (isReadOnly(hart, parent)) return -EROFS;
  if (hasFixedNames(hart, parent)) return -EOPNOTSUPP;
  const inode = inodeAlloc(hart, shared.get(parent + INODE_SUPER), mode, 0);
  if (inode === 0) return -ENOSPC;
  if ((shared.get(parent + INODE_MODE) & S_ISGID) !== 0) inheritGroup(hart, parent, inode);
  if (isLinkable) shared.set(inode + INODE_LINKABLE, 1);
  const name = `#${shared.getF64(inode + INODE_NUMBER)}`;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  for (let i = 0; i < name.length; i++) shared.u8[scratch + i] = name.charCodeAt(i);
  const dentry = contentCreate(hart, inode) ? dentryAlloc(hart, directory, scratch, name.length, inode) : 0;
  if (dentry === 0) iput(hart, inode);
  return dentry === 0 ? -ENOMEM : dentry;
}

function inheritGroup(hart: Hart, directory: number, inode: number): void {
  const { shared } = hart;
  shared.set(inode + INODE_GID, shared.get(directory + INODE_GID));
  const mode = shared.get(inode + INODE_MODE);
  if ((mode & S_IFMT) === S_IFDIR) shared.set(inode + INODE_MODE, mode | S_ISGID);
}

/** A new symbolic link to the `bytes` bytes of text at `text`: 0 or -errno. mayCreate has said yes. */
export function createLink(hart: Hart, walk: PathWalk, text: number, bytes: number): number {
  const { shared } = hart;
  const directory = shared.get(walk.parent + DENTRY_INODE);
  const inode = inodeAlloc(hart, shared.get(directory + INODE_SUPER), S_IFLNK | 0o777, 0);
  if (inode === 0) return -ENOSPC;
  changeLinks(hart, inode, 1);
  const error = setLinkText(hart, inode, text, bytes) ? addEntry(hart, walk, inode) : -ENOSPC;
  if (error !== 0) iput(hart, inode);
  return error;
}

/** Another name for `inode`: 0 or -errno. mayCreate has said yes. */
export function addName(hart: Hart, walk: PathWalk, inode: number): number {
  const { shared } = hart;
  if (shared.get(shared.get(walk.parent + DENTRY_INODE) + INODE_SUPER) !== shared.get(inode + INODE_SUPER))
    return -EXDEV;
  if (fileType(hart, inode) === S_IFDIR) return -EPERM;
  const links = shared.get(inode + INODE_NLINK);
  if (links === 0 && shared.get(inode + INODE_LINKABLE) === 0) return -ENOENT;
  if (links >= LINK_MAX) return -EMLINK;
  const error = addEntry(hart, walk, iget(hart, inode));
  if (error !== 0) {
    iput(hart, inode);
    return error;
  }
  changeLinks(hart, inode, 1);
  shared.set(inode + INODE_LINKABLE, 0);
  touch(hart, inode, TOUCH_CTIME);
  return 0;
}

/** Puts `inode`, whose reference it takes over, where the walk ended: 0 or -ENOMEM. */
export function addEntry(hart: Hart, walk: PathWalk, inode: number): number {
  const { shared } = hart;
  if (walk.entry !== 0) {
    shared.set(walk.entry + DENTRY_INODE, inode);
  } else {
    const dentry = dentryAlloc(hart, walk.parent, walk.name, walk.nameBytes, inode);
    if (dentry === 0) return -ENOMEM;
    dentryLink(hart, dentry);
    walk.entry = dentry;
  }
  walk.dentry = walk.entry;
  touch(hart, shared.get(walk.parent + DENTRY_INODE), TOUCH_MTIME | TOUCH_CTIME);
  return 0;
}

/** unlinkat: the entry where the walk ended is no more. 0 or -errno. (Linux: do_unlinkat, do_rmdir, may_delete) */
export function removeEntry(hart: Hart, walk: PathWalk, isRmdir: boolean): number {
  const { shared } = hart;
  if (walk.lastKind !== LAST_NORMAL) {
    if (!isRmdir) return -EISDIR;
    return walk.lastKind === LAST_DOT ? -EINVAL : walk.lastKind === LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
  }
  const { entry } = walk;
  const inode = shared.get(entry + DENTRY_INODE);
  const isDirectory = fileType(hart, inode) === S_IFDIR;
  if (!isRmdir && walk.trailingSlash) return isDirectory ? -EISDIR : -ENOTDIR;
  if (isReadOnly(hart, inode)) return -EROFS;
  if (isRmdir && !isDirectory) return -ENOTDIR;
  if (hasFixedNames(hart, inode)) return -EPERM;
  if (!isRmdir && isDirectory) return -EISDIR;
  if (shared.get(entry + DENTRY_SUPER) !== 0) return -EBUSY;
  if (isRmdir && !isEmpty(hart, entry)) return -ENOTEMPTY;
  const error = takeOut(hart, entry);
  if (error !== 0) return error;
  dropLink(hart, walk.parent, inode);
  walk.held = entry;
  return 0;
}

/** Can no name of the inode's file system be removed or moved, as in /proc? */
export function hasFixedNames(hart: Hart, inode: number): boolean {
  return fsTypeOf(hart, inode).hasFixedNames === true;
}

/**
 * Takes `entry` out of the tree; the tree's reference is the caller's. Where the file system would find the name again
 * in its backing store, a negative entry stays. 0 or -ENOMEM.
 */
function takeOut(hart: Hart, entry: number): number {
  const { shared } = hart;
  const parent = shared.get(entry + DENTRY_PARENT);
  let absent = 0;
  if (isBacked(hart, parent)) {
    absent = copyAsAbsent(hart, entry);
    if (absent === 0) return -ENOMEM;
  }
  dentryUnlink(hart, entry);
  if (absent !== 0) dentryLink(hart, absent);
  touch(hart, shared.get(parent + DENTRY_INODE), TOUCH_MTIME | TOUCH_CTIME);
  return 0;
}

/** One name less for `inode`, which has left the tree. */
export function dropLink(hart: Hart, parent: number, inode: number): void {
  const { shared } = hart;
  if (fileType(hart, inode) === S_IFDIR) {
    shared.set(inode + INODE_NLINK, 0);
    changeLinks(hart, shared.get(parent + DENTRY_INODE), -1);
  } else {
    changeLinks(hart, inode, -1);
  }
  touch(hart, inode, TOUCH_CTIME);
}

/** Has the directory no entries? One with a backing store must be COMPLETE. */
export function isEmpty(hart: Hart, directory: number): boolean {
  const { shared } = hart;
  let child = shared.get(directory + DENTRY_CHILD_FIRST);
  while (child !== 0 && shared.get(child + DENTRY_INODE) === 0) child = shared.get(child + DENTRY_SIBLING_NEXT);
  return child === 0;
}

/** A negative dentry with the name of `entry`, not in the tree yet, or 0. */
export function copyAsAbsent(hart: Hart, entry: number): number {
  const { shared } = hart;
  return dentryAlloc(
    hart,
    shared.get(entry + DENTRY_PARENT),
    dentryName(hart, entry),
    shared.get(entry + DENTRY_NAME_BYTES),
    0,
  );
}
