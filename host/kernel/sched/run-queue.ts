// A run queue: the runnable tasks of one hart that are not current, first in first out (but for kswapd). Its lock
// guards the list and which queue a task belongs to (TASK_HART); two such locks are never held at once.

import {
  PF_KSWAPD,
  RQ_COUNT,
  RQ_HEAD,
  RQ_LOCK,
  RQ_TAIL,
  TASK_CPUS_ALLOWED,
  TASK_FLAGS,
  TASK_HART,
  TASK_ON_RQ,
  TASK_RQ_NEXT,
  TASK_RQ_PREV,
} from "../../../assembly/layout.ts";
import { rqOf } from "../../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";

/** Requires: the lock of `rq`. */
export function enqueue(hart: Hart, rq: number, task: number): void {
  const { shared } = hart;
  const tail = shared.get(rq + RQ_TAIL);
  shared.set(task + TASK_RQ_NEXT, 0);
  shared.set(task + TASK_RQ_PREV, tail);
  if (tail === 0) shared.set(rq + RQ_HEAD, task);
  else shared.set(tail + TASK_RQ_NEXT, task);
  shared.set(rq + RQ_TAIL, task);
  countOn(hart, rq, task);
}

/** enqueue for a task that was not running: kswapd does not wait for its turn. Requires: the lock of `rq`. */
export function enqueueWoken(hart: Hart, rq: number, task: number): void {
  const { shared } = hart;
  const head = shared.get(rq + RQ_HEAD);
  if (head === 0 || (shared.loadOnce(task + TASK_FLAGS) & PF_KSWAPD) === 0) {
    enqueue(hart, rq, task);
    return;
  }
  shared.set(task + TASK_RQ_NEXT, head);
  shared.set(task + TASK_RQ_PREV, 0);
  shared.set(head + TASK_RQ_PREV, task);
  shared.set(rq + RQ_HEAD, task);
  countOn(hart, rq, task);
}

/** Requires: the lock of `rq`, and the task on it. */
export function dequeue(hart: Hart, rq: number, task: number): void {
  const { shared } = hart;
  const next = shared.get(task + TASK_RQ_NEXT);
  const previous = shared.get(task + TASK_RQ_PREV);
  if (previous === 0) shared.set(rq + RQ_HEAD, next);
  else shared.set(previous + TASK_RQ_NEXT, next);
  if (next === 0) shared.set(rq + RQ_TAIL, previous);
  else shared.set(next + TASK_RQ_PREV, previous);
  shared.set(task + TASK_ON_RQ, 0);
  shared.storeRelease(rq + RQ_COUNT, shared.get(rq + RQ_COUNT) - 1);
}

function countOn({ shared }: Hart, rq: number, task: number): void {
  shared.set(task + TASK_ON_RQ, 1);
  shared.storeRelease(rq + RQ_COUNT, shared.get(rq + RQ_COUNT) + 1);
}

/** Locks the run queue that `task` belongs to; the id of its hart. */
export function lockHome(hart: Hart, task: number): number {
  for (;;) {
    const home = hart.shared.loadOnce(task + TASK_HART);
    spinLock(hart, rqOf(home) + RQ_LOCK);
    if (hart.shared.get(task + TASK_HART) === home) return home;
    spinUnlock(hart, rqOf(home) + RQ_LOCK);
  }
}

/** May `task` run on hart `id`? */
export function isAllowed(hart: Hart, task: number, id: number): boolean {
  return (hart.shared.get(task + TASK_CPUS_ALLOWED + (id >>> 5) * 4) & (1 << (id & 31))) !== 0;
}
