// Regular files: read and write move the file's position, or stay where pread and pwrite say. User memory is touched
// with no lock held; bytes go through the hart's buffer, 64 KiB at a time. (Linux: mm/filemap.c, fs/read_write.c)

import {
  FILE_FLAGS,
  FILE_INODE,
  FILE_LOCK,
  FILE_POSITION,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  INODE_MAPPING,
  PAGE_BYTES,
  TASK_PROCESS,
  TASK_RESTART,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { contentBytes, contentData, contentHole, contentRead, contentReserve, contentWrite } from "../../fs/content.ts";
import { TOUCH_ATIME, TOUCH_CTIME, TOUCH_MTIME, touch } from "../../fs/inode.ts";
import { EFAULT, EFBIG, EINVAL, ENOTTY, ENXIO } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { MAPPING_LENGTH_MAX } from "../../mm/mapping/mapping.ts";
import { putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { softLimit } from "../process/process.ts";
import { finishWait, isRestart } from "../sched/wait.ts";
import { SIGXFSZ } from "../signal/signal-numbers.ts";
import { sendSignalToSelf } from "../signal/signal-send.ts";
import {
  FIONREAD,
  O_APPEND,
  O_NOATIME,
  RLIMIT_FSIZE,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../uapi.ts";
import { gatherOn, KERNEL, scatterAt, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { defaultOps, type FileOps, POSITION_FILE } from "./file-ops.ts";

const FIGETBSZ = 2;

export const regularOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: readRegular,
  write: writeRegular,
  seek: seekRegular,
  ioctl: controlRegular,
  mapping: (hart, file) => hart.shared.get(hart.shared.get(file + FILE_INODE) + INODE_MAPPING),
};

function readRegular(hart: Hart, file: number, buffers: UserBuffers, position: number): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  if (position !== POSITION_FILE) return readAt(hart, file, buffers, total, position);
  // Nobody else may get the same bytes: whoever moved the position meanwhile has them, and these are read anew.
  for (;;) {
    const start = filePosition(hart, file);
    const done = readAt(hart, file, buffers, total, start);
    if (done <= 0 || movePosition(hart, file, start, start + done)) return done;
  }
}

function readAt(hart: Hart, file: number, buffers: UserBuffers, total: number, start: number): number {
  const inode = hart.shared.get(file + FILE_INODE);
  let done = 0;
  while (done < total) {
    const bytes = Math.min(total - done, HART_BUFFER_BYTES);
    const got = contentRead(hart, inode, start + done, hart.base + HART_BUFFER, bytes);
    if (got < 0 && done === 0) return got;
    if (got <= 0) break;
    const copied = scatterAt(hart, buffers, done, got);
    if (copied < 0 && done === 0) return -EFAULT;
    done += Math.max(copied, 0);
    if (copied < got || signalPending(hart)) break;
  }
  if ((hart.shared.loadOnce(file + FILE_FLAGS) & O_NOATIME) === 0) touch(hart, inode, TOUCH_ATIME);
  return done;
}

function writeRegular(hart: Hart, file: number, buffers: UserBuffers, position: number): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  const { shared } = hart;
  const inode = shared.get(file + FILE_INODE);
  const appends = (shared.loadOnce(file + FILE_FLAGS) & O_APPEND) !== 0;
  // What was written before a copy had to wait for its page.
  const before = buffers.count === KERNEL ? 0 : restartedProgress(hart);
  const rest = total - before;
  // The place of all of it is taken at once, so that writers who share the position write behind each other.
  let start = position === POSITION_FILE && !appends ? takePlace(hart, file, rest) : position + before;
  const end = start + rest;
  let done = 0;
  let error = 0;
  try {
    while (done < rest) {
      const bytes = gatherOn(hart, buffers, before + done, Math.min(rest - done, HART_BUFFER_BYTES));
      if (bytes <= 0) {
        error = bytes;
        break;
      }
      if (appends) start = contentReserve(hart, inode, bytes) - done;
      const put = writePiece(hart, inode, start + done, bytes);
      if (put < 0) error = put;
      else done += put;
      if (put < bytes || signalPending(hart)) break;
    }
  } finally {
    if (position === POSITION_FILE && !appends) movePosition(hart, file, end, start + done);
    else if (position === POSITION_FILE && done > 0) setFilePosition(hart, file, start + done);
  }
  if (done > 0) touch(hart, inode, TOUCH_MTIME | TOUCH_CTIME);
  return before + done > 0 ? before + done : error;
}

/** Bytes of HART_BUFFER that went to `position`, or -errno. */
function writePiece(hart: Hart, inode: number, position: number, bytes: number): number {
  const room = Math.min(bytes, bytesAllowed(hart, position));
  if (room <= 0) return refuseSize(hart, position);
  return contentWrite(hart, inode, position, hart.base + HART_BUFFER, room);
}

function restartedProgress(hart: Hart): number {
  if (!isRestart(hart, hart.shared.get(hart.current + TASK_SYSCALL))) return 0;
  finishWait(hart);
  return hart.shared.getF64(hart.current + TASK_RESTART);
}

/** How many bytes at `position` are below RLIMIT_FSIZE and the largest file. (Linux: generic_write_checks) */
export function bytesAllowed(hart: Hart, position: number): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  return Math.min(softLimit(hart.shared, process, RLIMIT_FSIZE), MAPPING_LENGTH_MAX) - position;
}

