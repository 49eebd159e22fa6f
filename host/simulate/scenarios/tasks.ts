// Tasks of a scenario: no process, no run queue, only what the context switch looks at.

import { HART_IDLE_TASK, TASK_ACTIVE_MM, TASK_MM } from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { finishLazy, releaseBorrowedMm, switchActiveMm } from "../../kernel/switch.ts";
import { allocTask } from "../../kernel/task.ts";

/** A task that runs in `mm`; the caller has counted it as a user. */
export function makeUserTask(hart: KernelHart, mm: number): number {
  const task = allocTask(hart);
  hart.shared.set(task + TASK_MM, mm);
  hart.shared.set(task + TASK_ACTIVE_MM, mm);
  return task;
}

/** For the set-up: `task` is what the hart runs, instead of its idle task. */
export function startOn(hart: KernelHart, task: number): void {
  switchTo(hart, task);
}

/** The context switch, as schedule() does it. */
export function switchTo(hart: KernelHart, next: number): void {
  const previous = hart.current;
  if (previous === next) return;
  switchActiveMm(hart, previous, next);
  hart.setCurrent(next);
  finishLazy(hart);
}

export function switchToIdle(hart: KernelHart): void {
  switchTo(hart, hart.get(HART_IDLE_TASK));
}

/** The end of a scenario on one hart: idle, and no mm borrowed. */
export function leaveAll(hart: KernelHart): void {
  switchToIdle(hart);
  releaseBorrowedMm(hart);
}
