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
  TASK_PROCESS,
} from "../../assembly/layout.ts";
import { contentBytes, contentData, contentHole, contentRead, contentReserve, contentWrite } from "../fs/content.ts";
import { TOUCH_ATIME, TOUCH_CTIME, TOUCH_MTIME, touch } from "../fs/inode.ts";
import { EFAULT, EFBIG, EINVAL, ENXIO } from "../memory/errno.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { MAPPING_LENGTH_MAX } from "../mm/mapping.ts";
import type { Hart } from "../policy/hart.ts";
import { defaultOps, type FileOps, POSITION_FILE } from "./file-ops.ts";
import { softLimit } from "./process.ts";
import { signalPending } from "./signal.ts";
import { SIGXFSZ } from "./signal-numbers.ts";
import { sendSignalToSelf } from "./signal-send.ts";
import { O_APPEND, O_NOATIME, RLIMIT_FSIZE, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "./uapi.ts";
import { gather, scatterAt, totalBytes, type UserBuffers } from "./user-buffers.ts";

export const regularOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: readRegular,
  write: writeRegular,
  seek: seekRegular,
  mapping: (hart, file) => hart.shared.get(hart.shared.get(file + FILE_INODE) + INODE_MAPPING),
};

function readRegular(hart: Hart, file: number, buffers: UserBuffers, position: number): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  const inode = hart.shared.get(file + FILE_INODE);
  const start = position === POSITION_FILE ? filePosition(hart, file) : position;
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
  if (position === POSITION_FILE) setFilePosition(hart, file, start + done);
  if ((hart.shared.loadOnce(file + FILE_FLAGS) & O_NOATIME) === 0) touch(hart, inode, TOUCH_ATIME);
  return done;
}

function writeRegular(hart: Hart, file: number, buffers: UserBuffers, position: number): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  const { shared } = hart;
  const inode = shared.get(file + FILE_INODE);
  const appends = (shared.loadOnce(file + FILE_FLAGS) & O_APPEND) !== 0;
  let start = position === POSITION_FILE ? filePosition(hart, file) : position;
  let done = 0;
  let error = 0;
  while (done < total) {
    const bytes = gather(hart, buffers, done, Math.min(total - done, HART_BUFFER_BYTES));
    if (bytes <= 0) {
      error = bytes;
      break;
    }
    if (appends) start = contentReserve(hart, inode, bytes) - done;
    const room = Math.min(bytes, bytesAllowed(hart, start + done));
    const put =
      room <= 0
        ? refuseSize(hart, start + done)
        : contentWrite(hart, inode, start + done, hart.base + HART_BUFFER, room);
    if (put < 0) error = put;
    else done += put;
    if (put < bytes || signalPending(hart)) break;
  }
  if (done > 0) touch(hart, inode, TOUCH_MTIME | TOUCH_CTIME);
  if (position === POSITION_FILE && done > 0) setFilePosition(hart, file, start + done);
  return done > 0 ? done : error;
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
  if (target >= 0) hart.shared.setF64(file + FILE_POSITION, target);
  spinUnlock(hart, file + FILE_LOCK);
  return target === -ENXIO || target >= 0 ? target : -EINVAL;
}

export function filePosition(hart: Hart, file: number): number {
  spinLock(hart, file + FILE_LOCK);
  const position = hart.shared.getF64(file + FILE_POSITION);
  spinUnlock(hart, file + FILE_LOCK);
  return position;
}

export function setFilePosition(hart: Hart, file: number, position: number): void {
  spinLock(hart, file + FILE_LOCK);
  hart.shared.setF64(file + FILE_POSITION, position);
  spinUnlock(hart, file + FILE_LOCK);
}
