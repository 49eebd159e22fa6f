// Tasks of a scenario: no process, no run queue, only what the context switch looks at.

import { HART_IDLE_TASK, MACHINE_BASE, MACHINE_INIT_MM, TASK_ACTIVE_MM, TASK_MM } from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { releaseBorrowedMm, switchActiveMm } from "../../kernel/switch.ts";
import { allocTask } from "../../kernel/task.ts";
import { switchMm } from "../../mm/context.ts";
import { mmdrop } from "../../mm/mm.ts";

/** A task that runs in `mm`; the caller has counted it as a user. */
export function makeUserTask(hart: KernelHart, mm: number): number {
  const task = allocTask(hart);
  hart.shared.set(task + TASK_MM, mm);
  hart.shared.set(task + TASK_ACTIVE_MM, mm);
  return task;
}

/** For the set-up: `task` is what the hart runs, instead of its idle task. */
export function startOn(hart: KernelHart, task: number): void {
  const { shared } = hart;
  const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  switchTo(hart, task);
  if (shared.get(task + TASK_MM) === 0) switchMm(hart, initMm, shared.get(task + TASK_ACTIVE_MM));
}

/** The context switch, as schedule() does it. */
export function switchTo(hart: KernelHart, next: number): void {
  const previous = hart.current;
  if (previous === next) return;
  switchActiveMm(hart, previous, next);
  hart.setCurrent(next);
  const borrowed = hart.policies.lazyTlb.finish(hart);
  if (borrowed !== 0) mmdrop(hart, borrowed);
}

export function switchToIdle(hart: KernelHart): void {
  switchTo(hart, hart.get(HART_IDLE_TASK));
}

/** The end of a scenario on one hart: idle, and no mm borrowed. */
export function leaveAll(hart: KernelHart): void {
  switchToIdle(hart);
  releaseBorrowedMm(hart);
}
