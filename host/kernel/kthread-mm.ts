// A kernel thread, or the idle task at boot, works in somebody's user memory for a while. It borrows the mm through the
// lazy-tlb seam as every switch does, so that every policy sees it. (Linux: kthread_use_mm, kthread_unuse_mm)

import { HART_IRQ_OFF_DEPTH, HART_LOADED_MM, TASK_ACTIVE_MM, TASK_MM } from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { switchMm } from "../mm/context.ts";
import { mmdrop } from "../mm/mm.ts";
import { flushRss } from "../mm/rss.ts";
import type { Hart } from "../policy/hart.ts";

/**
 * From here on the hart is in the memory of `task`, which is current in place of a task without an mm and runs nowhere;
 * the caller keeps a user of that mm. Returns what unuseMm needs. No lock held. May not schedule in between.
 */
export function useMmOf(hart: Hart, task: number): number {
  const { shared } = hart;
  const previous = hart.current;
  if (shared.get(previous + TASK_MM) !== 0) throw new KernelBug("use_mm by a task with an mm", { task: previous });
  const borrowed = shared.get(previous + TASK_ACTIVE_MM);
  const mm = shared.get(task + TASK_MM);
  interruptsOff(hart, 1);
  switchMm(hart, borrowed, mm);
  shared.set(task + TASK_ACTIVE_MM, mm);
  shared.set(previous + TASK_ACTIVE_MM, 0);
  hart.setCurrent(task);
  hart.policies.lazyTlb.put(hart, borrowed);
  interruptsOff(hart, -1);
  finish(hart);
  return previous;
}

/** The hart goes back to the task that useMmOf returned, which borrows the mm until the next switch. */
export function unuseMm(hart: Hart, previous: number): void {
  const { shared, current } = hart;
  const mm = shared.get(current + TASK_ACTIVE_MM);
  if (mm !== hart.get(HART_LOADED_MM)) throw new KernelBug("unuse_mm of an mm that is not loaded", { mm });
  flushRss(hart);
  interruptsOff(hart, 1);
  hart.policies.lazyTlb.grab(hart, mm);
  shared.set(current + TASK_ACTIVE_MM, 0);
  shared.set(previous + TASK_ACTIVE_MM, mm);
  hart.setCurrent(previous);
  interruptsOff(hart, -1);
}

function finish(hart: Hart): void {
  const borrowed = hart.policies.lazyTlb.finish(hart);
  if (borrowed !== 0) mmdrop(hart, borrowed);
}

function interruptsOff(hart: Hart, delta: number): void {
  hart.set(HART_IRQ_OFF_DEPTH, hart.get(HART_IRQ_OFF_DEPTH) + delta);
}
