// Timers of a process: setitimer(2), timer_create(2) and their kind.

import {
  HART_KERNEL_SCRATCH,
  TASK_PID,
  TASK_PROCESS,
  TIMER_CLOCK,
  TIMER_ID,
  TIMER_IS_REALTIME,
  TIMER_NOTIFY,
  TIMER_OVERRUN_LAST,
  TIMER_SIGNAL,
  TIMER_TID,
  TIMER_VALUE,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, EOPNOTSUPP } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";
import { argAddress, argInt } from "../registers.ts";
import { SIGALRM, SIGNAL_COUNT } from "../signal/signal-numbers.ts";
import { isOwnCpuClock } from "../time/cpu-clock.ts";
import { ITIMER_PROF, itimerInterval, itimerLeftLocked, setItimerLocked } from "../time/itimer.ts";
import {
  allocTimerLocked,
  findTimerLocked,
  freeTimerLocked,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD_ID,
  setTimerLocked,
  TIMER_MONOTONIC,
  TIMER_PROCESS_CPU,
  TIMER_THREAD_CPU,
  timerClockLocked,
  timerIntervalOf,
  timerLeftLocked,
} from "../time/posix-timer.ts";
import { realtimeOffset } from "../time/user-time.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  TIMER_ABSTIME,
} from "../uapi.ts";
import { PAIR_BYTES, storeTimerPair, timeAt } from "./timer-pair.ts";
import { call, type SystemCall } from "./types.ts";

export const timerCalls: readonly (readonly [number, SystemCall])[] = [
  [102, call("getitimer", ["int", "pointer"], sysGetitimer)],
  [103, call("setitimer", ["int", "pointer", "pointer"], sysSetitimer)],
  [107, call("timer_create", ["clock", "pointer", "pointer"], sysTimerCreate)],
  [108, call("timer_gettime", ["int", "pointer"], sysTimerGettime)],
  [109, call("timer_getoverrun", ["int"], sysTimerGetoverrun)],
  [110, call("timer_settime", ["int", "int", "pointer", "pointer"], sysTimerSettime)],
  [111, call("timer_delete", ["int"], sysTimerDelete)],
];

const NS_PER_US = 1000;
const SIGEVENT_BYTES = 24; // what is looked at: value u64, signal int, notify int, thread int

function processOf(hart: Hart): number {
  return hart.shared.get(hart.current + TASK_PROCESS);
}

function sysGetitimer(hart: Hart): number {
  const which = argInt(hart, 0);
  if (which < 0 || which > ITIMER_PROF) return -EINVAL;
  spinLock(hart, TASKLIST_LOCK);
  const left = itimerLeftLocked(hart, processOf(hart), which);
  const interval = itimerInterval(hart, processOf(hart), which);
  spinUnlock(hart, TASKLIST_LOCK);
  return storeTimerPair(hart, argAddress(hart, 1), interval, left, NS_PER_US);
}

function sysSetitimer(hart: Hart): number {
  const which = argInt(hart, 0);
  const [newVa, oldVa] = [argAddress(hart, 1), argAddress(hart, 2)];
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  // Linux takes a null pointer for a timer of zero, for the sake of old programs.
  if (newVa === 0) hart.core.zeroBytes(scratch, PAIR_BYTES);
  else if (copyFromUser(hart, scratch, newVa, PAIR_BYTES) < 0) return -EFAULT;
  const interval = timeAt(hart, scratch, NS_PER_US);
  const value = timeAt(hart, scratch + 16, NS_PER_US);
  if (interval < 0 || value < 0 || which < 0 || which > ITIMER_PROF) return -EINVAL;
  const process = processOf(hart);
  prepareResult(hart, oldVa, PAIR_BYTES);
  spinLock(hart, TASKLIST_LOCK);
  const oldLeft = itimerLeftLocked(hart, process, which);
  const oldInterval = itimerInterval(hart, process, which);
  setItimerLocked(hart, process, which, value, interval);
  spinUnlock(hart, TASKLIST_LOCK);
  return oldVa === 0 ? 0 : storeTimerPair(hart, oldVa, oldInterval, oldLeft, NS_PER_US);
}

