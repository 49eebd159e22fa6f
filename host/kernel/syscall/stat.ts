// Looking at files: fstat, newfstatat, statx, faccessat, readlinkat, statfs. (Linux: fs/stat.c, fs/open.c, fs/statfs.c)

import {
  DENTRY_INODE,
  FILE_INODE,
  FS_ROOT,
  HART_BUFFER,
  INODE_LINK,
  INODE_LINK_BYTES,
  INODE_MODE,
  INODE_SUPER,
  PAGE_BYTES,
  SUPER_DEVICE,
  SUPER_FLAGS,
  SUPER_INODES,
  SUPER_INODES_MAX,
  SUPER_PAGES,
  SUPER_PAGES_MAX,
  TASK_FS,
} from "../../../assembly/layout.ts";
import { dentryText } from "../../fs/full-path.ts";
import { fileType, fsTypeOf } from "../../fs/inode.ts";
import { fsReadLock, fsReadUnlock } from "../../fs/lock.ts";
import { isReadOnly } from "../../fs/namei.ts";
import { dropHeld, PATH_FIRST } from "../../fs/path-lock.ts";
import { ST_RELATIME, ST_VALID } from "../../fs/super.ts";
import { EXECUTE_BITS, NAME_MAX, PATH_MAX, S_IFDIR, S_IFLNK } from "../../fs/uapi.ts";
import { EACCES, EFAULT, EINVAL, ENOENT, EROFS } from "../../memory/errno.ts";
import { LINK_JUMP } from "../../memory/fs-type.ts";
import { copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { statInode, statxInode } from "../file/stat.ts";
import { argAddress, argInt, argUint, storeU64 } from "../registers.ts";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
} from "../uapi.ts";
import { withDentry, withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const statCalls: readonly (readonly [number, SystemCall])[] = [
  [43, call("statfs", ["path", "pointer"], sysStatfs)],
  [44, call("fstatfs", ["fd", "pointer"], sysFstatfs)],
  [48, call("faccessat", ["dirfd", "path", "int"], sysFaccessat)],
  [78, call("readlinkat", ["dirfd", "path", "pointer", "int"], sysReadlinkat)],
  [79, call("newfstatat", ["dirfd", "path", "pointer", "hex"], sysNewfstatat)],
  [80, call("fstat", ["fd", "pointer"], sysFstat)],
  [291, call("statx", ["dirfd", "path", "hex", "hex", "pointer"], sysStatx)],
  [439, call("faccessat2", ["dirfd", "path", "int", "hex"], sysFaccessat2)],
];

const ACCESS_MODE_MASK = 7;
const W_OK = 2;
const X_OK = 1;

function inodeOf(hart: Hart, dentry: number): number {
  return hart.shared.get(dentry + DENTRY_INODE);
}

function sysFstat(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) =>
    statInode(hart, hart.shared.get(file + FILE_INODE), argAddress(hart, 1)),
  );
}

function sysNewfstatat(hart: Hart): number {
  const flags = argUint(hart, 3);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return withDentry(hart, argInt(hart, 0), argAddress(hart, 1), flags, (dentry) =>
    statInode(hart, inodeOf(hart, dentry), argAddress(hart, 2)),
  );
}

const STATX_RESERVED = 1 << 31;

function sysStatx(hart: Hart): number {
  const flags = argUint(hart, 2);
  if ((argUint(hart, 3) & STATX_RESERVED) !== 0) return -EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) return -EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0) return -EINVAL;
  // Since Linux 6.11 a null path with AT_EMPTY_PATH is the empty path.
  const nullIsEmpty = (flags & AT_EMPTY_PATH) !== 0;
  return withDentry(
    hart,
    argInt(hart, 0),
    argAddress(hart, 1),
    flags,
    (dentry) => statxInode(hart, inodeOf(hart, dentry), argAddress(hart, 4)),
    nullIsEmpty,
  );
}

function sysFaccessat(hart: Hart): number {
  return access(hart, 0);
}

function sysFaccessat2(hart: Hart): number {
  const flags = argUint(hart, 3);
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return access(hart, flags);
}

