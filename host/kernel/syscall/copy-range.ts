// sendfile and copy_file_range: from a regular file to another file, a page at a time, without user memory between.
// splice, tee and vmsplice are EINVAL, which sends programs back to read and write. (Linux: fs/read_write.c)

import {
  FILE_FLAGS,
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_DIRECTORY,
  FILE_KIND_REGULAR,
  HART_KERNEL_SCRATCH,
  INODE_MAPPING,
  PAGE_BYTES,
  TASK_RESTART,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { contentBytes } from "../../fs/content.ts";
import { fileType } from "../../fs/inode.ts";
import { S_IFDIR } from "../../fs/uapi.ts";
import { EBADF, EFAULT, EINVAL, EIO, EISDIR } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { frameAddress } from "../../mm/frame/page.ts";
import { putPage } from "../../mm/frame/page-refs.ts";
import { mappingFrame } from "../../mm/mapping/page-cache.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { isReadable, isWritable } from "../file/file.ts";
import { opsOf } from "../file/file-kinds.ts";
import { POSITION_FILE } from "../file/file-ops.ts";
import { filePosition, setFilePosition } from "../file/regular-file.ts";
import { argAddress, argInt, argUint, loadI64, storeU64 } from "../registers.ts";
import { isRestart, WAIT } from "../sched/wait.ts";
import { O_APPEND } from "../uapi.ts";
import { KERNEL, TRANSFER_BYTES_MAX } from "../user-buffers.ts";
import { withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const copyRangeCalls: readonly (readonly [number, SystemCall])[] = [
  [71, call("sendfile", ["fd", "fd", "pointer", "size"], sysSendfile)],
  [75, call("vmsplice", ["fd", "pointer", "size", "hex"], () => -EINVAL)],
  [76, call("splice", ["fd", "pointer", "fd", "pointer", "size", "hex"], () => -EINVAL)],
  [77, call("tee", ["fd", "fd", "size", "hex"], () => -EINVAL)],
  [285, call("copy_file_range", ["fd", "pointer", "fd", "pointer", "size", "hex"], sysCopyFileRange)],
];

/** Beside the progress of a single write, which begins the restart block. */
const RESTART_SENT = TASK_RESTART + 32;

function sysSendfile(hart: Hart): number {
  const offsetVa = argAddress(hart, 2);
  const count = Math.min(argAddress(hart, 3), TRANSFER_BYTES_MAX);
  return withFile(hart, argInt(hart, 1), (input) =>
    withFile(hart, argInt(hart, 0), (output) => {
      if (!isReadable(hart, input) || !isWritable(hart, output)) return -EBADF;
      if (hart.shared.get(input + FILE_KIND) !== FILE_KIND_REGULAR) return -EINVAL;
      if (hart.shared.get(output + FILE_KIND) === FILE_KIND_DIRECTORY) return -EISDIR;
      if ((hart.shared.loadOnce(output + FILE_FLAGS) & O_APPEND) !== 0) return -EINVAL;
      const start = loadOffset(hart, offsetVa, input);
      if (start < 0) return start;
      return storeResult(hart, offsetVa, input, start, send(hart, input, start, output, POSITION_FILE, count));
    }),
  );
}

function sysCopyFileRange(hart: Hart): number {
  const [inVa, outVa] = [argAddress(hart, 1), argAddress(hart, 3)];
  const wanted = Math.min(argAddress(hart, 4), TRANSFER_BYTES_MAX);
  if (argUint(hart, 5) !== 0) return -EINVAL;
  return withFile(hart, argInt(hart, 0), (input) =>
    withFile(hart, argInt(hart, 2), (output) => {
      const error = mayCopy(hart, input, output);
      if (error !== 0) return error;
      const from = loadOffset(hart, inVa, input);
      const to = from < 0 ? from : loadOffset(hart, outVa, output);
      if (to < 0) return to;
      // What is past the end is not copied, and overlaps nothing. (generic_copy_file_checks)
      const inode = hart.shared.get(input + FILE_INODE);
      const count = Math.min(wanted, Math.max(contentBytes(hart, inode) - from, 0));
      const sameFile = inode === hart.shared.get(output + FILE_INODE);
      if (sameFile && from < to + count && to < from + count) return -EINVAL;
      const sent = send(hart, input, from, output, to, count);
      storeResult(hart, outVa, output, to, sent);
      return storeResult(hart, inVa, input, from, sent);
    }),
  );
}

function mayCopy(hart: Hart, input: number, output: number): number {
  const { shared } = hart;
  const types = [input, output].map((file) => fileType(hart, shared.get(file + FILE_INODE)));
  if (types.includes(S_IFDIR)) return -EISDIR;
  const isRegular = [input, output].every((file) => shared.get(file + FILE_KIND) === FILE_KIND_REGULAR);
  if (!isRegular) return -EINVAL;
  if (!isReadable(hart, input) || !isWritable(hart, output)) return -EBADF;
  return (shared.loadOnce(output + FILE_FLAGS) & O_APPEND) !== 0 ? -EBADF : 0;
}

/** Where to begin: the offset at `va`, or the file's position if there is none. Or -errno. */
function loadOffset(hart: Hart, va: number, file: number): number {
  if (va === 0) return filePosition(hart, file);
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, 8) < 0) return -EFAULT;
  const offset = loadI64(hart, scratch);
  return offset < 0 ? -EINVAL : offset;
}

/** `sent`, once the offset at `va`, or the file's position, has moved along. */
function storeResult(hart: Hart, va: number, file: number, start: number, sent: number): number {
  if (sent <= 0) return sent;
  if (va === 0) {
    setFilePosition(hart, file, start + sent);
    return sent;
  }
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  storeU64(hart, scratch, start + sent);
  return copyToUser(hart, va, scratch, 8) < 0 ? -EFAULT : sent;
}

/** Bytes sent, -errno or WAIT. `start` stays the same over restarts, since nothing moves before the end. */
function send(hart: Hart, input: number, start: number, output: number, to: number, count: number): number {
  const { shared, current } = hart;
  const inode = shared.get(input + FILE_INODE);
  let sent = isRestart(hart, shared.get(current + TASK_SYSCALL)) ? shared.getF64(current + RESTART_SENT) : 0;
  while (sent < count) {
    const at = start + sent;
    const bytes = Math.min(PAGE_BYTES - (at % PAGE_BYTES), count - sent, contentBytes(hart, inode) - at);
    if (bytes <= 0) break;
    const put = sendPiece(hart, inode, at, bytes, output, to === POSITION_FILE ? to : to + sent);
    if (put === WAIT) {
      shared.setF64(current + RESTART_SENT, sent);
      return WAIT;
    }
    if (put < 0) return sent > 0 ? sent : put;
    sent += put;
    shared.setF64(current + TASK_RESTART, 0); // the next piece begins at its beginning
    if (put < bytes || signalPending(hart)) break;
  }
  return sent;
}

/** A piece inside one page, which is held meanwhile. */
function sendPiece(hart: Hart, inode: number, at: number, bytes: number, output: number, to: number): number {
  const pfn = mappingFrame(hart, hart.shared.get(inode + INODE_MAPPING), Math.floor(at / PAGE_BYTES));
  if (pfn <= 0) return -EIO;
  const buffers = { va: frameAddress(pfn) + (at % PAGE_BYTES), count: KERNEL, bytes };
  const put = opsOf(hart, output).write(hart, output, buffers, to);
  putPage(hart, pfn);
  return put;
}
