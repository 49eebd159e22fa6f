// Timers of timer_create(2): their records, what an expiry does, and how an interval goes on once its signal was taken.
// A timer whose signal is still pending does not run; the intervals that pass meanwhile are its overruns, counted when
// the signal is taken. All of it under TASKLIST_LOCK. (Linux: kernel/time/posix-timers.c)

import {
  HART_SIGINFO,
  KTIMER_KIND,
  KTIMER_POSIX,
  POOL_TIMER,
  PSIG_CPU_TIMERS,
  PSIG_TIMER_NEXT_ID,
  PSIG_TIMERS,
  TASK_PROCESS,
  TIMER_BYTES,
  TIMER_CLOCK,
  TIMER_EXPIRY,
  TIMER_ID,
  TIMER_INTERVAL,
  TIMER_NEXT,
  TIMER_NOTIFY,
  TIMER_OVERRUN,
  TIMER_OVERRUN_LAST,
  TIMER_PENDING,
  TIMER_PROCESS,
  TIMER_SIGNAL,
  TIMER_TID,
  TIMER_VALUE,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFreeRcu } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { processRuntimeLocked, taskRuntime } from "../process/runtime.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";
import { SI_TIMER, SIGINFO_OVERRUN, SIGINFO_TIMER_ID, SIGINFO_VALUE, startSiginfo } from "../signal/siginfo.ts";
import { forgetSiginfo, sendSignalLocked, sendToTaskLocked } from "../signal/signal-send.ts";
import { psigOf } from "../signal/sigqueue.ts";
import { forward } from "./itimer.ts";
import { armKtimer, disarmKtimer } from "./timer.ts";

export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD_ID = 4;

/** TIMER_CLOCK: which clock drives the timer. */
export const TIMER_MONOTONIC = 0;
export const TIMER_PROCESS_CPU = 1;
export const TIMER_THREAD_CPU = 2;

const OVERRUN_MAX = 2 ** 31 - 1; // DELAYTIMER_MAX

/** A disarmed timer of `process` with a number of its own, or 0. Requires: TASKLIST_LOCK. */
export function allocTimerLocked(hart: Hart, process: number): number {
  const { shared } = hart;
  const timer = kmemCacheAlloc(hart, POOL_TIMER);
  if (timer === 0) return 0;
  const psig = psigOf(process);
  hart.core.zeroBytes(timer, TIMER_BYTES);
  shared.set(timer + KTIMER_KIND, KTIMER_POSIX);
  shared.set(timer + TIMER_PROCESS, process);
  shared.set(timer + TIMER_ID, shared.get(psig + PSIG_TIMER_NEXT_ID));
  shared.set(psig + PSIG_TIMER_NEXT_ID, (shared.get(psig + PSIG_TIMER_NEXT_ID) + 1) & OVERRUN_MAX);
  shared.set(timer + TIMER_NEXT, shared.get(psig + PSIG_TIMERS));
  shared.set(psig + PSIG_TIMERS, timer);
  return timer;
}

/** The timer of `process` with number `id`, or 0. Requires: TASKLIST_LOCK. */
export function findTimerLocked(hart: Hart, process: number, id: number): number {
  const { shared } = hart;
  let timer = shared.get(psigOf(process) + PSIG_TIMERS);
  while (timer !== 0 && shared.get(timer + TIMER_ID) !== id) timer = shared.get(timer + TIMER_NEXT);
  return timer;
}

/** Requires: TASKLIST_LOCK. */
export function freeTimerLocked(hart: Hart, timer: number): void {
  const { shared } = hart;
  setTimerLocked(hart, timer, 0, 0);
  const psig = psigOf(shared.get(timer + TIMER_PROCESS));
  let link = psig + PSIG_TIMERS;
  while (shared.get(link) !== timer) link = shared.get(link) + TIMER_NEXT;
  shared.set(link, shared.get(timer + TIMER_NEXT));
  // A hart may have taken it off its list and be about to look whether it is still armed.
  kmemCacheFreeRcu(hart, POOL_TIMER, timer);
}

