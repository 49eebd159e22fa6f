// Open files of /proc. Each read makes the text anew and takes its part of it, except where one read goes on where the
// last one of this hart ended: that has the rest of the same text. (Linux: fs/seq_file.c)

import { FILE_INODE, FILE_LOCK, FILE_POSITION, HART_BUFFER, HART_BUFFER_BYTES } from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, EIO } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { defaultOps, type FileOps, POSITION_FILE } from "../file/file-ops.ts";
import { SEEK_CUR, SEEK_SET } from "../uapi.ts";
import { gather, scatter, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { nodeOf, targetOfInode } from "./tree.ts";

/** A longer write is cut: nothing that can be written is longer. */
const WRITE_BYTES_MAX = 4096;

export const procOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: readProc,
  write: writeProc,
  seek: seekProc,
};

function readProc(hart: Hart, file: number, buffers: UserBuffers, position: number): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  const start = position === POSITION_FILE ? positionOf(hart, file) : position;
  const filled = fill(hart, file, start, Math.min(total, HART_BUFFER_BYTES));
  if (filled <= 0) return filled;
  const copied = scatter(hart, buffers, filled);
  if (copied < 0) return -EFAULT;
  if (position === POSITION_FILE) setPosition(hart, file, start + copied);
  return copied;
}

/** Writes what stands from `start` on to HART_BUFFER: bytes, 0 at the end, or -errno. */
function fill(hart: Hart, file: number, start: number, room: number): number {
  const inode = hart.shared.get(file + FILE_INODE);
  const node = nodeOf(hart, inode);
  const buffer = hart.base + HART_BUFFER;
  if (node.readAt !== undefined) return node.readAt(hart, targetOfInode(hart, inode), start, buffer, room);
  const { procRead } = hart;
  if (procRead.file !== file || procRead.next !== start || start === 0) {
    const text = node.read?.(hart, targetOfInode(hart, inode)) ?? -EINVAL;
    if (typeof text === "number") return text;
    procRead.file = file;
    procRead.text = text;
  }
  const bytes = Math.max(Math.min(room, procRead.text.length - start), 0);
  for (let i = 0; i < bytes; i++) hart.shared.u8[buffer + i] = procRead.text.charCodeAt(start + i);
  procRead.next = start + bytes;
  if (procRead.next >= procRead.text.length && bytes === 0) procRead.file = 0;
  return bytes;
}

function writeProc(hart: Hart, file: number, buffers: UserBuffers): number {
  const inode = hart.shared.get(file + FILE_INODE);
  const { write } = nodeOf(hart, inode);
  if (write === undefined) return -EIO;
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  const bytes = gather(hart, buffers, 0, Math.min(total, WRITE_BYTES_MAX));
  if (bytes < Math.min(total, WRITE_BYTES_MAX)) return -EFAULT;
  let text = "";
  for (let i = 0; i < bytes; i++) text += String.fromCharCode(hart.shared.u8[hart.base + HART_BUFFER + i]);
  const error = write(hart, targetOfInode(hart, inode), text);
  return error < 0 ? error : bytes;
}

/** As in seq_lseek: nobody knows where the end is. */
function seekProc(hart: Hart, file: number, offset: number, whence: number): number {
  if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
  const target = whence === SEEK_SET ? offset : positionOf(hart, file) + offset;
  if (target < 0) return -EINVAL;
  setPosition(hart, file, target);
  return target;
}

function positionOf(hart: Hart, file: number): number {
  spinLock(hart, file + FILE_LOCK);
  const position = hart.shared.getF64(file + FILE_POSITION);
  spinUnlock(hart, file + FILE_LOCK);
  return position;
}

function setPosition(hart: Hart, file: number, position: number): void {
  spinLock(hart, file + FILE_LOCK);
  hart.shared.setF64(file + FILE_POSITION, position);
  spinUnlock(hart, file + FILE_LOCK);
}
