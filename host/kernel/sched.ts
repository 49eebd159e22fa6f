// The scheduler: one run queue per hart, first in first out, with a time slice. A woken task goes to an idle hart if
// it may run there, else to the hart it ran on last; a hart that runs dry steals. All fields of a run queue, and which
// run queue a task belongs to (TASK_HART), are guarded by the queue's lock; two such locks are never held at once.
//
// A task's context is in its record, unless TASK_ON_HART names the hart whose block holds it.

import {
  COUNTER_CONTEXT_SWITCH,
  COUNTER_TASK_MIGRATE,
  CPUMASK_WORDS,
  DOORBELL_RESCHED,
  HART_IDLE_TASK,
  HART_NEED_RESCHED,
  HART_SLICE_END_NS,
  MACHINE_BASE,
  MACHINE_IDLE_MASK,
  RQ_COUNT,
  RQ_HEAD,
  RQ_LOCK,
  RQ_TAIL,
  TASK_CPUS_ALLOWED,
  TASK_HART,
  TASK_INTERRUPTIBLE,
  TASK_NEW,
  TASK_ON_HART,
  TASK_ON_RQ,
  TASK_RQ_NEXT,
  TASK_RQ_PREV,
  TASK_RUNNING,
  TASK_RUNTIME_NS,
  TASK_SIGNAL_PENDING,
  TASK_STATE,
  TASK_SWITCHES,
  TASK_UNINTERRUPTIBLE,
} from "../../assembly/layout.ts";
import { rqOf } from "../memory/hart-local.ts";
import { ringDoorbell } from "../memory/ipi.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import type { Hart } from "../policy/hart.ts";

const SLICE_NS = 4_000_000;
const IDLE_MASK = MACHINE_BASE + MACHINE_IDLE_MASK;

/**
 * try_to_wake_up: a sleeping (or new) task becomes runnable; true if this call did it. A task that has not yet left
 * its hart stays there: schedule() looks at the state under the same lock. May be called with a wait queue's lock.
 */
export function wakeTask(hart: Hart, task: number): boolean {
  const { shared } = hart;
  for (;;) {
    const home = shared.loadOnce(task + TASK_HART);
    const rq = rqOf(home);
    spinLock(hart, rq + RQ_LOCK);
    if (shared.get(task + TASK_HART) !== home) {
      spinUnlock(hart, rq + RQ_LOCK);
      continue;
    }
    const asleep = (shared.loadOnce(task + TASK_STATE) & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_NEW)) !== 0;
    if (asleep) shared.storeRelease(task + TASK_STATE, TASK_RUNNING);
    const placed = shared.get(task + TASK_ON_RQ) !== 0 || shared.loadAcquire(task + TASK_ON_HART) !== 0;
    if (!asleep || placed) {
      spinUnlock(hart, rq + RQ_LOCK);
      return asleep;
    }
    const target = selectHart(hart, task, home);
    if (target === home) enqueue(hart, rq, task);
    else shared.storeRelease(task + TASK_HART, target);
    spinUnlock(hart, rq + RQ_LOCK);
    if (target !== home) {
      hart.count(COUNTER_TASK_MIGRATE);
      enqueueOn(hart, target, task);
    }
    kick(hart, target);
    return true;
  }
}

/** Puts a runnable task that is on no queue (its TASK_HART says `target`) on that hart's queue. */
function enqueueOn(hart: Hart, target: number, task: number): void {
  const rq = rqOf(target);
  spinLock(hart, rq + RQ_LOCK);
  enqueue(hart, rq, task);
  spinUnlock(hart, rq + RQ_LOCK);
}

/**
 * Chooses the next task of this hart; the current one goes to the end of the queue if it still wants to run. Requires:
 * this hart's rq lock, held until leaveHart, so that nobody else runs the old task before its context is saved.
 */
export function chooseNextLocked(hart: Hart): number {
  const { shared, rq, current } = hart;
  hart.set(HART_NEED_RESCHED, 0);
  shared.setF64(current + TASK_RUNTIME_NS, runtimeOfCurrent(hart));
  noticeSignal(hart, current);
  if (wantsToRun(hart, current) && isAllowed(hart, current, hart.id)) enqueue(hart, rq, current);
  const first = shared.get(rq + RQ_HEAD);
  if (first === 0) return hart.get(HART_IDLE_TASK);
  dequeue(hart, rq, first);
  return first;
}

/**
 * The hart block now belongs to `next`. Returns the hart to which the old task must move because it may no longer run
 * here, or -1. Requires: this hart's rq lock.
 */
export function leaveHartLocked(hart: Hart, previous: number, next: number): number {
  const { shared } = hart;
  const moves = wantsToRun(hart, previous) && shared.get(previous + TASK_ON_RQ) === 0;
  const target = moves ? selectHart(hart, previous, hart.id) : -1;
  if (moves) shared.storeRelease(previous + TASK_HART, target);
  shared.storeRelease(previous + TASK_ON_HART, 0);
  shared.storeRelease(next + TASK_ON_HART, hart.id + 1);
  shared.set(next + TASK_SWITCHES, shared.get(next + TASK_SWITCHES) + 1);
  hart.setCurrent(next);
  hart.count(COUNTER_CONTEXT_SWITCH);
  return target;
}

/** After a switch, lock dropped: sends a task that had to leave on its way, and lets idle harts help. */
export function afterSwitch(hart: Hart, previous: number, target: number): void {
  if (target >= 0) {
    enqueueOn(hart, target, previous);
    kick(hart, target);
  }
  startSlice(hart);
}

export function startSlice(hart: Hart): void {
  if (hart.shared.loadOnce(hart.rq + RQ_COUNT) > 0) kickIdle(hart);
  hart.shared.setF64(hart.base + HART_SLICE_END_NS, hart.clock.now() + SLICE_NS);
}

