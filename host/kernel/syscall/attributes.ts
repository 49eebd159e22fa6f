// Calls that change a file's attributes: mode, owner, times, and what is synced. (Linux: fs/open.c, fs/attr.c,
// fs/utimes.c)

import {
  DENTRY_INODE,
  FILE_INODE,
  HART_KERNEL_SCRATCH,
  INODE_ATIME,
  INODE_GID,
  INODE_LOCK,
  INODE_MODE,
  INODE_MTIME,
  INODE_UID,
} from "../../../assembly/layout.ts";
import { fileType, setTime, TOUCH_ATIME, TOUCH_CTIME, TOUCH_MTIME, touch } from "../../fs/inode.ts";
import { fsWriteLock, fsWriteUnlock } from "../../fs/lock.ts";
import { isReadOnly } from "../../fs/namei.ts";
import { PERMISSION_BITS, S_IFBLK, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISUID } from "../../fs/uapi.ts";
import { EFAULT, EINVAL, EOPNOTSUPP, EROFS, ESPIPE } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt, argLong, argUint, loadI64 } from "../registers.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, NS_PER_SECOND } from "../uapi.ts";
import { withDentry, withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const attributesCalls: readonly (readonly [number, SystemCall])[] = [
  [52, call("fchmod", ["fd", "octal"], sysFchmod)],
  [53, call("fchmodat", ["dirfd", "path", "octal"], sysFchmodat)],
  [54, call("fchownat", ["dirfd", "path", "int", "int", "hex"], sysFchownat)],
  [55, call("fchown", ["fd", "int", "int"], sysFchown)],
  [81, call("sync", [], () => 0)],
  [84, call("sync_file_range", ["fd", "long", "long", "hex"], sysSyncFileRange)],
  [82, call("fsync", ["fd"], sysFsync)],
  [83, call("fdatasync", ["fd"], sysFsync)],
  [88, call("utimensat", ["dirfd", "path", "pointer", "hex"], sysUtimensat)],
  [267, call("syncfs", ["fd"], (hart) => withFile(hart, argInt(hart, 0), () => 0))],
  [452, call("fchmodat2", ["dirfd", "path", "octal", "hex"], sysFchmodat2)],
];

function inodeOf(hart: Hart, dentry: number): number {
  return hart.shared.get(dentry + DENTRY_INODE);
}

function sysFchmod(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) =>
    changeMode(hart, hart.shared.get(file + FILE_INODE), argUint(hart, 1)),
  );
}

function sysFchmodat(hart: Hart): number {
  return chmodAt(hart, 0);
}

function sysFchmodat2(hart: Hart): number {
  const flags = argUint(hart, 3);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return chmodAt(hart, flags);
}

function chmodAt(hart: Hart, flags: number): number {
  return withDentry(hart, argInt(hart, 0), argAddress(hart, 1), flags, (dentry) =>
    changeMode(hart, inodeOf(hart, dentry), argUint(hart, 2)),
  );
}

function changeMode(hart: Hart, inode: number, mode: number): number {
  if (isReadOnly(hart, inode)) return -EROFS;
  if (fileType(hart, inode) === S_IFLNK) return -EOPNOTSUPP;
  fsWriteLock(hart);
  const type = hart.shared.get(inode + INODE_MODE) & S_IFMT;
  hart.shared.set(inode + INODE_MODE, type | (mode & PERMISSION_BITS));
  touch(hart, inode, TOUCH_CTIME);
  fsWriteUnlock(hart);
  return 0;
}

function sysFchown(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) =>
    changeOwner(hart, hart.shared.get(file + FILE_INODE), argInt(hart, 1), argInt(hart, 2)),
  );
}

function sysFchownat(hart: Hart): number {
  const flags = argUint(hart, 4);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return withDentry(hart, argInt(hart, 0), argAddress(hart, 1), flags, (dentry) =>
    changeOwner(hart, inodeOf(hart, dentry), argInt(hart, 2), argInt(hart, 3)),
  );
}

