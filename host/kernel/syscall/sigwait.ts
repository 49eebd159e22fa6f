// Calls that wait for a signal: rt_sigsuspend(2) with another mask, rt_sigtimedwait(2) without running a handler.

import {
  HART_BUFFER,
  HART_KERNEL_SCRATCH,
  HART_SIGINFO,
  SIGHAND_LOCK,
  SIGINFO_BYTES,
  TASK_PROCESS,
  TASK_REAL_BLOCKED_HI,
  TASK_REAL_BLOCKED_LO,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINTR, EINVAL, ERESTARTNOHAND } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser, faultInWriteable } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress } from "../registers.ts";
import { finishWait, isRestart, sleepOnTimer, WAIT } from "../sched/wait.ts";
import { SI_TIMER, siginfoCode } from "../signal/siginfo.ts";
import { setBlocked, setTemporaryMask, UNBLOCKABLE_LO } from "../signal/signal-mask.ts";
import { takeSignal } from "../signal/sigqueue.ts";
import { timerSignalTaken } from "../time/posix-timer.ts";
import { armTimer } from "../time/timer.ts";
import { loadTimespec } from "../time/user-time.ts";
import { call, type SystemCall } from "./types.ts";

const SIGSUSPEND = 133;
const SIGTIMEDWAIT = 137;
const SIGSET_BYTES = 8;

export const sigwaitCalls: readonly (readonly [number, SystemCall])[] = [
  [SIGSUSPEND, call("rt_sigsuspend", ["pointer", "size"], sysSigsuspend)],
  [SIGTIMEDWAIT, call("rt_sigtimedwait", ["pointer", "pointer", "timespec", "size"], sysSigtimedwait)],
];

const RESTART_DEADLINE = TASK_RESTART;
const RESTART_SET_LO = TASK_RESTART + 8;
const RESTART_SET_HI = TASK_RESTART + 12;

/** The old mask comes back when the signal is delivered. */
function sysSigsuspend(hart: Hart): number {
  const { shared, current } = hart;
  if (isRestart(hart, SIGSUSPEND)) {
    finishWait(hart);
  } else {
    if (argAddress(hart, 1) !== SIGSET_BYTES) return -EINVAL;
    const scratch = hart.base + HART_KERNEL_SCRATCH;
    if (copyFromUser(hart, scratch, argAddress(hart, 0), SIGSET_BYTES) < 0) return -EFAULT;
    setTemporaryMask(hart, shared.get(scratch), shared.get(scratch + 4));
    shared.set(current + TASK_RESTART_CALL, SIGSUSPEND);
  }
  if (signalPending(hart)) return -ERESTARTNOHAND;
  sleepOnTimer(hart);
  return WAIT;
}

/** While it waits, the signals of the set are not blocked, so that they wake the task. (do_sigtimedwait) */
function sysSigtimedwait(hart: Hart): number {
  const { shared, current } = hart;
  const hasWaited = isRestart(hart, SIGTIMEDWAIT);
  if (hasWaited) {
    finishWait(hart);
    closeSet(hart);
  } else {
    const error = beginTimedWait(hart);
    if (error !== 0) return error;
  }
  // A signal that was taken can not be given back: first see that there is a place for what it says.
  const va = argAddress(hart, 1);
  if (va !== 0) faultInWriteable(hart, va, SIGINFO_BYTES);
  const signal = takeFromSet(hart);
  if (signal !== 0) {
    if (siginfoCode(hart) === SI_TIMER) timerSignalTaken(hart);
    return giveSiginfo(hart, signal);
  }
  const deadline = shared.getF64(current + RESTART_DEADLINE);
  if (hart.clock.now() >= deadline) return -EAGAIN;
  if (signalPending(hart) && hasWaited) return -EINTR;
  openSet(hart);
  sleepOnTimer(hart);
  if (deadline !== FOREVER) armTimer(hart, deadline);
  return WAIT;
}

/** Reads the arguments into the restart block: 0 or -errno. */
function beginTimedWait(hart: Hart): number {
  const { shared, current } = hart;
  if (argAddress(hart, 3) !== SIGSET_BYTES) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, argAddress(hart, 0), SIGSET_BYTES) < 0) return -EFAULT;
  shared.set(current + RESTART_SET_LO, shared.get(scratch) & ~UNBLOCKABLE_LO);
  shared.set(current + RESTART_SET_HI, shared.get(scratch + 4));
  let deadline = FOREVER;
  if (argAddress(hart, 2) !== 0) {
    const ns = loadTimespec(hart, argAddress(hart, 2));
    if (ns < 0) return ns;
    deadline = ns === 0 ? 0 : hart.clock.now() + ns;
  }
  shared.setF64(current + RESTART_DEADLINE, deadline);
  shared.set(current + TASK_RESTART_CALL, SIGTIMEDWAIT);
  return 0;
}

function takeFromSet(hart: Hart): number {
  const { shared, current } = hart;
  const [lo, hi] = [~shared.get(current + RESTART_SET_LO), ~shared.get(current + RESTART_SET_HI)];
  const process = shared.get(current + TASK_PROCESS);
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const signal = takeSignal(hart, current, process, lo, hi) || takeSignal(hart, 0, process, lo, hi);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return signal;
}

/** A sender takes what is in REAL_BLOCKED for blocked too: it neither drops the signal nor kills at once. */
function openSet(hart: Hart): void {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  const [lo, hi] = [shared.get(current + TASK_SIGMASK_LO), shared.get(current + TASK_SIGMASK_HI)];
  spinLock(hart, sighand + SIGHAND_LOCK);
  shared.set(current + TASK_REAL_BLOCKED_LO, lo);
  shared.set(current + TASK_REAL_BLOCKED_HI, hi);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  setBlocked(hart, lo & ~shared.get(current + RESTART_SET_LO), hi & ~shared.get(current + RESTART_SET_HI));
}

function closeSet(hart: Hart): void {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  const [lo, hi] = [shared.get(current + TASK_REAL_BLOCKED_LO), shared.get(current + TASK_REAL_BLOCKED_HI)];
  setBlocked(hart, lo, hi);
  spinLock(hart, sighand + SIGHAND_LOCK);
  shared.set(current + TASK_REAL_BLOCKED_LO, 0);
  shared.set(current + TASK_REAL_BLOCKED_HI, 0);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
}

function giveSiginfo(hart: Hart, signal: number): number {
  const va = argAddress(hart, 1);
  if (va === 0) return signal;
  // Out of the way of a fault in the copy, which may have a signal of its own to build.
  const info = hart.base + HART_BUFFER;
  hart.core.copyBytes(info, hart.base + HART_SIGINFO, SIGINFO_BYTES);
  return copyToUser(hart, va, info, SIGINFO_BYTES) < 0 ? -EFAULT : signal;
}
