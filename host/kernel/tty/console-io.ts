// read and write on the console; how a terminal is read is in tty-read.ts. A full ring makes the writer wait, an empty
// one the reader; how much a write has done is in the restart block. The caller holds no lock; nothing is held across a
// wait.

import {
  FILE_CONSOLE_FD,
  FILE_FLAGS,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  MACHINE_BASE,
  MACHINE_CONSOLE_READERS,
  MACHINE_CONSOLE_WRITERS,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { CONSOLE_EMPTY, consoleRead, consoleWrite } from "../../devices/console.ts";
import { localFlags, TOSTOP } from "../../devices/tty/termios.ts";
import { ttyWrite } from "../../devices/tty/tty.ts";
import { EAGAIN, EPIPE, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { isTerminal } from "../file/stat.ts";
import { finishWait, isRestart, WAIT, waitqAdd } from "../sched/wait.ts";
import { SIGPIPE, SIGTTOU } from "../signal/signal-numbers.ts";
import { sendSignalToSelf } from "../signal/signal-send.ts";
import { O_NONBLOCK } from "../uapi.ts";
import { gatherUnits, prepareScatter, scatter, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { checkForeground } from "./tty-job-control.ts";
import { readTty } from "./tty-read.ts";

const READERS = MACHINE_BASE + MACHINE_CONSOLE_READERS;
const WRITERS = MACHINE_BASE + MACHINE_CONSOLE_WRITERS;
const RESTART_DONE = TASK_RESTART;
/** A terminal is given so many bytes at a time, and none of those that a bad address is among (tty_write). */
const TTY_CHUNK_BYTES = 2048;

/** Bytes written, -errno, or WAIT. `file` is open for writing. (Linux, on a terminal: tty_write, n_tty_write) */
export function writeConsole(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  let done = 0;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) {
    finishWait(hart);
    done = shared.getF64(current + RESTART_DONE);
    if (signalPending(hart)) return done > 0 ? done : -ERESTARTSYS;
  }
  const stopsBackground = isTerminal(hart) && (localFlags(shared) & TOSTOP) !== 0;
  const refusal = stopsBackground ? checkForeground(hart, SIGTTOU) : 0;
  if (refusal !== 0) return refusal;
  while (done < total) {
    const bytes = gatherUnits(hart, buffers, done, total - done, isTerminal(hart) ? TTY_CHUNK_BYTES : 1);
    if (bytes < 0) return done > 0 ? done : bytes;
    const taken = writePiece(hart, file, bytes, done);
    if (taken === WAIT) return WAIT;
    if (taken === -EPIPE) sendSignalToSelf(hart, SIGPIPE);
    if (taken < 0) return done > 0 ? done : taken;
    done += taken;
  }
  return done;
}

/** Reads what is there; waits for the first byte. Bytes, 0 at the end of the input, -errno, or WAIT. */
export function readConsole(hart: Hart, file: number, buffers: UserBuffers): number {
  if (isTerminal(hart)) return readTty(hart, file, buffers);
  const { shared, current } = hart;
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) {
    finishWait(hart);
    if (signalPending(hart)) return -ERESTARTSYS;
  }
  const buffer = hart.base + HART_BUFFER;
  const bytesMax = prepareScatter(hart, buffers, Math.min(total, HART_BUFFER_BYTES));
  if (bytesMax <= 0) return bytesMax;
  let bytes = consoleRead(hart, buffer, bytesMax);
  if (bytes === CONSOLE_EMPTY) {
    if ((shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
    spinLock(hart, READERS + WAITQ_LOCK);
    bytes = consoleRead(hart, buffer, bytesMax);
    if (bytes === CONSOLE_EMPTY) return waitOn(hart, READERS, 0);
    spinUnlock(hart, READERS + WAITQ_LOCK);
  }
  return bytes > 0 ? scatter(hart, buffers, bytes) : bytes;
}

function writePiece(hart: Hart, file: number, bytes: number, done: number): number {
  let taken = send(hart, file, bytes);
  if (taken !== 0) return taken;
  if ((hart.shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
  spinLock(hart, WRITERS + WAITQ_LOCK);
  taken = send(hart, file, bytes);
  if (taken === 0) return waitOn(hart, WRITERS, done);
  spinUnlock(hart, WRITERS + WAITQ_LOCK);
  return taken;
}

/** How many of the bytes in the hart's buffer have been sent; 0: no room, or a terminal's output is stopped. */
function send(hart: Hart, file: number, bytes: number): number {
  const buffer = hart.base + HART_BUFFER;
  if (isTerminal(hart)) return ttyWrite(hart, buffer, bytes);
  return consoleWrite(hart, hart.shared.get(file + FILE_CONSOLE_FD) === 2 ? 2 : 1, buffer, bytes);
}

/** Requires: the queue's lock, which it drops. */
function waitOn(hart: Hart, queue: number, done: number): number {
  const { shared, current } = hart;
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  shared.setF64(current + RESTART_DONE, done);
  waitqAdd(hart, queue);
  spinUnlock(hart, queue + WAITQ_LOCK);
  return WAIT;
}
