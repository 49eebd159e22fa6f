// Task-wait. A system call that must wait never blocks the JavaScript stack: it puts the current task on a wait queue
// (and arms its timer if there is a deadline), drops every lock and returns WAIT. The hart runs other tasks. When the
// task runs again its pc still points at the ecall, so the call is entered anew and looks what happened:
//   woken (WAIT_RESULT is WAIT_WOKEN), deadline passed, signal pending, or none of them: then it waits again.
// Progress of a call lives in TASK_RESTART. Lock order: the queue's lock, then a run queue's lock.

import {
  TASK_INTERRUPTIBLE,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_RESTART_FILE,
  TASK_RUNNING,
  TASK_STATE,
  TASK_SYSCALL,
  TASK_TIMER_HART,
  TASK_WAIT_NEXT,
  TASK_WAIT_PREV,
  TASK_WAIT_QUEUE,
  TASK_WAIT_RESULT,
  WAIT_PENDING,
  WAIT_WOKEN,
  WAITQ_HEAD,
  WAITQ_LOCK,
  WAITQ_TAIL,
} from "../../../assembly/layout.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { fput } from "../file/files.ts";
import { disarmTimer } from "../time/timer.ts";
import { wakeTask } from "./wake.ts";

/** Result of a system call that waits: a0 and pc stay, the scheduler runs another task. */
export const WAIT = -(2 ** 40);
/** Result of a call that replaced the context or ended the task: a0 and pc are not touched. */
export const NO_RETURN = -(2 ** 41);

/** Puts the current task at the end of `queue`. Requires: the queue's lock. The caller unlocks and returns WAIT. */
export function waitqAdd(hart: Hart, queue: number): void {
  const { shared, current } = hart;
  const tail = shared.get(queue + WAITQ_TAIL);
  shared.set(current + TASK_WAIT_RESULT, WAIT_PENDING);
  shared.set(current + TASK_WAIT_NEXT, 0);
  shared.set(current + TASK_WAIT_PREV, tail);
  if (tail === 0) shared.set(queue + WAITQ_HEAD, current);
  else shared.set(tail + TASK_WAIT_NEXT, current);
  shared.set(queue + WAITQ_TAIL, current);
  shared.storeRelease(current + TASK_WAIT_QUEUE, queue);
  shared.storeRelease(current + TASK_STATE, TASK_INTERRUPTIBLE);
}

/** Takes `task` off `queue`. Requires: the queue's lock, and the task on it. */
export function waitqUnlink(hart: Hart, queue: number, task: number): void {
  const { shared } = hart;
  const next = shared.get(task + TASK_WAIT_NEXT);
  const previous = shared.get(task + TASK_WAIT_PREV);
  if (previous === 0) shared.set(queue + WAITQ_HEAD, next);
  else shared.set(previous + TASK_WAIT_NEXT, next);
  if (next === 0) shared.set(queue + WAITQ_TAIL, previous);
  else shared.set(next + TASK_WAIT_PREV, previous);
  shared.storeRelease(task + TASK_WAIT_QUEUE, 0);
}

/**
 * Takes `task` off its queue as woken and makes it runnable. Requires: the queue's lock. The result comes before the
 * unlink: a task that its timer has woken meanwhile looks at it, without the lock, once it finds itself off the queue.
 * It may even end then, so a read section keeps its record until wakeTask is done with it.
 */
export function waitqWake(hart: Hart, queue: number, task: number): void {
  rcuReadLock(hart);
  hart.shared.set(task + TASK_WAIT_RESULT, WAIT_WOKEN);
  waitqUnlink(hart, queue, task);
  wakeTask(hart, task);
  rcuReadUnlock(hart);
}

/** Wakes the first waiter; false if there was none. Requires: the queue's lock. */
export function waitqWakeOne(hart: Hart, queue: number): boolean {
  const task = hart.shared.get(queue + WAITQ_HEAD);
  if (task === 0) return false;
  waitqWake(hart, queue, task);
  return true;
}

/** Wakes every waiter. Requires: the queue's lock. */
export function waitqWakeAll(hart: Hart, queue: number): void {
  while (waitqWakeOne(hart, queue));
}

