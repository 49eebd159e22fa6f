// Makes a task look at its signals: asleep, it wakes; on a hart, the hart comes out of guest code.

import {
  DOORBELL_RESCHED,
  TASK_INTERRUPTIBLE,
  TASK_NEW,
  TASK_ON_HART,
  TASK_SIGNAL_PENDING,
  TASK_STATE,
  TASK_STOPPED,
  TASK_UNINTERRUPTIBLE,
} from "../../../assembly/layout.ts";
import { ringDoorbell } from "../../memory/ipi.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakeTaskIn } from "../sched/wake.ts";

/** signal_wake_up. Requires: TASKLIST_LOCK, so that the record stays. Takes a run queue's lock. */
export function notifyTaskLocked(hart: Hart, task: number): void {
  notify(hart, task, TASK_INTERRUPTIBLE);
}

/** The same for a task that must die: whatever it waits for, and stopped or not. (signal_wake_up, resume) */
export function killTaskLocked(hart: Hart, task: number): void {
  notify(hart, task, TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_STOPPED);
}

/** The same for a stopped task that goes on. */
export function continueTaskLocked(hart: Hart, task: number): void {
  notify(hart, task, TASK_STOPPED);
}

function notify(hart: Hart, task: number, states: number): void {
  const { shared } = hart;
  shared.storeRelease(task + TASK_SIGNAL_PENDING, 1);
  // Its creator is about to start a new one; it looks before its first instruction.
  if (shared.loadAcquire(task + TASK_STATE) === TASK_NEW || wakeTaskIn(hart, task, states)) return;
  const onHart = shared.loadAcquire(task + TASK_ON_HART);
  if (onHart !== 0 && onHart - 1 !== hart.id) ringDoorbell(hart, onHart - 1, DOORBELL_RESCHED);
}
