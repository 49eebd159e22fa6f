// read on the terminal. A reader in the background is stopped; one in the foreground waits for a line, or in raw mode
// for as many bytes as VMIN and VTIME say. (Linux: n_tty_read) The caller holds no lock.

import {
  FILE_FLAGS,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  MACHINE_BASE,
  MACHINE_CONSOLE_READERS,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { consoleInputEnded, requestInput } from "../../devices/console.ts";
import { controlCharacter, isCanonical, VMIN, VTIME } from "../../devices/tty/termios.ts";
import { ttyReadable, ttyTake } from "../../devices/tty/tty.ts";
import { EAGAIN, ERESTARTSYS } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, isRestart, WAIT, waitqAdd } from "../sched/wait.ts";
import { SIGTTIN } from "../signal/signal-numbers.ts";
import { armTimer } from "../time/timer.ts";
import { O_NONBLOCK } from "../uapi.ts";
import { prepareScatter, scatter, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { receiveTyped } from "./tty-events.ts";
import { checkForeground, hasTerminal } from "./tty-job-control.ts";

const READERS = MACHINE_BASE + MACHINE_CONSOLE_READERS;
const DECISECOND_NS = 100_000_000;

const RESTART_DEADLINE = TASK_RESTART; // when VTIME has passed
const RESTART_SEEN = TASK_RESTART + 8; // bytes that were there when it last waited

/** Bytes read, 0 at the end of the input, -errno, or WAIT. */
export function readTty(hart: Hart, file: number, buffers: UserBuffers): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  const wasWaiting = isRestart(hart, hart.shared.get(hart.current + TASK_SYSCALL));
  if (wasWaiting) finishWait(hart);
  const refusal = hasTerminal(hart) ? checkForeground(hart, SIGTTIN) : 0;
  if (refusal !== 0) return refusal;
  receiveTyped(hart);
  const bytesMax = Math.min(total, HART_BUFFER_BYTES);
  const deadline = readDeadline(hart, wasWaiting);
  const isNonblocking = (hart.shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0;
  if (!isEnough(hart, bytesMax, deadline) && !isNonblocking) {
    if (signalPending(hart)) return -ERESTARTSYS;
    requestInput(hart);
    receiveTyped(hart);
    if (waitForInput(hart, bytesMax, deadline)) return WAIT;
  }
  const ready = ttyReadable(hart) > 0 ? prepareScatter(hart, buffers, Math.min(bytesMax, ttyReadable(hart))) : bytesMax;
  if (ready < 0) return ready;
  const taken = ttyTake(hart, hart.base + HART_BUFFER, ready);
  if (taken >= 0) return taken === 0 ? 0 : scatter(hart, buffers, taken);
  return isNonblocking && !consoleInputEnded(hart) ? -EAGAIN : 0;
}

/** Is what has been typed enough for a read of `bytesMax` bytes to return? */
function isEnough(hart: Hart, bytesMax: number, deadline: number): boolean {
  const { shared } = hart;
  if (consoleInputEnded(hart) || hart.clock.now() >= deadline) return true;
  const minimum = isCanonical(shared) ? 1 : controlCharacter(shared, VMIN);
  return ttyReadable(hart) >= Math.min(minimum, bytesMax);
}

/**
 * When a read in raw mode gives up: with VMIN, VTIME after the last byte; without, VTIME after the call. FOREVER for a
 * read that has no such limit.
 */
function readDeadline(hart: Hart, wasWaiting: boolean): number {
  const { shared, current } = hart;
  const pauseNs = controlCharacter(shared, VTIME) * DECISECOND_NS;
  if (isCanonical(shared) || pauseNs === 0) return FOREVER;
  const readable = ttyReadable(hart);
  const isNew =
    !wasWaiting || (controlCharacter(shared, VMIN) > 0 && shared.getF64(current + RESTART_SEEN) !== readable);
  if (!isNew) return shared.getF64(current + RESTART_DEADLINE);
  return controlCharacter(shared, VMIN) > 0 && readable === 0 ? FOREVER : hart.clock.now() + pauseNs;
}

/** True if the task now waits on the readers' queue; false if there is something to do after all. */
function waitForInput(hart: Hart, bytesMax: number, deadline: number): boolean {
  const { shared, current } = hart;
  spinLock(hart, READERS + WAITQ_LOCK);
  const waits = !isEnough(hart, bytesMax, deadline);
  if (waits) {
    shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
    shared.setF64(current + RESTART_DEADLINE, deadline);
    shared.setF64(current + RESTART_SEEN, ttyReadable(hart));
    waitqAdd(hart, READERS);
  }
  spinUnlock(hart, READERS + WAITQ_LOCK);
  if (waits && deadline !== FOREVER) armTimer(hart, deadline);
  return waits;
}