/** The process ends, or executes another program. Requires: TASKLIST_LOCK. */
export function exitTimersLocked(hart: Hart, process: number): void {
  const { shared } = hart;
  const psig = psigOf(process);
  while (shared.get(psig + PSIG_TIMERS) !== 0) freeTimerLocked(hart, shared.get(psig + PSIG_TIMERS));
  shared.set(psig + PSIG_TIMER_NEXT_ID, 0);
}

/** Arms the timer to `expiry` on its clock, or disarms it (0). Requires: TASKLIST_LOCK. */
export function setTimerLocked(hart: Hart, timer: number, expiry: number, interval: number): void {
  const { shared } = hart;
  shared.setF64(timer + TIMER_INTERVAL, interval);
  shared.set(timer + TIMER_PENDING, 0);
  shared.set(timer + TIMER_OVERRUN, 0);
  shared.set(timer + TIMER_OVERRUN_LAST, 0);
  run(hart, timer, expiry);
}

function run(hart: Hart, timer: number, expiry: number): void {
  const { shared } = hart;
  const wasArmed = shared.getF64(timer + TIMER_EXPIRY) !== 0;
  shared.setF64(timer + TIMER_EXPIRY, expiry);
  if (shared.get(timer + TIMER_CLOCK) !== TIMER_MONOTONIC) {
    const cpuTimers = psigOf(shared.get(timer + TIMER_PROCESS)) + PSIG_CPU_TIMERS;
    const change = (expiry !== 0 ? 1 : 0) - (wasArmed ? 1 : 0);
    shared.storeOnce(cpuTimers, shared.get(cpuTimers) + change);
  } else if (expiry === 0) {
    disarmKtimer(hart, timer);
  } else if (shared.get(timer + TIMER_NOTIFY) !== SIGEV_NONE) {
    armKtimer(hart, timer, expiry);
  }
}

/** What its clock says, ns. Requires: TASKLIST_LOCK. */
export function timerClockLocked(hart: Hart, timer: number): number {
  const { shared } = hart;
  const clock = shared.get(timer + TIMER_CLOCK);
  if (clock === TIMER_MONOTONIC) return hart.clock.now();
  if (clock === TIMER_PROCESS_CPU) return processRuntimeLocked(hart, shared.get(timer + TIMER_PROCESS));
  const task = findTask(shared, shared.get(timer + TIMER_TID));
  return task === 0 ? 0 : taskRuntime(hart, task);
}

/** ns until it expires, 0 if it is not armed. Requires: TASKLIST_LOCK. (common_timer_get) */
export function timerLeftLocked(hart: Hart, timer: number): number {
  const { shared } = hart;
  const now = timerClockLocked(hart, timer);
  const interval = shared.getF64(timer + TIMER_INTERVAL);
  const isSilent = shared.get(timer + TIMER_NOTIFY) === SIGEV_NONE;
  let expiry = shared.getF64(timer + TIMER_EXPIRY);
  if (expiry === 0) return 0;
  const waits = isSilent || shared.get(timer + TIMER_PENDING) !== 0;
  if (interval !== 0 && waits && expiry <= now) expiry = forward(expiry, interval, now);
  if (expiry > now) return expiry - now;
  return isSilent || (interval === 0 && shared.get(timer + TIMER_PENDING) !== 0) ? 0 : 1;
}

/** KTIMER_POSIX. The timer may have been set anew meanwhile, or deleted. */
export function posixTimerExpired(hart: Hart, timer: number): void {
  spinLock(hart, TASKLIST_LOCK);
  const expiry = hart.shared.getF64(timer + TIMER_EXPIRY);
  if (expiry !== 0 && expiry <= hart.clock.now()) fireLocked(hart, timer);
  spinUnlock(hart, TASKLIST_LOCK);
}