/** -1 leaves the user or the group as it is. A program loses its set-id bits. (Linux: chown_common) */
function changeOwner(hart: Hart, inode: number, uid: number, gid: number): number {
  const { shared } = hart;
  if (isReadOnly(hart, inode)) return -EROFS;
  fsWriteLock(hart);
  if (uid !== -1) shared.set(inode + INODE_UID, uid);
  if (gid !== -1) shared.set(inode + INODE_GID, gid);
  const mode = shared.get(inode + INODE_MODE);
  if ((mode & S_IFMT) === S_IFREG) {
    const isGroupId = (mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010);
    shared.set(inode + INODE_MODE, mode & ~(S_ISUID | (isGroupId ? S_ISGID : 0)));
  }
  touch(hart, inode, TOUCH_CTIME);
  fsWriteUnlock(hart);
  return 0;
}

const SYNC_FILE_RANGE_FLAGS = 7; // WAIT_BEFORE, WRITE, WAIT_AFTER

/** (ksys_sync_file_range) */
function sysSyncFileRange(hart: Hart): number {
  const [offset, bytes, flags] = [argLong(hart, 1), argLong(hart, 2), argUint(hart, 3)];
  return withFile(hart, argInt(hart, 0), (file) => {
    if ((flags & ~SYNC_FILE_RANGE_FLAGS) !== 0 || offset < 0 || bytes < 0) return -EINVAL;
    if (offset + bytes >= 2 ** 63) return -EINVAL;
    const type = fileType(hart, hart.shared.get(file + FILE_INODE));
    return type === S_IFREG || type === S_IFDIR || type === S_IFLNK || type === S_IFBLK ? 0 : -ESPIPE;
  });
}

/** There is nothing behind memory that it could be written to. (Linux: noop_fsync) */
function sysFsync(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => {
    const type = fileType(hart, hart.shared.get(file + FILE_INODE));
    return type === S_IFREG || type === S_IFDIR ? 0 : -EINVAL;
  });
}

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const TIMESPEC_BYTES = 16;

function sysUtimensat(hart: Hart): number {
  const flags = argUint(hart, 3);
  const [pathVa, timesVa] = [argAddress(hart, 1), argAddress(hart, 2)];
  const times: Times = { atime: 0, atimeNs: UTIME_NOW, mtime: 0, mtimeNs: UTIME_NOW };
  if (timesVa !== 0) {
    const error = loadTimes(hart, timesVa, times);
    if (error !== 0) return error;
    if (times.atimeNs === UTIME_OMIT && times.mtimeNs === UTIME_OMIT) return 0;
  }
  if (pathVa === 0) {
    // futimens: the descriptor itself.
    if (argInt(hart, 0) === AT_FDCWD) return -EFAULT;
    if (flags !== 0) return -EINVAL;
    return withFile(hart, argInt(hart, 0), (file) => changeTimes(hart, hart.shared.get(file + FILE_INODE), times));
  }
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return withDentry(hart, argInt(hart, 0), pathVa, flags, (dentry) => changeTimes(hart, inodeOf(hart, dentry), times));
}

interface Times {
  atime: number;
  atimeNs: number;
  mtime: number;
  mtimeNs: number;
}

/** 0, -EFAULT, or -EINVAL: nanoseconds that are none. */
function loadTimes(hart: Hart, va: number, times: Times): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, 2 * TIMESPEC_BYTES) < 0) return -EFAULT;
  times.atime = loadI64(hart, scratch);
  times.atimeNs = loadI64(hart, scratch + 8);
  times.mtime = loadI64(hart, scratch + 16);
  times.mtimeNs = loadI64(hart, scratch + 24);
  return isNanoseconds(times.atimeNs) && isNanoseconds(times.mtimeNs) ? 0 : -EINVAL;
}

function isNanoseconds(ns: number): boolean {
  return ns === UTIME_NOW || ns === UTIME_OMIT || (ns >= 0 && ns < NS_PER_SECOND);
}

function changeTimes(hart: Hart, inode: number, times: Times): number {
  if (isReadOnly(hart, inode)) return -EROFS;
  spinLock(hart, inode + INODE_LOCK);
  changeTime(hart, inode, INODE_ATIME, TOUCH_ATIME, times.atime, times.atimeNs);
  changeTime(hart, inode, INODE_MTIME, TOUCH_MTIME, times.mtime, times.mtimeNs);
  touch(hart, inode, TOUCH_CTIME);
  spinUnlock(hart, inode + INODE_LOCK);
  return 0;
}

function changeTime(hart: Hart, inode: number, field: number, which: number, seconds: number, ns: number): void {
  if (ns === UTIME_NOW) touch(hart, inode, which);
  else if (ns !== UTIME_OMIT) setTime(hart, inode, field, seconds, ns);
}
