// Locks that the kernel hands over: FUTEX_LOCK_PI and its kin. The word holds the owner's number, and a bit once
// somebody waits, so that the owner comes to the kernel to unlock. Who waited longest is the next owner: there are no
// priorities that it could inherit, which is all the difference. (Linux: kernel/futex/pi.c)
//
// A waiter stands in the word's bucket with an empty bitset: no FUTEX_WAKE finds it. The word changes hands under the
// bucket's lock.

import {
  ACCESS_STORE,
  COUNTER_FUTEX_WAIT,
  COUNTER_FUTEX_WAKE,
  TASK_PID,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  TASK_WAIT_BITSET,
  TASK_WAIT_NEXT,
  WAIT_WOKEN,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EDEADLK, EFAULT, EPERM, ERESTARTNOINTR, ESRCH, ETIMEDOUT } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { cmpxchgUser32, getUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { findTask } from "../process/task.ts";
import { finishWait, isRestart, WAIT, waitqAdd, waitqWake } from "../sched/wait.ts";
import { armTimer } from "../time/timer.ts";
import { futexBucket, futexKey, hasFutexKey, setFutexKey } from "./futex-key.ts";

export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;

const RESTART_DEADLINE = TASK_RESTART;
/** TASK_WAIT_BITSET of who waits for a lock. */
const WAITS_FOR_LOCK = 0;
/** The word has an owner: what a try ends with, and what a wait begins with. */
const IS_OWNED = 1;

/** Takes the lock, or waits for it until `deadlineNs` (monotonic clock). 0, -errno, -ERESTARTNOINTR or WAIT. */
export function futexLockPi(hart: Hart, va: number, isPrivate: boolean, deadlineNs: number): number {
  const { shared, current } = hart;
  const call = shared.get(current + TASK_SYSCALL);
  let deadline = deadlineNs;
  if (isRestart(hart, call)) {
    deadline = shared.getF64(current + RESTART_DEADLINE);
    // Whoever was handed the lock has it, whatever else has happened meanwhile.
    if (finishWait(hart) === WAIT_WOKEN) return 0;
    if (deadline !== FOREVER && hart.clock.now() >= deadline) return -ETIMEDOUT;
    if (signalPending(hart)) return -ERESTARTNOINTR;
  }
  const error = futexKey(hart, va, isPrivate, 0);
  if (error !== 0) return error;
  const result = changeWord(hart, va, (bucket, pa) => {
    const taken = tryLocked(hart, bucket, pa);
    if (taken !== IS_OWNED) return taken;
    setFutexKey(hart, current, 0);
    shared.set(current + TASK_WAIT_BITSET, WAITS_FOR_LOCK);
    shared.set(current + TASK_RESTART_CALL, call);
    shared.setF64(current + RESTART_DEADLINE, deadline);
    waitqAdd(hart, bucket);
    return WAIT;
  });
  if (result !== WAIT) return result;
  hart.count(COUNTER_FUTEX_WAIT);
  if (deadline !== FOREVER) armTimer(hart, deadline);
  return WAIT;
}

/** Takes the lock if nobody has it: 0, -EAGAIN or another -errno. */
export function futexTrylockPi(hart: Hart, va: number, isPrivate: boolean): number {
  const error = futexKey(hart, va, isPrivate, 0);
  if (error !== 0) return error;
  return changeWord(hart, va, (bucket, pa) => {
    const taken = tryLocked(hart, bucket, pa);
    return taken === IS_OWNED ? -EAGAIN : taken;
  });
}

/** Hands the lock to who waits longest, or frees it. 0, -EPERM if it is not the caller's, or another -errno. */
export function futexUnlockPi(hart: Hart, va: number, isPrivate: boolean): number {
  const tid = hart.shared.get(hart.current + TASK_PID);
  const word = getUser32(hart, va);
  if (word < 0) return -EFAULT;
  if ((word & FUTEX_TID_MASK) !== tid) return -EPERM;
  const error = futexKey(hart, va, isPrivate, 0);
  if (error !== 0) return error;
  return changeWord(hart, va, (bucket, pa) => {
    for (;;) {
      const seen = hart.shared.loadAcquire(pa);
      if ((seen & FUTEX_TID_MASK) !== tid) return -EPERM;
      if (passOnLocked(hart, bucket, pa, seen, 0)) return 0;
    }
  });
}

/**
 * The owner ends with the lock in its hands: the next one has it, and is told so by FUTEX_OWNER_DIED. Waiters of both
 * kinds of key are looked for, since a list of robust locks does not tell which it is. (exit_pi_state_list)
 */
export function passOnDead(hart: Hart, va: number): void {
  const tid = hart.shared.get(hart.current + TASK_PID);
  for (const isPrivate of [true, false]) {
    if (futexKey(hart, va, isPrivate, 0) !== 0) return;
    const done = changeWord(hart, va, (bucket, pa) => {
      for (;;) {
        const seen = hart.shared.loadAcquire(pa);
        if ((seen & FUTEX_TID_MASK) !== tid) return 1;
        if (isPrivate && waiterFrom(hart, hart.shared.get(bucket + WAITQ_HEAD)) === 0) return 0;
        if (passOnLocked(hart, bucket, pa, seen, FUTEX_OWNER_DIED)) return 1;
      }
    });
    if (done !== 0) return;
  }
}

/** `change` under the lock of key 0's bucket, with the word at `va` translated for a store: its result, or -EFAULT. */
function changeWord(hart: Hart, va: number, change: (bucket: number, pa: number) => number): number {
  const bucket = futexBucket(hart, 0);
  for (;;) {
    spinLock(hart, bucket + WAITQ_LOCK);
    // No poll between the translation and the last use of it.
    const pa = hart.core.userAddress(va, ACCESS_STORE);
    const result = pa === 0 ? 0 : change(bucket, pa);
    spinUnlock(hart, bucket + WAITQ_LOCK);
    if (pa !== 0) return result;
    // Make the page writable: exchange the word with itself.
    const word = getUser32(hart, va);
    if (word < 0 || cmpxchgUser32(hart, va, word, word) < 0) return -EFAULT;
  }
}

/** 0 once the word is the caller's, IS_OWNED with FUTEX_WAITERS set in it, or -errno. Requires: the bucket's lock. */
function tryLocked(hart: Hart, bucket: number, pa: number): number {
  const { shared, current } = hart;
  const tid = shared.get(current + TASK_PID);
  for (;;) {
    const word = shared.loadAcquire(pa);
    const owner = word & FUTEX_TID_MASK;
    if (owner === tid) return -EDEADLK;
    if (owner === 0) {
      const waiters = waiterFrom(hart, hart.shared.get(bucket + WAITQ_HEAD)) === 0 ? 0 : FUTEX_WAITERS;
      const mine = tid | (word & FUTEX_OWNER_DIED) | waiters;
      if (shared.compareExchange(pa, word, mine) === word) return 0;
    } else if ((word & FUTEX_WAITERS) !== 0 || shared.compareExchange(pa, word, word | FUTEX_WAITERS) === word) {
      return findTask(shared, owner) === 0 ? -ESRCH : IS_OWNED;
    }
  }
}

/** The word, `seen`, goes to the first waiter, or is free; false: it is another by now. Requires: the bucket's lock. */
function passOnLocked(hart: Hart, bucket: number, pa: number, seen: number, died: number): boolean {
  const { shared } = hart;
  const next = waiterFrom(hart, shared.get(bucket + WAITQ_HEAD));
  const others = next === 0 ? 0 : waiterFrom(hart, shared.get(next + TASK_WAIT_NEXT));
  const word = (next === 0 ? 0 : shared.get(next + TASK_PID)) | (others === 0 ? 0 : FUTEX_WAITERS) | died;
  if (shared.compareExchange(pa, seen, word) !== seen) return false;
  if (next === 0) return true;
  waitqWake(hart, bucket, next);
  hart.count(COUNTER_FUTEX_WAKE);
  return true;
}

/** The first task that waits for the lock of key 0, from `task` of its bucket on. Requires: the bucket's lock. */
function waiterFrom(hart: Hart, task: number): number {
  const { shared } = hart;
  let waiter = task;
  while (waiter !== 0 && !(hasFutexKey(hart, waiter, 0) && shared.get(waiter + TASK_WAIT_BITSET) === WAITS_FOR_LOCK)) {
    waiter = shared.get(waiter + TASK_WAIT_NEXT);
  }
  return waiter;
}