/** Timers of processor time: looked at on ticks. Requires: TASKLIST_LOCK. */
export function checkCpuTimers(hart: Hart, process: number): void {
  const { shared } = hart;
  for (let timer = shared.get(psigOf(process) + PSIG_TIMERS); timer !== 0; timer = shared.get(timer + TIMER_NEXT)) {
    const expiry = shared.getF64(timer + TIMER_EXPIRY);
    if (expiry === 0 || shared.get(timer + TIMER_PENDING) !== 0) continue;
    if (shared.get(timer + TIMER_CLOCK) === TIMER_MONOTONIC || timerClockLocked(hart, timer) < expiry) continue;
    fireLocked(hart, timer);
  }
}

/** Sends the timer's signal. It runs again once that has been taken; at once if nobody wants it. */
function fireLocked(hart: Hart, timer: number): void {
  const { shared } = hart;
  const process = shared.get(timer + TIMER_PROCESS);
  const signal = shared.get(timer + TIMER_SIGNAL);
  if (shared.get(timer + TIMER_NOTIFY) === SIGEV_NONE) return;
  const info = startSiginfo(hart, signal, SI_TIMER);
  shared.set(info + SIGINFO_TIMER_ID, shared.get(timer + TIMER_ID));
  hart.core.copyBytes(info + SIGINFO_VALUE, timer + TIMER_VALUE, 8);
  shared.set(timer + TIMER_PENDING, 1);
  const isQueued =
    shared.get(timer + TIMER_NOTIFY) === SIGEV_THREAD_ID ? toThread(hart, timer) : toProcess(hart, process, signal);
  forgetSiginfo(hart);
  if (!isQueued) goOn(hart, timer);
}

function toProcess(hart: Hart, process: number, signal: number): boolean {
  return sendSignalLocked(hart, process, signal) === 1;
}

function toThread(hart: Hart, timer: number): boolean {
  const { shared } = hart;
  const task = findTask(shared, shared.get(timer + TIMER_TID));
  if (task === 0 || shared.get(task + TASK_PROCESS) !== shared.get(timer + TIMER_PROCESS)) return false;
  return sendToTaskLocked(hart, task, shared.get(timer + TIMER_SIGNAL)) === 1;
}

/** Counts what was missed and arms an interval timer for its next time. */
function goOn(hart: Hart, timer: number): void {
  const { shared } = hart;
  shared.set(timer + TIMER_PENDING, 0);
  const interval = shared.getF64(timer + TIMER_INTERVAL);
  const expiry = shared.getF64(timer + TIMER_EXPIRY);
  if (interval === 0 || expiry === 0) {
    if (expiry !== 0) run(hart, timer, 0);
    return;
  }
  const now = Math.max(timerClockLocked(hart, timer), expiry);
  const next = forward(expiry, interval, now);
  const missed = Math.round((next - expiry) / interval) - 1;
  shared.set(timer + TIMER_OVERRUN, Math.min(shared.get(timer + TIMER_OVERRUN) + missed, OVERRUN_MAX));
  run(hart, timer, next);
}

/** The current task has taken a signal of a timer (HART_SIGINFO): si_overrun, and on it goes. (posixtimer_rearm) */
export function timerSignalTaken(hart: Hart): void {
  const { shared, current } = hart;
  const info = hart.base + HART_SIGINFO;
  spinLock(hart, TASKLIST_LOCK);
  const timer = findTimerLocked(hart, shared.get(current + TASK_PROCESS), shared.get(info + SIGINFO_TIMER_ID));
  if (timer !== 0 && shared.get(timer + TIMER_PENDING) !== 0) {
    goOn(hart, timer);
    shared.set(timer + TIMER_OVERRUN_LAST, shared.get(timer + TIMER_OVERRUN));
    shared.set(timer + TIMER_OVERRUN, 0);
    shared.set(info + SIGINFO_OVERRUN, shared.get(timer + TIMER_OVERRUN_LAST));
  }
  spinUnlock(hart, TASKLIST_LOCK);
}

export function timerIntervalOf(hart: Hart, timer: number): number {
  return hart.shared.getF64(timer + TIMER_INTERVAL);
}
