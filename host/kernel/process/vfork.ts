// vfork: the parent waits until the child no longer uses its memory, because it has ended or runs another program.
// Both ends point at each other under TASKLIST_LOCK, and whoever goes first takes the pointers away. (Linux:
// wait_for_vfork_done and complete_vfork_done in kernel/fork.c)

import {
  TASK_RESTART_CALL,
  TASK_STATE,
  TASK_UNINTERRUPTIBLE,
  TASK_VFORK_CHILD,
  TASK_VFORK_PARENT,
  TASK_VFORK_WAITQ,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, waitqAdd, wakeUpAll } from "../sched/wait.ts";
import { TASKLIST_LOCK } from "./task.ts";

/** Before `child` runs. Requires: TASKLIST_LOCK. */
export function joinVforkLocked(hart: Hart, child: number): void {
  hart.shared.set(child + TASK_VFORK_PARENT, hart.current);
  hart.shared.set(hart.current + TASK_VFORK_CHILD, child);
}

/**
 * True if the current task must go on waiting for its child: it is on its queue, and `call` returns WAIT. Only a fatal
 * signal ends the wait early, by ending the task.
 */
export function waitForVfork(hart: Hart, call: number): boolean {
  const { shared, current } = hart;
  finishWait(hart);
  spinLock(hart, TASKLIST_LOCK);
  const waits = shared.get(current + TASK_VFORK_CHILD) !== 0;
  if (waits) {
    const queue = current + TASK_VFORK_WAITQ;
    spinLock(hart, queue + WAITQ_LOCK);
    waitqAdd(hart, queue);
    shared.storeRelease(current + TASK_STATE, TASK_UNINTERRUPTIBLE);
    spinUnlock(hart, queue + WAITQ_LOCK);
    shared.set(current + TASK_RESTART_CALL, call);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return waits;
}

/** The current task has left the memory that it shared, or ends while it waits for a child. */
export function leaveVfork(hart: Hart): void {
  const { shared, current } = hart;
  if ((shared.loadOnce(current + TASK_VFORK_PARENT) | shared.loadOnce(current + TASK_VFORK_CHILD)) === 0) return;
  spinLock(hart, TASKLIST_LOCK);
  const child = shared.get(current + TASK_VFORK_CHILD);
  if (child !== 0) shared.set(child + TASK_VFORK_PARENT, 0);
  shared.set(current + TASK_VFORK_CHILD, 0);
  const parent = shared.get(current + TASK_VFORK_PARENT);
  shared.set(current + TASK_VFORK_PARENT, 0);
  if (parent !== 0) {
    shared.set(parent + TASK_VFORK_CHILD, 0);
    wakeUpAll(hart, parent + TASK_VFORK_WAITQ);
  }
  spinUnlock(hart, TASKLIST_LOCK);
}
