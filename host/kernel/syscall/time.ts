// Clocks and sleeping. Every clock is either the monotonic one, that plus the wall clock's offset, or processor time.

import { TASK_RESTART, TASK_RESTART_CALL, TASK_SYSCALL } from "../../../assembly/layout.ts";
import { EINVAL, EOPNOTSUPP, ERESTARTNOHAND } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { clearUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { processRuntime } from "../process/runtime.ts";
import { argAddress, argInt } from "../registers.ts";
import { runtimeOfCurrent } from "../sched/sched.ts";
import { finishWait, isRestart, sleepOnTimer, WAIT } from "../sched/wait.ts";
import { interruptUntil } from "../signal/restart.ts";
import { readCpuClock } from "../time/cpu-clock.ts";
import { armTimer } from "../time/timer.ts";
import { loadTimespec, realtimeOffset, storeTimespec, storeTimeval } from "../time/user-time.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_REALTIME_COARSE,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  TIMER_ABSTIME,
} from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const timeCalls: readonly (readonly [number, SystemCall])[] = [
  [101, call("nanosleep", ["timespec", "pointer"], sysNanosleep)],
  [113, call("clock_gettime", ["clock", "pointer"], sysClockGettime)],
  [114, call("clock_getres", ["clock", "pointer"], sysClockGetres)],
  [115, call("clock_nanosleep", ["clock", "int", "timespec", "pointer"], sysClockNanosleep)],
  [169, call("gettimeofday", ["pointer", "pointer"], sysGettimeofday)],
];

const RESTART_DEADLINE = TASK_RESTART;

/** ns, or -1 if there is no such clock. */
function readClock(hart: Hart, clock: number): number {
  switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return hart.clock.now();
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return hart.clock.now() + realtimeOffset(hart);
    case CLOCK_PROCESS_CPUTIME_ID:
      return processRuntime(hart);
    case CLOCK_THREAD_CPUTIME_ID:
      return runtimeOfCurrent(hart);
    default:
      return clock < 0 ? readCpuClock(hart, clock) : -1;
  }
}

function sysClockGettime(hart: Hart): number {
  const ns = readClock(hart, argInt(hart, 0));
  return ns < 0 ? -EINVAL : storeTimespec(hart, argAddress(hart, 1), ns);
}

function sysClockGetres(hart: Hart): number {
  if (readClock(hart, argInt(hart, 0)) < 0) return -EINVAL;
  const va = argAddress(hart, 1);
  return va === 0 ? 0 : storeTimespec(hart, va, 1);
}

function sysGettimeofday(hart: Hart): number {
  const va = argAddress(hart, 0);
  // The time zone (second argument) is Greenwich: all zeroes, as Linux has it when nobody set it.
  const error = va === 0 ? 0 : storeTimeval(hart, va, hart.clock.now() + realtimeOffset(hart));
  if (error !== 0 || argAddress(hart, 1) === 0) return error;
  return clearUser(hart, argAddress(hart, 1), 8);
}

function sysNanosleep(hart: Hart): number {
  return sleep(hart, argAddress(hart, 0), argAddress(hart, 1), CLOCK_MONOTONIC, false);
}

function sysClockNanosleep(hart: Hart): number {
  const clock = argInt(hart, 0);
  if (readClock(hart, clock) < 0) return -EINVAL;
  // EINVAL for a thread's own time is the C library's answer, not the kernel's.
  if (clock === CLOCK_THREAD_CPUTIME_ID) return -EOPNOTSUPP;
  if (clock === CLOCK_MONOTONIC_RAW || clock === CLOCK_MONOTONIC_COARSE || clock === CLOCK_REALTIME_COARSE)
    return -EOPNOTSUPP;
  // No clock of the host goes on while the machine does not.
  if (clock === CLOCK_REALTIME_ALARM || clock === CLOCK_BOOTTIME_ALARM) return -EOPNOTSUPP;
  // Sleeping until a process has used so much processor time needs a timer per process.
  if (clock === CLOCK_PROCESS_CPUTIME_ID || clock < 0) return -EOPNOTSUPP;
  const isAbsolute = (argInt(hart, 1) & TIMER_ABSTIME) !== 0;
  return sleep(hart, argAddress(hart, 2), argAddress(hart, 3), clock, isAbsolute);
}

function sleep(hart: Hart, request: number, remainder: number, clock: number, isAbsolute: boolean): number {
  const { shared, current } = hart;
  const call = shared.get(current + TASK_SYSCALL);
  let deadline: number;
  if (isRestart(hart, call)) {
    finishWait(hart);
    deadline = shared.getF64(current + RESTART_DEADLINE);
  } else {
    const ns = loadTimespec(hart, request);
    if (ns < 0) return ns;
    deadline = isAbsolute ? ns - (readClock(hart, clock) - hart.clock.now()) : hart.clock.now() + ns;
  }
  const left = deadline - hart.clock.now();
  if (left <= 0) return 0;
  if (signalPending(hart)) {
    if (isAbsolute) return -ERESTARTNOHAND;
    const error = remainder === 0 ? 0 : storeTimespec(hart, remainder, left);
    return error !== 0 ? error : interruptUntil(hart, call, deadline);
  }
  shared.set(current + TASK_RESTART_CALL, call);
  shared.setF64(current + RESTART_DEADLINE, deadline);
  sleepOnTimer(hart);
  armTimer(hart, deadline);
  return WAIT;
}
