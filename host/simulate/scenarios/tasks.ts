// Tasks of a scenario: no process, no run queue, only what the context switch looks at.

import { HART_DOORBELL, HART_IDLE_TASK, TASK_ACTIVE_MM, TASK_MM } from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { allocTask } from "../../kernel/process/task.ts";
import { beginSwitch, endSwitch, finishLazy, releaseBorrowedMm } from "../../kernel/sched/switch.ts";
import { park } from "../../memory/park.ts";

const IDLE_NS = 1000;

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

/**
 * The context switch, as schedule() does it. Of the lock of the run queue only what it promises is left: a full barrier
 * before, and behind it nothing that orders a store before a load.
 */
export function switchTo(hart: KernelHart, next: number): void {
  const previous = hart.current;
  if (previous === next) return;
  hart.shared.barrier(hart.base + HART_IDLE_TASK);
  beginSwitch(hart, previous, next);
  hart.setCurrent(next);
  endSwitch(hart, previous, next);
  finishLazy(hart);
}

/** What an idle hart does: looks at its doorbell now and then. Others wait for that when they flush. */
export function pollFor(hart: KernelHart, polls: number): void {
  for (let poll = 0; poll < polls; poll++) hart.pollIrq();
}

/** Idles until an interrupt comes, or until nobody else has anything to do. */
export function idleOnce(hart: KernelHart): void {
  hart.pollIrq();
  park(hart, hart.base + HART_DOORBELL, 0, hart.clock.now() + IDLE_NS);
  hart.pollIrq();
}

export function switchToIdle(hart: KernelHart): void {
  switchTo(hart, hart.get(HART_IDLE_TASK));
}

/** The end of a scenario on one hart: idle, and no mm borrowed. */
export function leaveAll(hart: KernelHart): void {
  switchToIdle(hart);
  releaseBorrowedMm(hart);
}