export function refuseSize(hart: Hart, position: number): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  if (position >= softLimit(hart.shared, process, RLIMIT_FSIZE)) sendSignalToSelf(hart, SIGXFSZ);
  return -EFBIG;
}

function seekRegular(hart: Hart, file: number, offset: number, whence: number): number {
  const inode = hart.shared.get(file + FILE_INODE);
  const bytes = contentBytes(hart, inode);
  let target = -EINVAL;
  if (whence === SEEK_DATA || whence === SEEK_HOLE) {
    if (offset < 0) return -ENXIO;
    target = whence === SEEK_DATA ? contentData(hart, inode, offset) : contentHole(hart, inode, offset);
  }
  spinLock(hart, file + FILE_LOCK);
  if (whence === SEEK_SET) target = offset;
  else if (whence === SEEK_CUR) target = hart.shared.getF64(file + FILE_POSITION) + offset;
  else if (whence === SEEK_END) target = bytes + offset;
  if (target > MAPPING_LENGTH_MAX) target = -EINVAL; // s_maxbytes, in vfs_setpos
  if (target >= 0) hart.shared.setF64(file + FILE_POSITION, target);
  spinUnlock(hart, file + FILE_LOCK);
  return target === -ENXIO || target >= 0 ? target : -EINVAL;
}

/** (file_ioctl, fs/ioctl.c) */
function controlRegular(hart: Hart, file: number, request: number, va: number): number {
  if (request === FIGETBSZ) return putUser32(hart, va, PAGE_BYTES);
  if (request !== FIONREAD) return -ENOTTY;
  const left = contentBytes(hart, hart.shared.get(file + FILE_INODE)) - filePosition(hart, file);
  return putUser32(hart, va, left);
}

export function filePosition(hart: Hart, file: number): number {
  spinLock(hart, file + FILE_LOCK);
  const position = hart.shared.getF64(file + FILE_POSITION);
  spinUnlock(hart, file + FILE_LOCK);
  return position;
}

/** The file's position, which is `bytes` further on from now on. */
function takePlace(hart: Hart, file: number, bytes: number): number {
  spinLock(hart, file + FILE_LOCK);
  const position = hart.shared.getF64(file + FILE_POSITION);
  hart.shared.setF64(file + FILE_POSITION, position + bytes);
  spinUnlock(hart, file + FILE_LOCK);
  return position;
}

/** Moves the position from `from` to `to`; false: it is somewhere else by now. */
function movePosition(hart: Hart, file: number, from: number, to: number): boolean {
  spinLock(hart, file + FILE_LOCK);
  const isThere = hart.shared.getF64(file + FILE_POSITION) === from;
  if (isThere) hart.shared.setF64(file + FILE_POSITION, to);
  spinUnlock(hart, file + FILE_LOCK);
  return isThere;
}

export function setFilePosition(hart: Hart, file: number, position: number): void {
  spinLock(hart, file + FILE_LOCK);
  hart.shared.setF64(file + FILE_POSITION, position);
  spinUnlock(hart, file + FILE_LOCK);
}
