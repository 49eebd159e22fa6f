// FUTEX_REQUEUE and FUTEX_CMP_REQUEUE: wakes some waiters of one word and lets others wait for another one instead.
// (Linux: kernel/futex/requeue.c)

import {
  ACCESS_LOAD,
  COUNTER_FUTEX_WAKE,
  TASK_WAIT_BITSET,
  TASK_WAIT_NEXT,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { getUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { waitqMove, waitqWake } from "../sched/wait.ts";
import { futexBucket, futexKey, hasFutexKey, setFutexKey } from "./futex-key.ts";

/** `expected` of FUTEX_REQUEUE. */
export const NO_COMPARE = -1;

/** Woken plus moved, or -errno; -EAGAIN if the word at `va` does not hold `expected` (unsigned). */
export function futexRequeue(
  hart: Hart,
  va: number,
  targetVa: number,
  isPrivate: boolean,
  wakeCountMax: number,
  moveCountMax: number,
  expected: number,
): number {
  if (wakeCountMax < 0 || moveCountMax < 0) return -EINVAL;
  const error = futexKey(hart, va, isPrivate, 0) || futexKey(hart, targetVa, isPrivate, 1);
  if (error !== 0) return error;
  const source = futexBucket(hart, 0);
  const target = futexBucket(hart, 1);
  for (;;) {
    lockBuckets(hart, source, target);
    const word = expected === NO_COMPARE ? NO_COMPARE : loadWord(hart, va);
    const matches = word === expected;
    const result = matches ? requeueLocked(hart, source, target, wakeCountMax, moveCountMax) : -EAGAIN;
    unlockBuckets(hart, source, target);
    if (matches || word >= 0) return result;
    if (getUser32(hart, va) < 0) return -EFAULT;
  }
}

/** Both locks, the lower address first. */
export function lockBuckets(hart: Hart, a: number, b: number): void {
  spinLock(hart, Math.min(a, b) + WAITQ_LOCK);
  if (a !== b) spinLock(hart, Math.max(a, b) + WAITQ_LOCK);
}

export function unlockBuckets(hart: Hart, a: number, b: number): void {
  spinUnlock(hart, a + WAITQ_LOCK);
  if (a !== b) spinUnlock(hart, b + WAITQ_LOCK);
}

/** The user word, or -EFAULT: resolve it without the locks. Requires: bucket locks held, so nothing here polls. */
function loadWord(hart: Hart, va: number): number {
  const pa = hart.core.userAddress(va, ACCESS_LOAD);
  return pa === 0 ? -EFAULT : hart.shared.loadAcquire(pa) >>> 0;
}

function requeueLocked(hart: Hart, source: number, target: number, wakeCountMax: number, moveCountMax: number): number {
  const { shared } = hart;
  let woken = 0;
  let moved = 0;
  for (let task = shared.get(source + WAITQ_HEAD); task !== 0 && woken + moved < wakeCountMax + moveCountMax; ) {
    const next = shared.get(task + TASK_WAIT_NEXT);
    // Who waits for a lock with priority inheritance has no bitset, and stays where he is.
    if (hasFutexKey(hart, task, 0) && shared.get(task + TASK_WAIT_BITSET) !== 0) {
      if (woken < wakeCountMax) {
        waitqWake(hart, source, task);
        hart.count(COUNTER_FUTEX_WAKE);
        woken++;
      } else {
        if (source !== target) waitqMove(hart, source, target, task);
        setFutexKey(hart, task, 1);
        moved++;
      }
    }
    task = next;
  }
  return woken + moved;
}