/**
 * A signal that arrived after the task looked and before it went to sleep found it awake: it must not sleep now. Under
 * the rq lock, since the sender sets SIGNAL_PENDING first and then looks at the state. (Linux: signal_pending_state)
 */
function noticeSignal(hart: Hart, task: number): void {
  const { shared } = hart;
  if (shared.loadAcquire(task + TASK_STATE) !== TASK_INTERRUPTIBLE) return;
  if (shared.loadAcquire(task + TASK_SIGNAL_PENDING) !== 0) shared.storeRelease(task + TASK_STATE, TASK_RUNNING);
}

function wantsToRun(hart: Hart, task: number): boolean {
  return task !== hart.get(HART_IDLE_TASK) && hart.shared.loadAcquire(task + TASK_STATE) === TASK_RUNNING;
}

/** The slice of the current task is over: somebody else's turn if anybody waits. */
export function schedulerTick(hart: Hart): void {
  if (hart.shared.loadOnce(hart.rq + RQ_COUNT) === 0) return;
  if (hart.clock.now() >= hart.shared.getF64(hart.base + HART_SLICE_END_NS)) hart.set(HART_NEED_RESCHED, 1);
}

/** An idle hart looks for work on the others' queues. True if it took a task onto its own. */
export function stealTask(hart: Hart): boolean {
  const { shared } = hart;
  for (let step = 1; step < hart.hartCount; step++) {
    const victim = (hart.id + step) % hart.hartCount;
    const rq = rqOf(victim);
    if (shared.loadOnce(rq + RQ_COUNT) === 0) continue;
    spinLock(hart, rq + RQ_LOCK);
    let task = shared.get(rq + RQ_TAIL);
    while (task !== 0 && !isAllowed(hart, task, hart.id)) task = shared.get(task + TASK_RQ_PREV);
    if (task !== 0) {
      dequeue(hart, rq, task);
      shared.storeRelease(task + TASK_HART, hart.id);
    }
    spinUnlock(hart, rq + RQ_LOCK);
    if (task === 0) continue;
    hart.count(COUNTER_TASK_MIGRATE);
    enqueueOn(hart, hart.id, task);
    return true;
  }
  return false;
}

/** How long the current task has run so far, ns. It was charged up to the start of this slice. */
export function runtimeOfCurrent(hart: Hart): number {
  const sliceStart = hart.shared.getF64(hart.base + HART_SLICE_END_NS) - SLICE_NS;
  return hart.shared.getF64(hart.current + TASK_RUNTIME_NS) + Math.max(hart.clock.now() - sliceStart, 0);
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
    enqueueOn(hart, target, task);
    kick(hart, target);
  } else if (onHart >= 0 && !isAllowed(hart, task, onHart)) {
    if (onHart === hart.id) hart.set(HART_NEED_RESCHED, 1);
    else ringDoorbell(hart, onHart, DOORBELL_RESCHED);
  }
}

/** Locks the run queue that `task` belongs to; the id of its hart. */
function lockHome(hart: Hart, task: number): number {
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

/** An idle hart that may run it, the one it ran on last if possible; else that one; else the first it may use. */
function selectHart(hart: Hart, task: number, home: number): number {
  const homeAllowed = isAllowed(hart, task, home);
  if (homeAllowed && (hart.shared.loadOnce(IDLE_MASK + (home >>> 5) * 4) & (1 << (home & 31))) !== 0) return home;
  let firstAllowed = -1;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const allowed = hart.shared.get(task + TASK_CPUS_ALLOWED + word * 4);
    if (allowed === 0) continue;
    const idle = allowed & hart.shared.loadOnce(IDLE_MASK + word * 4);
    if (idle !== 0) return word * 32 + (31 - Math.clz32(idle & -idle));
    if (firstAllowed < 0) firstAllowed = word * 32 + (31 - Math.clz32(allowed & -allowed));
  }
  return homeAllowed || firstAllowed < 0 ? home : firstAllowed;
}

/** Tells an idle hart that its queue has work. A busy one finds it at the end of the slice. */
function kick(hart: Hart, target: number): void {
  const idle = (hart.shared.loadOnce(IDLE_MASK + (target >>> 5) * 4) & (1 << (target & 31))) !== 0;
  if (target === hart.id) {
    if (idle) hart.set(HART_NEED_RESCHED, 1);
  } else if (idle) {
    ringDoorbell(hart, target, DOORBELL_RESCHED);
  }
}

/** Lets one idle hart try to steal. */
function kickIdle(hart: Hart): void {
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const idle = hart.shared.loadOnce(IDLE_MASK + word * 4);
    if (idle === 0) continue;
    ringDoorbell(hart, word * 32 + (31 - Math.clz32(idle & -idle)), DOORBELL_RESCHED);
    return;
  }
}

/** Requires: the lock of `rq`. */
function enqueue(hart: Hart, rq: number, task: number): void {
  const { shared } = hart;
  const tail = shared.get(rq + RQ_TAIL);
  shared.set(task + TASK_RQ_NEXT, 0);
  shared.set(task + TASK_RQ_PREV, tail);
  if (tail === 0) shared.set(rq + RQ_HEAD, task);
  else shared.set(tail + TASK_RQ_NEXT, task);
  shared.set(rq + RQ_TAIL, task);
  shared.set(task + TASK_ON_RQ, 1);
  shared.storeRelease(rq + RQ_COUNT, shared.get(rq + RQ_COUNT) + 1);
}

/** Requires: the lock of `rq`, and the task on it. */
function dequeue(hart: Hart, rq: number, task: number): void {
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
