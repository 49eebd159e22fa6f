// Pipes and FIFOs. A reader waits for the first byte, a writer until everything is written; a write of up to PIPE_BUF
// bytes goes in as a whole. What a write has done is in the restart block. (Linux: fs/pipe.c)
//
// PIPE_LOCK is taken before the lock of one of the pipe's queues: who waits joins its queue before it lets go of
// PIPE_LOCK, so that no wake-up is lost. A reader copies its bytes under PIPE_LOCK, without resolving faults, and takes
// them out of the pipe once they are copied.

import {
  FILE_FLAGS,
  FILE_PRIVATE,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  PAGE_BYTES,
  PIPE_HEAD,
  PIPE_LOCK,
  PIPE_READ_QUEUE,
  PIPE_READERS,
  PIPE_TAIL,
  PIPE_WRITE_QUEUE,
  PIPE_WRITERS,
  PIPE_WRITERS_EVER,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, ENOMEM, ENOTTY, EPIPE, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, isRestart, WAIT, waitqAdd } from "../sched/wait.ts";
import { SIGPIPE } from "../signal/signal-numbers.ts";
import { sendSignalToSelf } from "../signal/signal-send.ts";
import { FIONREAD, O_NONBLOCK, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../uapi.ts";
import { gatherUnits, prepareScatter, scatterAtomic, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { isReadable, isWritable } from "./file.ts";
import { defaultOps, type FileOps } from "./file-ops.ts";
import { pipePeek, pipePut, pipeRoom, pipeSkip, pipeUsed, pipeWholePages } from "./pipe-buffer.ts";
import { releasePipe, wakeQueueLocked } from "./pipe-end.ts";
import { wakePollers } from "./poll-wait.ts";

/** Writes of up to so many bytes are never mixed with others (linux/limits.h). */
export const PIPE_BUF = PAGE_BYTES;

const RESTART_DONE = TASK_RESTART;
/** readPiece: no result of a call. */
const NOT_MAPPED = Number.NEGATIVE_INFINITY;

export const pipeOps: FileOps = {
  ...defaultOps,
  read: readPipe,
  write: writePipe,
  poll: pollPipe,
  edges: pipeEdges,
  ioctl: controlPipe,
  release: releasePipe,
};

function readPipe(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) finishWait(hart);
  const wanted = Math.min(total, HART_BUFFER_BYTES);
  for (let mapped = wanted; ; ) {
    const outcome = readPiece(hart, file, buffers, wanted, mapped);
    if (outcome !== NOT_MAPPED) return outcome;
    // The lock is not held while a fault is resolved: the bytes are still in the pipe if there is no page for them.
    mapped = Math.max(prepareScatter(hart, buffers, wanted), 0);
  }
}

/**
 * Bytes read, 0, -errno, WAIT, or NOT_MAPPED: the buffers must be faulted in. Where only the first `mapped` bytes can
 * be written, a page of the pipe that does not fit there stays whole.
 */
function readPiece(hart: Hart, file: number, buffers: UserBuffers, wanted: number, mapped: number): number {
  const pipe = hart.shared.get(file + FILE_PRIVATE);
  spinLock(hart, pipe + PIPE_LOCK);
  const used = pipeUsed(hart, pipe);
  const fits = mapped < Math.min(wanted, used) ? pipeWholePages(hart, pipe, mapped) : wanted;
  const bytes = pipePeek(hart, pipe, hart.base + HART_BUFFER, fits);
  let outcome = bytes;
  if (used === 0) outcome = emptyPipe(hart, file, pipe);
  else if (bytes === 0) outcome = -EFAULT;
  else if (!scatterAtomic(hart, buffers, bytes)) outcome = NOT_MAPPED;
  if (outcome > 0) {
    pipeSkip(hart, pipe, bytes);
    wakeQueueLocked(hart, pipe + PIPE_WRITE_QUEUE);
  }
  spinUnlock(hart, pipe + PIPE_LOCK);
  if (outcome > 0) wakePollers(hart);
  return outcome;
}

/** Nothing to read: 0 if nobody can write any more, -errno, or WAIT. Requires: PIPE_LOCK. */
function emptyPipe(hart: Hart, file: number, pipe: number): number {
  const { shared } = hart;
  if (shared.get(pipe + PIPE_WRITERS) === 0) return 0;
  if ((shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
  if (signalPending(hart)) return -ERESTARTSYS;
  return waitOn(hart, pipe + PIPE_READ_QUEUE, 0);
}

function writePipe(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  let done = 0;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) {
    finishWait(hart);
    done = shared.getF64(current + RESTART_DONE);
  }
  const pipe = shared.get(file + FILE_PRIVATE);
  while (done < total) {
    // A page that can not be filled is not written at all.
    const bytes = gatherUnits(hart, buffers, done, total - done, PAGE_BYTES);
    if (bytes < 0) return done > 0 ? done : bytes;
    const put = writePiece(hart, file, pipe, bytes, done, total);
    if (put === WAIT) return WAIT;
    if (put === -EPIPE) sendSignalToSelf(hart, SIGPIPE);
    if (put < 0) return done > 0 ? done : put;
    done += put;
  }
  return done;
}

/** Bytes of HART_BUFFER that went in, at least one; -errno or WAIT. */
function writePiece(hart: Hart, file: number, pipe: number, bytes: number, done: number, total: number): number {
  const { shared } = hart;
  spinLock(hart, pipe + PIPE_LOCK);
  let put = 0;
  if (shared.get(pipe + PIPE_READERS) === 0) put = -EPIPE;
  else if (total > PIPE_BUF || pipeRoom(hart, pipe) >= bytes) {
    put = pipePut(hart, pipe, hart.base + HART_BUFFER, bytes);
    if (put === 0 && pipeRoom(hart, pipe) > 0) put = -ENOMEM;
  }
  if (put > 0) wakeQueueLocked(hart, pipe + PIPE_READ_QUEUE);
  if (put === 0) put = fullPipe(hart, file, pipe, done);
  spinUnlock(hart, pipe + PIPE_LOCK);
  if (put > 0) wakePollers(hart);
  return put;
}

/** No room: -errno or WAIT. Requires: PIPE_LOCK. */
function fullPipe(hart: Hart, file: number, pipe: number, done: number): number {
  if ((hart.shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
  if (signalPending(hart)) return -ERESTARTSYS;
  return waitOn(hart, pipe + PIPE_WRITE_QUEUE, done);
}

/** The current task waits on `queue`. Requires: PIPE_LOCK. */
function waitOn(hart: Hart, queue: number, done: number): number {
  const { shared, current } = hart;
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  shared.setF64(current + RESTART_DONE, done);
  spinLock(hart, queue + WAITQ_LOCK);
  waitqAdd(hart, queue);
  spinUnlock(hart, queue + WAITQ_LOCK);
  return WAIT;
}

function pollPipe(hart: Hart, file: number): number {
  const { shared } = hart;
  const pipe = shared.get(file + FILE_PRIVATE);
  let ready = 0;
  spinLock(hart, pipe + PIPE_LOCK);
  if (isReadable(hart, file)) {
    if (pipeUsed(hart, pipe) > 0) ready |= POLLIN | POLLRDNORM;
    // A FIFO that nobody has opened for writing yet is not hung up.
    if (shared.get(pipe + PIPE_WRITERS) === 0 && shared.get(pipe + PIPE_WRITERS_EVER) !== 0) ready |= POLLHUP;
  }
  if (isWritable(hart, file)) {
    if (pipeRoom(hart, pipe) >= PIPE_BUF) ready |= POLLOUT | POLLWRNORM;
    if (shared.get(pipe + PIPE_READERS) === 0) ready |= POLLERR;
  }
  spinUnlock(hart, pipe + PIPE_LOCK);
  return ready;
}

/** Bytes that came, for who reads, and bytes that went, for who writes. */
function pipeEdges(hart: Hart, file: number): number {
  const { shared } = hart;
  const pipe = shared.get(file + FILE_PRIVATE);
  const came = isReadable(hart, file) ? shared.loadAcquire(pipe + PIPE_HEAD) : 0;
  return isWritable(hart, file) ? came + shared.loadAcquire(pipe + PIPE_TAIL) : came;
}

function controlPipe(hart: Hart, file: number, request: number, va: number): number {
  if (request !== FIONREAD) return -ENOTTY;
  const pipe = hart.shared.get(file + FILE_PRIVATE);
  spinLock(hart, pipe + PIPE_LOCK);
  const bytes = pipeUsed(hart, pipe);
  spinUnlock(hart, pipe + PIPE_LOCK);
  return putUser32(hart, va, bytes);
}
