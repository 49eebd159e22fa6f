// A kernel thread, or the idle task at boot, works in somebody's user memory for a while. It goes there and back by the
// frame of the context switch, so that every lazy-tlb policy sees it. (Linux: kthread_use_mm, kthread_unuse_mm)

import { TASK_MM } from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { flushRss } from "../mm/rss.ts";
import type { Hart } from "../policy/hart.ts";
import { finishLazy, switchActiveMm } from "./switch.ts";

/**
 * From here on `task`, which runs nowhere and has an mm, is current in place of a task without one, and the hart is in
 * its memory. Returns the other task, for unuseMm. No lock held; no schedule in between.
 */
export function useMmOf(hart: Hart, task: number): number {
  const previous = hart.current;
  if (hart.shared.get(previous + TASK_MM) !== 0) throw new KernelBug("use_mm by a task with an mm", { task: previous });
  switchActiveMm(hart, previous, task);
  hart.setCurrent(task);
  finishLazy(hart);
  return previous;
}

/** The hart goes back to `previous`, which borrows the mm until the next switch. */
export function unuseMm(hart: Hart, previous: number): void {
  flushRss(hart);
  switchActiveMm(hart, hart.current, previous);
  hart.setCurrent(previous);
  finishLazy(hart);
}
