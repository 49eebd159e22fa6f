// A kernel thread, or the idle task at boot, works in somebody's user memory for a while. (Linux: kthread_use_mm)
//
// Two ways, both by the frame of the context switch, so that every lazy-tlb policy sees them. useMmOf makes a task
// current that has the mm. kthreadUseMm gives the mm to the current kernel thread, as io workers and vhost want it: the
// mm is pinned by an explicit mm_count reference; the borrower's, whatever the lazy-tlb policy makes of it, is given
// back first, and is taken anew at the end. Not all policies have a reference that could change hands.

import { HART_LOADED_MM, TASK_MM } from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { A_M10, F_M5, MUTATIONS } from "../../memory/mutation.ts";
import { activeMm, enterLazy, leaveMm, loadMm, setActiveMm } from "../../mm/context.ts";
import { mmdrop, mmgrab } from "../../mm/mm.ts";
import { flushRss } from "../../mm/rss.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishLazy, switchActiveMm } from "./switch.ts";

/** The current kernel thread uses `mm`, of which the caller holds a user (mm_users) until kthreadUnuseMm. */
export function kthreadUseMm(hart: Hart, mm: number): void {
  const { shared, current } = hart;
  const { lazyTlb, tlbFlush } = hart.policies;
  if (shared.get(current + TASK_MM) !== 0) throw new KernelBug("kthread_use_mm of a task with an mm", { mm });
  const borrowed = activeMm(hart);
  // The trick of old: whoever borrows the mm already just goes on with that reference.
  const transfers = MUTATIONS && hart.mutation === A_M10 && borrowed === mm;
  if (!transfers) mmgrab(hart, mm);
  hart.interruptsOff();
  const loaded = hart.get(HART_LOADED_MM);
  lazyTlb.resume(hart);
  if (loaded !== mm) loadMm(hart, mm);
  else if (lazyTlb.skipsFlush) tlbFlush.catchUp(hart, mm);
  shared.storeRelease(current + TASK_MM, mm);
  setActiveMm(hart, current, mm);
  if (loaded !== mm) leaveMm(hart, loaded);
  lazyTlb.put(hart, borrowed);
  hart.interruptsOn();
  if (!transfers) finishLazy(hart);
}

/** The current kernel thread borrows the mm from now on, as after any other switch to it. */
export function kthreadUnuseMm(hart: Hart): void {
  const { shared, current } = hart;
  const mm = shared.get(current + TASK_MM);
  if (mm === 0) throw new KernelBug("kthread_unuse_mm without an mm", {});
  flushRss(hart);
  const dropEarly = MUTATIONS && hart.mutation === F_M5;
  if (dropEarly) mmdrop(hart, mm);
  hart.interruptsOff();
  enterLazy(hart, current, mm); // before the reference goes: nothing else may hold the mm then
  shared.storeRelease(current + TASK_MM, 0);
  hart.interruptsOn();
  if (!dropEarly) mmdrop(hart, mm);
}

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
