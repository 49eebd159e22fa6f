// Deadlines of tasks. Each run queue has a list of tasks ordered by expiry; a task is on at most one, that of the hart
// which armed it. Expiry only makes the task runnable: the restarted call sees that its deadline has passed.

import {
  COUNTER_TIMER_EXPIRED,
  RQ_LOCK,
  RQ_TIMER_FIRST_NS,
  RQ_TIMER_HEAD,
  TASK_TIMER_HART,
  TASK_TIMER_NEXT,
  TASK_TIMER_NS,
  TASK_TIMER_PREV,
} from "../../assembly/layout.ts";
import { rqOf } from "../memory/hart-local.ts";
import { FOREVER } from "../memory/park.ts";
import { rcuReadLock, rcuReadUnlock } from "../memory/rcu.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import type { Hart } from "../policy/hart.ts";
import { wakeTask } from "./wake.ts";

/** Arms (or moves) the current task's timer to `deadlineNs` on the monotonic clock. Takes this hart's rq lock. */
export function armTimer(hart: Hart, deadlineNs: number): void {
  const { shared, current, rq } = hart;
  if (shared.get(current + TASK_TIMER_HART) !== 0) disarmTimer(hart, current);
  spinLock(hart, rq + RQ_LOCK);
  shared.setF64(current + TASK_TIMER_NS, deadlineNs);
  let previous = 0;
  let next = shared.get(rq + RQ_TIMER_HEAD);
  while (next !== 0 && shared.getF64(next + TASK_TIMER_NS) <= deadlineNs) {
    previous = next;
    next = shared.get(next + TASK_TIMER_NEXT);
  }
  shared.set(current + TASK_TIMER_PREV, previous);
  shared.set(current + TASK_TIMER_NEXT, next);
  if (next !== 0) shared.set(next + TASK_TIMER_PREV, current);
  if (previous === 0) setHead(hart, rq, current);
  else shared.set(previous + TASK_TIMER_NEXT, current);
  shared.storeOnce(current + TASK_TIMER_HART, hart.id + 1);
  spinUnlock(hart, rq + RQ_LOCK);
}

/** Takes `task` off whatever timer list it is on. Takes that run queue's lock. */
export function disarmTimer(hart: Hart, task: number): void {
  const { shared } = hart;
  const owner = shared.loadOnce(task + TASK_TIMER_HART);
  if (owner === 0) return;
  const rq = rqOf(owner - 1);
  spinLock(hart, rq + RQ_LOCK);
  if (shared.get(task + TASK_TIMER_HART) === owner) unlink(hart, rq, task);
  spinUnlock(hart, rq + RQ_LOCK);
}

/** Wakes every task whose deadline has passed on this hart's list. */
export function expireTimers(hart: Hart): void {
  const { shared, rq } = hart;
  if (shared.get(rq + RQ_TIMER_HEAD) === 0) return;
  const now = hart.clock.now();
  while (shared.getF64(rq + RQ_TIMER_FIRST_NS) <= now && shared.get(rq + RQ_TIMER_HEAD) !== 0) {
    spinLock(hart, rq + RQ_LOCK);
    const task = shared.get(rq + RQ_TIMER_HEAD);
    const due = task !== 0 && shared.getF64(task + TASK_TIMER_NS) <= now;
    if (!due) {
      spinUnlock(hart, rq + RQ_LOCK);
      return;
    }
    // Off the list, the task may be woken by others and end: its record must stay until wakeTask is done with it.
    rcuReadLock(hart);
    unlink(hart, rq, task);
    spinUnlock(hart, rq + RQ_LOCK);
    hart.count(COUNTER_TIMER_EXPIRED);
    wakeTask(hart, task);
    rcuReadUnlock(hart);
  }
}

/** When this hart must look at its list again: ns, or FOREVER. */
export function nextTimer(hart: Hart): number {
  return hart.shared.get(hart.rq + RQ_TIMER_HEAD) === 0 ? FOREVER : hart.shared.getF64(hart.rq + RQ_TIMER_FIRST_NS);
}

/** Requires: the lock of `rq`. */
function unlink(hart: Hart, rq: number, task: number): void {
  const { shared } = hart;
  const next = shared.get(task + TASK_TIMER_NEXT);
  const previous = shared.get(task + TASK_TIMER_PREV);
  if (next !== 0) shared.set(next + TASK_TIMER_PREV, previous);
  if (previous === 0) setHead(hart, rq, next);
  else shared.set(previous + TASK_TIMER_NEXT, next);
  shared.storeOnce(task + TASK_TIMER_HART, 0);
}

function setHead(hart: Hart, rq: number, task: number): void {
  const { shared } = hart;
  shared.set(rq + RQ_TIMER_HEAD, task);
  shared.setF64(rq + RQ_TIMER_FIRST_NS, task === 0 ? FOREVER : shared.getF64(task + TASK_TIMER_NS));
}