/** Root may do everything but execute what nobody may execute. */
function access(hart: Hart, flags: number): number {
  const mode = argUint(hart, 2);
  if ((mode & ~ACCESS_MODE_MASK) !== 0) return -EINVAL;
  return withDentry(hart, argInt(hart, 0), argAddress(hart, 1), flags, (dentry) => {
    const inode = inodeOf(hart, dentry);
    if ((mode & X_OK) !== 0 && fileType(hart, inode) !== S_IFDIR) {
      if ((hart.shared.get(inode + INODE_MODE) & EXECUTE_BITS) === 0) return -EACCES;
    }
    return (mode & W_OK) !== 0 && isReadOnly(hart, inode) ? -EROFS : 0;
  });
}

/** The empty path names the link that `dirfd` was opened at with O_PATH. */
function sysReadlinkat(hart: Hart): number {
  const bytesMax = argInt(hart, 3);
  if (bytesMax <= 0) return -EINVAL;
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  return withDentry(hart, argInt(hart, 0), argAddress(hart, 1), flags, (dentry) => readLink(hart, dentry, bytesMax));
}

function readLink(hart: Hart, dentry: number, bytesMax: number): number {
  const { shared } = hart;
  const inode = inodeOf(hart, dentry);
  if (fileType(hart, inode) !== S_IFLNK) return hart.shared.u8[hart.base + PATH_FIRST] === 0 ? -ENOENT : -EINVAL;
  const link = shared.get(inode + INODE_LINK) >>> 0;
  const buffer = hart.base + HART_BUFFER;
  let bytes = shared.get(inode + INODE_LINK_BYTES);
  if (link === 0) {
    fsReadLock(hart);
    bytes = fsTypeOf(hart, inode).readLink(hart, inode, hart.walk, buffer, PATH_MAX);
    if (bytes === LINK_JUMP) bytes = jumpText(hart, hart.walk.jumps[0], buffer);
    fsReadUnlock(hart);
    dropHeld(hart, hart.walk);
  }
  if (bytes < 0) return bytes;
  const length = Math.min(bytes, bytesMax);
  return copyToUser(hart, argAddress(hart, 2), link === 0 ? buffer : link, length) < 0 ? -EFAULT : length;
}

/** The path of `dentry`, or what stands for one, at `buffer`: bytes or -errno. Requires: FS_LOCK. (d_path) */
function jumpText(hart: Hart, dentry: number, buffer: number): number {
  const { shared } = hart;
  const text = dentryText(hart, dentry, shared.get(shared.get(hart.current + TASK_FS) + FS_ROOT));
  for (let i = 0; i < text.length; i++) shared.u8[buffer + i] = text.charCodeAt(i);
  return text.length;
}

function sysStatfs(hart: Hart): number {
  return withDentry(hart, AT_FDCWD, argAddress(hart, 0), 0, (dentry) => fillStatfs(hart, inodeOf(hart, dentry)));
}

function sysFstatfs(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => fillStatfs(hart, hart.shared.get(file + FILE_INODE)));
}

const STATFS_BYTES = 120;

/** struct statfs (asm-generic/statfs.h, 64 bit). Without a limit all counts are 0, as for a tmpfs of size=0. */
function fillStatfs(hart: Hart, inode: number): number {
  const { shared, base } = hart;
  const superBlock = shared.get(inode + INODE_SUPER);
  const statfs = base + HART_BUFFER;
  hart.core.zeroBytes(statfs, STATFS_BYTES);
  const blocks = shared.get(superBlock + SUPER_PAGES_MAX);
  const files = shared.get(superBlock + SUPER_INODES_MAX);
  const free = Math.max(blocks - shared.loadOnce(superBlock + SUPER_PAGES), 0);
  storeU64(hart, statfs, fsTypeOf(hart, inode).magic);
  storeU64(hart, statfs + 8, PAGE_BYTES);
  storeU64(hart, statfs + 16, blocks);
  storeU64(hart, statfs + 24, free);
  storeU64(hart, statfs + 32, free);
  storeU64(hart, statfs + 40, files);
  storeU64(hart, statfs + 48, Math.max(files - shared.loadOnce(superBlock + SUPER_INODES), 0));
  shared.set(statfs + 56, shared.get(superBlock + SUPER_DEVICE)); // fsid
  storeU64(hart, statfs + 64, NAME_MAX);
  storeU64(hart, statfs + 72, PAGE_BYTES);
  storeU64(hart, statfs + 80, shared.get(superBlock + SUPER_FLAGS) | ST_VALID | ST_RELATIME);
  return copyToUser(hart, argAddress(hart, 1), statfs, STATFS_BYTES);
}