function sysTimerCreate(hart: Hart): number {
  const { shared } = hart;
  const clock = clockOf(hart, argInt(hart, 0));
  if (clock < 0) return clock;
  const [eventVa, idVa] = [argAddress(hart, 1), argAddress(hart, 2)];
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  hart.core.zeroBytes(scratch, SIGEVENT_BYTES);
  shared.set(scratch + 8, SIGALRM);
  if (eventVa !== 0 && copyFromUser(hart, scratch, eventVa, SIGEVENT_BYTES) < 0) return -EFAULT;
  prepareResult(hart, idVa, 4);
  const [signal, notify, tid] = [shared.get(scratch + 8), shared.get(scratch + 12), shared.get(scratch + 16)];
  spinLock(hart, TASKLIST_LOCK);
  const error = checkEvent(hart, signal, notify, tid);
  const timer = error === 0 ? allocTimerLocked(hart, processOf(hart)) : 0;
  let id = error === 0 ? -EAGAIN : error;
  if (timer !== 0) {
    id = shared.get(timer + TIMER_ID);
    hart.core.copyBytes(timer + TIMER_VALUE, scratch, 8);
    if (eventVa === 0) shared.set(timer + TIMER_VALUE, id);
    shared.set(timer + TIMER_SIGNAL, signal);
    shared.set(timer + TIMER_NOTIFY, notify);
    shared.set(timer + TIMER_CLOCK, clock);
    shared.set(timer + TIMER_IS_REALTIME, isRealtime(argInt(hart, 0)) ? 1 : 0);
    const own = clock === TIMER_THREAD_CPU && notify !== SIGEV_THREAD_ID;
    shared.set(timer + TIMER_TID, own ? shared.get(hart.current + TASK_PID) : tid);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  if (timer === 0) return id;
  shared.set(scratch, id);
  return copyToUser(hart, idVa, scratch, 4); // a bad address leaves a timer that nobody knows, until the process ends
}

/** good_sigevent. Requires: TASKLIST_LOCK. */
function checkEvent(hart: Hart, signal: number, notify: number, tid: number): number {
  if (notify !== SIGEV_SIGNAL && notify !== SIGEV_NONE && notify !== SIGEV_THREAD_ID) return -EINVAL;
  if (notify === SIGEV_NONE) return 0;
  if (signal < 1 || signal > SIGNAL_COUNT) return -EINVAL;
  if (notify !== SIGEV_THREAD_ID) return 0;
  const task = findTask(hart.shared, tid);
  return task !== 0 && hart.shared.get(task + TASK_PROCESS) === processOf(hart) ? 0 : -EINVAL;
}

/** TIMER_CLOCK, or -errno. */
function clockOf(hart: Hart, clock: number): number {
  if (isOwnCpuClock(hart, clock, false)) return TIMER_PROCESS_CPU;
  if (isOwnCpuClock(hart, clock, true)) return TIMER_THREAD_CPU;
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
      return TIMER_MONOTONIC;
    case CLOCK_PROCESS_CPUTIME_ID:
      return TIMER_PROCESS_CPU;
    case CLOCK_THREAD_CPUTIME_ID:
      return TIMER_THREAD_CPU;
    default:
      // Clocks that can be read but have no timers.
      return clock >= 0 && clock <= CLOCK_TAI ? -EOPNOTSUPP : -EINVAL;
  }
}

function isRealtime(clock: number): boolean {
  return clock === CLOCK_REALTIME || clock === CLOCK_TAI;
}

function sysTimerGettime(hart: Hart): number {
  spinLock(hart, TASKLIST_LOCK);
  const timer = findTimerLocked(hart, processOf(hart), argInt(hart, 0));
  const left = timer === 0 ? 0 : timerLeftLocked(hart, timer);
  const interval = timer === 0 ? 0 : timerIntervalOf(hart, timer);
  spinUnlock(hart, TASKLIST_LOCK);
  return timer === 0 ? -EINVAL : storeTimerPair(hart, argAddress(hart, 1), interval, left, 1);
}

function sysTimerGetoverrun(hart: Hart): number {
  spinLock(hart, TASKLIST_LOCK);
  const timer = findTimerLocked(hart, processOf(hart), argInt(hart, 0));
  const overrun = timer === 0 ? -EINVAL : hart.shared.get(timer + TIMER_OVERRUN_LAST);
  spinUnlock(hart, TASKLIST_LOCK);
  return overrun;
}

function sysTimerSettime(hart: Hart): number {
  const isAbsolute = (argInt(hart, 1) & TIMER_ABSTIME) !== 0;
  const [newVa, oldVa] = [argAddress(hart, 2), argAddress(hart, 3)];
  if (newVa === 0) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, newVa, PAIR_BYTES) < 0) return -EFAULT;
  const [interval, value] = [timeAt(hart, scratch, 1), timeAt(hart, scratch + 16, 1)];
  if (interval < 0 || value < 0) return -EINVAL;
  prepareResult(hart, oldVa, PAIR_BYTES);
  spinLock(hart, TASKLIST_LOCK);
  const timer = findTimerLocked(hart, processOf(hart), argInt(hart, 0));
  let [oldLeft, oldInterval] = [0, 0];
  if (timer !== 0) {
    oldLeft = timerLeftLocked(hart, timer);
    oldInterval = timerIntervalOf(hart, timer);
    const now = timerClockLocked(hart, timer);
    const offset = hart.shared.get(timer + TIMER_IS_REALTIME) !== 0 ? realtimeOffset(hart) : 0;
    // An absolute time in the past expires at once.
    const expiry = value === 0 ? 0 : isAbsolute ? Math.max(value - offset, 1) : now + value;
    setTimerLocked(hart, timer, expiry, interval);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  if (timer === 0) return -EINVAL;
  return oldVa === 0 ? 0 : storeTimerPair(hart, oldVa, oldInterval, oldLeft, 1);
}

function sysTimerDelete(hart: Hart): number {
  spinLock(hart, TASKLIST_LOCK);
  const timer = findTimerLocked(hart, processOf(hart), argInt(hart, 0));
  if (timer !== 0) freeTimerLocked(hart, timer);
  spinUnlock(hart, TASKLIST_LOCK);
  return timer === 0 ? -EINVAL : 0;
}