/** Wakes every waiter of a queue that the caller has not locked. (Linux: wake_up_all) */
export function wakeUpAll(hart: Hart, queue: number): void {
  spinLock(hart, queue + WAITQ_LOCK);
  waitqWakeAll(hart, queue);
  spinUnlock(hart, queue + WAITQ_LOCK);
}

/**
 * Takes `task` from one queue to the end of another. TASK_WAIT_QUEUE goes straight from one to the other and is never
 * 0 in between: a task that has just been woken by its timer would take that for "on no queue" (finishWait). Requires:
 * the locks of both.
 */
export function waitqMove(hart: Hart, source: number, target: number, task: number): void {
  const { shared } = hart;
  const next = shared.get(task + TASK_WAIT_NEXT);
  const previous = shared.get(task + TASK_WAIT_PREV);
  if (previous === 0) shared.set(source + WAITQ_HEAD, next);
  else shared.set(previous + TASK_WAIT_NEXT, next);
  if (next === 0) shared.set(source + WAITQ_TAIL, previous);
  else shared.set(next + TASK_WAIT_PREV, previous);
  const tail = shared.get(target + WAITQ_TAIL);
  shared.set(task + TASK_WAIT_NEXT, 0);
  shared.set(task + TASK_WAIT_PREV, tail);
  if (tail === 0) shared.set(target + WAITQ_HEAD, task);
  else shared.set(tail + TASK_WAIT_NEXT, task);
  shared.set(target + WAITQ_TAIL, task);
  shared.storeRelease(task + TASK_WAIT_QUEUE, target);
}

/**
 * The current task stops waiting: off its queue if a waker has not taken it off, timer disarmed. Returns WAIT_WOKEN if
 * a waker did, else WAIT_PENDING. Takes the queue's lock.
 */
export function finishWait(hart: Hart): number {
  const { shared, current } = hart;
  shared.storeRelease(current + TASK_STATE, TASK_RUNNING);
  if (shared.get(current + TASK_TIMER_HART) !== 0) disarmTimer(hart, current);
  for (;;) {
    // A requeue may move the task to another queue until we hold the lock of the one it is on.
    const queue = shared.loadAcquire(current + TASK_WAIT_QUEUE);
    if (queue === 0) break;
    spinLock(hart, queue + WAITQ_LOCK);
    const still = shared.get(current + TASK_WAIT_QUEUE) === queue;
    if (still) waitqUnlink(hart, queue, current);
    spinUnlock(hart, queue + WAITQ_LOCK);
    if (still) break;
  }
  return shared.get(current + TASK_WAIT_RESULT);
}

/** The current task goes to sleep on no queue: only its timer or a signal ends it. */
export function sleepOnTimer(hart: Hart): void {
  const { shared, current } = hart;
  shared.set(current + TASK_WAIT_RESULT, WAIT_PENDING);
  shared.storeRelease(current + TASK_STATE, TASK_INTERRUPTIBLE);
}

/** True while a restarted call finds its own restart block. */
export function isRestart(hart: Hart, call: number): boolean {
  return hart.shared.get(hart.current + TASK_RESTART_CALL) === call;
}

/**
 * The call in progress has done `done` bytes when a copy of it must wait for userfaultfd: it goes on from there. To be
 * called from a handler of UserFaultWait, for calls that keep such a number at TASK_RESTART.
 */
export function keepProgress(hart: Hart, done: number): void {
  const { shared, current } = hart;
  if (done === 0) return;
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  shared.setF64(current + TASK_RESTART, done);
}

/**
 * The current task's call is over. One that has waited may have found an error before it came to finishWait (its file
 * is closed, its iovecs are gone) and then still stands on its queue. What it kept while it waited is given up.
 */
export function endRestart(hart: Hart): void {
  const { shared, current } = hart;
  if (shared.get(current + TASK_RESTART_CALL) === 0) return;
  finishWait(hart);
  shared.set(current + TASK_RESTART_CALL, 0);
  const file = shared.get(current + TASK_RESTART_FILE);
  if (file === 0) return;
  shared.set(current + TASK_RESTART_FILE, 0);
  fput(hart, file);
}
