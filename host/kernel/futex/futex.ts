// futex(2): tasks that wait for a word of user memory to change. Buckets are WAITQs; the word is compared under the
// bucket's lock, and a waker changes the word before it takes that lock, so no wake-up falls between compare and sleep.
// Lock order: a bucket, then a second one at a higher address, then a run queue. (Linux: kernel/futex/waitwake.c)

import {
  ACCESS_LOAD,
  COUNTER_FUTEX_WAIT,
  COUNTER_FUTEX_WAKE,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  TASK_WAIT_BITSET,
  TASK_WAIT_NEXT,
  WAIT_WOKEN,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ERESTARTSYS, ETIMEDOUT } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { getUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, isRestart, WAIT, waitqAdd, waitqWake } from "../sched/wait.ts";
import { interruptUntil } from "../signal/restart.ts";
import { armTimer } from "../time/timer.ts";
import { futexBucket, futexKey, hasFutexKey, setFutexKey } from "./futex-key.ts";

/** FUTEX_BITSET_MATCH_ANY as a signed word. */
export const FUTEX_BITSET_MATCH_ANY = -1;

const RESTART_DEADLINE = TASK_RESTART;

/**
 * Waits until a wake that has a bit of `bitset`, if the word still holds `expected`. `deadlineNs` is on the monotonic
 * clock; a restarted call uses the one it began with. 0, -EAGAIN, -ETIMEDOUT, -ERESTART*, -EFAULT, -EINVAL or WAIT.
 */
export function futexWait(
  hart: Hart,
  va: number,
  isPrivate: boolean,
  expected: number,
  deadlineNs: number,
  bitset: number,
): number {
  const { shared, current } = hart;
  if (bitset === 0) return -EINVAL;
  const call = shared.get(current + TASK_SYSCALL);
  let deadline = deadlineNs;
  if (isRestart(hart, call)) {
    deadline = shared.getF64(current + RESTART_DEADLINE);
    if (finishWait(hart) === WAIT_WOKEN) return 0;
    if (deadline !== FOREVER && hart.clock.now() >= deadline) return -ETIMEDOUT;
    if (signalPending(hart)) return deadline === FOREVER ? -ERESTARTSYS : interruptUntil(hart, call, deadline);
    // Woken for nothing: wait again, if the word has not changed.
  }
  const error = futexKey(hart, va, isPrivate, 0);
  if (error !== 0) return error;
  const bucket = futexBucket(hart, 0);
  for (;;) {
    spinLock(hart, bucket + WAITQ_LOCK);
    // No poll between the translation and the load.
    const pa = hart.core.userAddress(va, ACCESS_LOAD);
    if (pa !== 0) {
      if (shared.loadAcquire(pa) !== expected) {
        spinUnlock(hart, bucket + WAITQ_LOCK);
        return -EAGAIN;
      }
      break;
    }
    spinUnlock(hart, bucket + WAITQ_LOCK);
    if (getUser32(hart, va) < 0) return -EFAULT;
  }
  setFutexKey(hart, current, 0);
  shared.set(current + TASK_WAIT_BITSET, bitset);
  shared.set(current + TASK_RESTART_CALL, call);
  shared.setF64(current + RESTART_DEADLINE, deadline);
  waitqAdd(hart, bucket);
  spinUnlock(hart, bucket + WAITQ_LOCK);
  hart.count(COUNTER_FUTEX_WAIT);
  if (deadline !== FOREVER) armTimer(hart, deadline);
  return WAIT;
}

/** Wakes up to `countMax` waiters (at least one, as Linux) with a bit of `bitset`; returns how many, or -errno. */
export function futexWake(hart: Hart, va: number, isPrivate: boolean, countMax: number, bitset: number): number {
  if (bitset === 0) return -EINVAL;
  const error = futexKey(hart, va, isPrivate, 0);
  if (error !== 0) return error;
  const bucket = futexBucket(hart, 0);
  spinLock(hart, bucket + WAITQ_LOCK);
  const woken = wakeMatchingLocked(hart, bucket, 0, countMax, bitset);
  spinUnlock(hart, bucket + WAITQ_LOCK);
  return woken;
}

/** Wakes waiters of key `which`, first come first served. Requires: the bucket's lock. */
export function wakeMatchingLocked(
  hart: Hart,
  bucket: number,
  which: number,
  countMax: number,
  bitset: number,
): number {
  const { shared } = hart;
  let woken = 0;
  for (let task = shared.get(bucket + WAITQ_HEAD); task !== 0; ) {
    const next = shared.get(task + TASK_WAIT_NEXT);
    if (hasFutexKey(hart, task, which) && (shared.get(task + TASK_WAIT_BITSET) & bitset) !== 0) {
      waitqWake(hart, bucket, task);
      hart.count(COUNTER_FUTEX_WAKE);
      if (++woken >= countMax) break;
    }
    task = next;
  }
  return woken;
}
