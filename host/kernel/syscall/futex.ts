// futex(2): which operation, and its timeout. (Linux: kernel/futex/syscalls.c, do_futex)

import { ENOSYS } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import type { Hart } from "../../policy/hart.ts";
import { FUTEX_BITSET_MATCH_ANY, futexWait, futexWake } from "../futex/futex.ts";
import { futexLockPi, futexTrylockPi, futexUnlockPi } from "../futex/futex-pi.ts";
import { futexRequeue, NO_COMPARE } from "../futex/futex-requeue.ts";
import { futexWakeOp } from "../futex/futex-wake-op.ts";
import { argAddress, argInt } from "../registers.ts";
import { isRestart } from "../sched/wait.ts";
import { loadTimespec, realtimeOffset } from "../time/user-time.ts";
import { call, type SystemCall } from "./types.ts";

const FUTEX = 98;

export const futexCalls: readonly (readonly [number, SystemCall])[] = [
  [FUTEX, call("futex", ["pointer", "futexOp", "int", "hex", "pointer", "hex"], sysFutex)],
];

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAKE_OP = 5;
const FUTEX_LOCK_PI = 6;
const FUTEX_UNLOCK_PI = 7;
const FUTEX_TRYLOCK_PI = 8;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_PRIVATE_FLAG = 128;
const FUTEX_CLOCK_REALTIME = 256;

function sysFutex(hart: Hart): number {
  const operation = argInt(hart, 1);
  const command = operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  const isPrivate = (operation & FUTEX_PRIVATE_FLAG) !== 0;
  const isRealtime = (operation & FUTEX_CLOCK_REALTIME) !== 0;
  if (isRealtime && command !== FUTEX_WAIT_BITSET && command !== FUTEX_LOCK_PI2) return -ENOSYS;
  const va = argAddress(hart, 0);
  const value = argInt(hart, 2);
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const deadline = deadlineOf(hart, command === FUTEX_WAIT_BITSET, isRealtime);
      if (deadline < 0) return deadline;
      const bitset = command === FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : argInt(hart, 5);
      return futexWait(hart, va, isPrivate, value, deadline, bitset);
    }
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: {
      const deadline = deadlineOf(hart, true, isRealtime || command === FUTEX_LOCK_PI);
      return deadline < 0 ? deadline : futexLockPi(hart, va, isPrivate, deadline);
    }
    case FUTEX_UNLOCK_PI:
      return futexUnlockPi(hart, va, isPrivate);
    case FUTEX_TRYLOCK_PI:
      return futexTrylockPi(hart, va, isPrivate);
    case FUTEX_WAKE:
      return futexWake(hart, va, isPrivate, value, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
      return futexWake(hart, va, isPrivate, value, argInt(hart, 5));
    case FUTEX_REQUEUE:
      return futexRequeue(hart, va, argAddress(hart, 4), isPrivate, value, argInt(hart, 3), NO_COMPARE);
    case FUTEX_CMP_REQUEUE:
      return futexRequeue(hart, va, argAddress(hart, 4), isPrivate, value, argInt(hart, 3), argInt(hart, 5) >>> 0);
    case FUTEX_WAKE_OP:
      return futexWakeOp(hart, va, argAddress(hart, 4), isPrivate, value, argInt(hart, 3), argInt(hart, 5));
    default:
      return -ENOSYS;
  }
}

/** On the monotonic clock; FOREVER without a timeout. A restarted wait keeps its first deadline, so 0 will do. */
function deadlineOf(hart: Hart, isAbsolute: boolean, isRealtime: boolean): number {
  const va = argAddress(hart, 3);
  if (va === 0) return FOREVER;
  if (isRestart(hart, FUTEX)) return 0;
  const ns = loadTimespec(hart, va);
  if (ns < 0) return ns;
  if (!isAbsolute) return hart.clock.now() + ns;
  return isRealtime ? Math.max(ns - realtimeOffset(hart), 0) : ns;
}
