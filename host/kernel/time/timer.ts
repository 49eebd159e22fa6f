// Timers. Each run queue has a list of them ordered by expiry; a timer is on at most one, that of the hart which armed
// it. A timer is KTIMER_BYTES inside its owner's record: that of a task (its deadline), of a process (ITIMER_REAL), or
// of a timer of timer_create(2). What it does at its expiry is its kind's business (timer-expiry.ts).

import {
  COUNTER_TIMER_EXPIRED,
  KTIMER_HART,
  KTIMER_NEXT,
  KTIMER_NS,
  KTIMER_PREV,
  RQ_LOCK,
  RQ_TIMER_FIRST_NS,
  RQ_TIMER_HEAD,
  TASK_TIMER,
} from "../../../assembly/layout.ts";
import { rqOf } from "../../memory/hart-local.ts";
import { FOREVER } from "../../memory/park.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { timerExpired } from "./timer-expiry.ts";

/** Arms (or moves) the current task's timer to `deadlineNs` on the monotonic clock. Takes this hart's rq lock. */
export function armTimer(hart: Hart, deadlineNs: number): void {
  armKtimer(hart, hart.current + TASK_TIMER, deadlineNs);
}

/** Takes the timer of `task` off whatever list it is on. Takes that run queue's lock. */
export function disarmTimer(hart: Hart, task: number): void {
  disarmKtimer(hart, task + TASK_TIMER);
}

/** Arms (or moves) a timer. Only one hart at a time may do this: the owner has a lock for it. */
export function armKtimer(hart: Hart, timer: number, deadlineNs: number): void {
  const { shared, rq } = hart;
  disarmKtimer(hart, timer);
  spinLock(hart, rq + RQ_LOCK);
  shared.setF64(timer + KTIMER_NS, deadlineNs);
  let previous = 0;
  let next = shared.get(rq + RQ_TIMER_HEAD);
  while (next !== 0 && shared.getF64(next + KTIMER_NS) <= deadlineNs) {
    previous = next;
    next = shared.get(next + KTIMER_NEXT);
  }
  shared.set(timer + KTIMER_PREV, previous);
  shared.set(timer + KTIMER_NEXT, next);
  if (next !== 0) shared.set(next + KTIMER_PREV, timer);
  if (previous === 0) setHead(hart, rq, timer);
  else shared.set(previous + KTIMER_NEXT, timer);
  shared.storeOnce(timer + KTIMER_HART, hart.id + 1);
  spinUnlock(hart, rq + RQ_LOCK);
}

export function disarmKtimer(hart: Hart, timer: number): void {
  const { shared } = hart;
  const owner = shared.loadOnce(timer + KTIMER_HART);
  if (owner === 0) return;
  const rq = rqOf(owner - 1);
  spinLock(hart, rq + RQ_LOCK);
  if (shared.get(timer + KTIMER_HART) === owner) unlink(hart, rq, timer);
  spinUnlock(hart, rq + RQ_LOCK);
}

/** Lets every timer of this hart's list act whose time has come. No lock held. */
export function expireTimers(hart: Hart): void {
  const { shared, rq } = hart;
  if (shared.get(rq + RQ_TIMER_HEAD) === 0) return;
  const now = hart.clock.now();
  while (shared.getF64(rq + RQ_TIMER_FIRST_NS) <= now && shared.get(rq + RQ_TIMER_HEAD) !== 0) {
    spinLock(hart, rq + RQ_LOCK);
    const timer = shared.get(rq + RQ_TIMER_HEAD);
    const due = timer !== 0 && shared.getF64(timer + KTIMER_NS) <= now;
    if (!due) {
      spinUnlock(hart, rq + RQ_LOCK);
      return;
    }
    // Off the list, its owner may end: the record must stay until the timer has acted.
    rcuReadLock(hart);
    unlink(hart, rq, timer);
    spinUnlock(hart, rq + RQ_LOCK);
    hart.count(COUNTER_TIMER_EXPIRED);
    timerExpired(hart, timer);
    rcuReadUnlock(hart);
  }
}

/** When this hart must look at its list again: ns, or FOREVER. */
export function nextTimer(hart: Hart): number {
  return hart.shared.get(hart.rq + RQ_TIMER_HEAD) === 0 ? FOREVER : hart.shared.getF64(hart.rq + RQ_TIMER_FIRST_NS);
}

/** Requires: the lock of `rq`. */
function unlink(hart: Hart, rq: number, timer: number): void {
  const { shared } = hart;
  const next = shared.get(timer + KTIMER_NEXT);
  const previous = shared.get(timer + KTIMER_PREV);
  if (next !== 0) shared.set(next + KTIMER_PREV, previous);
  if (previous === 0) setHead(hart, rq, next);
  else shared.set(previous + KTIMER_NEXT, next);
  shared.storeOnce(timer + KTIMER_HART, 0);
}

function setHead(hart: Hart, rq: number, timer: number): void {
  const { shared } = hart;
  shared.set(rq + RQ_TIMER_HEAD, timer);
  shared.setF64(rq + RQ_TIMER_FIRST_NS, timer === 0 ? FOREVER : shared.getF64(timer + KTIMER_NS));
}
