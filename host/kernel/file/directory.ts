// Open directories: getdents64 and lseek. (Linux: fs/readdir.c, dcache_dir_lseek in fs/libfs.c)

import {
  DENTRY_COOKIE,
  DENTRY_INODE,
  FILE_CURSOR,
  FILE_DENTRY,
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_DIRECTORY,
  FILE_LOCK,
  FILE_POSITION,
  FS_ROOT,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  HART_KERNEL_SCRATCH,
  INODE_NLINK,
  TASK_FS,
} from "../../../assembly/layout.ts";
import { isBacked } from "../../fs/dentry.ts";
import { fsTypeOf, TOUCH_ATIME, touch } from "../../fs/inode.ts";
import { fsReadLock, fsReadUnlock } from "../../fs/lock.ts";
import { parentOf } from "../../fs/mounts.ts";
import {
  entryFrom,
  POSITION_DOT,
  POSITION_DOTDOT,
  recordPosition,
  wholeRecords,
  writeDots,
  writeEntry,
} from "../../fs/readdir.ts";
import { EFAULT, EINVAL, EISDIR, ENOENT, ENOTDIR } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyPartToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { SEEK_CUR, SEEK_SET } from "../uapi.ts";
import { defaultOps, type FileOps } from "./file-ops.ts";

export const directoryOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: () => -EISDIR,
  write: () => -EISDIR,
  seek: seekDirectory,
};

/** Only forward and back to positions that getdents gave. */
function seekDirectory(hart: Hart, file: number, offset: number, whence: number): number {
  if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
  spinLock(hart, file + FILE_LOCK);
  const position = whence === SEEK_SET ? offset : hart.shared.getF64(file + FILE_POSITION) + offset;
  if (position >= 0) hart.shared.setF64(file + FILE_POSITION, position);
  spinUnlock(hart, file + FILE_LOCK);
  return position >= 0 ? position : -EINVAL;
}

/** getdents64(2): bytes of records at `va`, 0 at the end, or -errno. */
export function readDirectory(hart: Hart, file: number, va: number, bytes: number): number {
  const { shared } = hart;
  if (shared.get(file + FILE_KIND) !== FILE_KIND_DIRECTORY) return -ENOTDIR;
  const directory = shared.get(file + FILE_DENTRY);
  const inode = shared.get(file + FILE_INODE);
  if (shared.get(inode + INODE_NLINK) === 0) return -ENOENT;
  if (isBacked(hart, directory)) {
    const error = fsTypeOf(hart, inode).populate(hart, directory);
    if (error !== 0) return error;
  }
  spinLock(hart, file + FILE_LOCK);
  const position = shared.getF64(file + FILE_POSITION);
  const hint = shared.get(file + FILE_CURSOR);
  spinUnlock(hart, file + FILE_LOCK);
  const filled = fill(hart, file, position, hint, Math.min(bytes, HART_BUFFER_BYTES));
  if (filled <= 0) return filled;
  const behindAll = shared.getF64(hart.base + NEXT_POSITION);
  const buffer = hart.base + HART_BUFFER;
  const copied = copyPartToUser(hart, va, buffer, filled);
  const whole = copied === filled ? filled : wholeRecords(hart, buffer, copied);
  if (whole === 0) return -EFAULT;
  const next = whole === filled ? behindAll : recordPosition(hart, buffer + whole);
  spinLock(hart, file + FILE_LOCK);
  shared.setF64(file + FILE_POSITION, next);
  spinUnlock(hart, file + FILE_LOCK);
  touch(hart, inode, TOUCH_ATIME);
  return whole;
}

/** Where fill() leaves the position behind its last record. */
const NEXT_POSITION = HART_KERNEL_SCRATCH;

/** Writes records to HART_BUFFER: their bytes, 0 at the end, -EINVAL if there is no room for the first one. */
function fill(hart: Hart, file: number, position: number, hint: number, room: number): number {
  const { shared } = hart;
  const directory = shared.get(file + FILE_DENTRY);
  const buffer = hart.base + HART_BUFFER;
  let done = 0;
  let next = position;
  let isFull = false;
  fsReadLock(hart);
  for (; next <= POSITION_DOTDOT && !isFull; ) {
    const written = writeDots(hart, buffer + done, room - done, inodeOfDots(hart, directory, next), next + 1);
    isFull = written === 0;
    done += written;
    if (!isFull) next++;
  }
  let entry = isFull ? 0 : entryFrom(hart, directory, next, hint);
  while (entry !== 0) {
    const written = writeEntry(hart, buffer + done, room - done, entry);
    isFull = written === 0;
    if (isFull) break;
    done += written;
    next = shared.get(entry + DENTRY_COOKIE) + 1;
    shared.storeOnce(file + FILE_CURSOR, entry);
    entry = entryFrom(hart, directory, next, entry);
  }
  fsReadUnlock(hart);
  shared.setF64(hart.base + NEXT_POSITION, next);
  return done === 0 && isFull ? -EINVAL : done;
}

function inodeOfDots(hart: Hart, directory: number, position: number): number {
  const { shared } = hart;
  const root = shared.get(shared.get(hart.current + TASK_FS) + FS_ROOT);
  const dentry = position === POSITION_DOT ? directory : parentOf(hart, directory, root);
  return shared.get(dentry + DENTRY_INODE);
}
