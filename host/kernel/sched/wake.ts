// Makes tasks runnable, and moves them when they may no longer run where they are.

import {
  COUNTER_TASK_MIGRATE,
  CPUMASK_WORDS,
  DOORBELL_RESCHED,
  HART_NEED_RESCHED,
  RQ_LOCK,
  TASK_CPUS_ALLOWED,
  TASK_HART,
  TASK_INTERRUPTIBLE,
  TASK_NEW,
  TASK_ON_HART,
  TASK_ON_RQ,
  TASK_RUNNING,
  TASK_STATE,
  TASK_UNINTERRUPTIBLE,
} from "../../../assembly/layout.ts";
import { rqOf } from "../../memory/hart-local.ts";
import { ringDoorbell } from "../../memory/ipi.ts";
import { spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_SCHED_MIGRATE_TASK, TRACE_SCHED_WAKEUP, traceTask } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { enqueueOn, kick, selectHart } from "./placement.ts";
import { dequeue, enqueueWoken, isAllowed, lockHome } from "./run-queue.ts";

/**
 * try_to_wake_up: a sleeping (or new) task becomes runnable; true if this call did it. A task that has not yet left
 * its hart stays there: schedule() looks at the state under the same lock. May be called with a wait queue's lock.
 */
export function wakeTask(hart: Hart, task: number): boolean {
  return wakeTaskIn(hart, task, TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_NEW);
}

/** wakeTask for a task in one of `states` only (wake_up_state). */
export function wakeTaskIn(hart: Hart, task: number, states: number): boolean {
  const { shared } = hart;
  const home = lockHome(hart, task);
  const rq = rqOf(home);
  const asleep = (shared.loadOnce(task + TASK_STATE) & states) !== 0;
  if (asleep) {
    shared.storeRelease(task + TASK_STATE, TASK_RUNNING);
    traceTask(hart, TRACE_SCHED_WAKEUP, task, home);
  }
  const placed = shared.get(task + TASK_ON_RQ) !== 0 || shared.loadAcquire(task + TASK_ON_HART) !== 0;
  if (!asleep || placed) {
    spinUnlock(hart, rq + RQ_LOCK);
    return asleep;
  }
  const target = selectHart(hart, task, home);
  if (target === home) enqueueWoken(hart, rq, task);
  else shared.storeRelease(task + TASK_HART, target);
  spinUnlock(hart, rq + RQ_LOCK);
  if (target !== home) {
    hart.count(COUNTER_TASK_MIGRATE);
    traceTask(hart, TRACE_SCHED_MIGRATE_TASK, task, home, target);
  }
  kick(hart, target === home ? home : enqueueOn(hart, target, task));
  return true;
}

/** `task` may run on the harts of `mask` (CPUMASK_WORDS words at that address, not empty), and moves if it must. */
export function setAffinity(hart: Hart, task: number, mask: number): void {
  const { shared } = hart;
  const home = lockHome(hart, task);
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    shared.set(task + TASK_CPUS_ALLOWED + word * 4, shared.get(mask + word * 4));
  }
  const mustMove = shared.get(task + TASK_ON_RQ) !== 0 && !isAllowed(hart, task, home);
  const target = mustMove ? selectHart(hart, task, home) : home;
  if (target !== home) {
    dequeue(hart, rqOf(home), task);
    shared.storeRelease(task + TASK_HART, target);
  }
  const onHart = shared.loadAcquire(task + TASK_ON_HART) - 1;
  spinUnlock(hart, rqOf(home) + RQ_LOCK);
  if (target !== home) {
    kick(hart, enqueueOn(hart, target, task));
  } else if (onHart >= 0 && !isAllowed(hart, task, onHart)) {
    if (onHart === hart.id) hart.set(HART_NEED_RESCHED, 1);
    else ringDoorbell(hart, onHart, DOORBELL_RESCHED);
  }
}
