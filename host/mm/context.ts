// Which mm a hart's MMU walks, and which it borrows. (Linux: arch/riscv/mm/context.c switch_mm; kernel/sched/core.c)
//
// HART_LOADED_MM is the mm whose root satp holds; TASK_ACTIVE_MM of the current task is the mm that the scheduler
// believes in. They differ while an architecture has left a borrowed mm behind the scheduler's back (early_clear), and
// inside a temporary mm.

import {
  COUNTER_LAZY_ENTER,
  COUNTER_LOADED_DIVERGES,
  HART_LOADED_MM,
  HART_SATP_ROOT,
  HART_SWITCHING_MM,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MM_CPUMASK,
  MM_ROOT_PFN,
  TASK_ACTIVE_MM,
} from "../../assembly/layout.ts";
import { cpumaskSetRelaxed } from "../memory/cpumask.ts";
import { A_M4, MUTATIONS } from "../memory/mutation.ts";
import type { Hart } from "../policy/hart.ts";

/**
 * Loads `next`. Its cpumask bit comes before the first walk of the new root, by a full barrier, so that a flush that
 * changes a PTE afterwards finds this hart. What was loaded before keeps its bit until leaveMm. Requires: interrupts
 * off, or a hart that nobody can interrupt yet.
 */
export function loadMm(hart: Hart, next: number): void {
  const { shared } = hart;
  if (MUTATIONS && hart.mutation === A_M4) cpumaskSetRelaxed(hart, next + MM_CPUMASK, hart.id);
  else hart.policies.cpumask.enter(hart, next);
  hart.set(HART_SWITCHING_MM, 1); // an NMI must not take LOADED_MM at its word
  shared.storeRelease(hart.base + HART_LOADED_MM, next);
  hart.set(HART_SATP_ROOT, shared.get(next + MM_ROOT_PFN));
  hart.policies.tlbFlush.switchTo(hart, next);
  hart.set(HART_SWITCHING_MM, 0);
}

/** Another mm is loaded, and no pointer of this hart names `mm` any more. Requires: interrupts off. */
export function leaveMm(hart: Hart, mm: number): void {
  if (!hart.policies.tlbFlush.keepsTranslations) hart.policies.cpumask.leave(hart, mm);
}

/** Loads `next` in place of `previous` (0: nothing was loaded) where nobody borrows. Requires: as loadMm. */
export function switchMm(hart: Hart, previous: number, next: number): void {
  if (previous === next) return;
  loadMm(hart, next);
  if (previous !== 0) leaveMm(hart, previous);
}

/** The mm that the current task stands on: its own, or the one that it borrows. */
export function activeMm(hart: Hart): number {
  if (hart.policies.lazyTlb.activeIsLoaded) return hart.get(HART_LOADED_MM);
  return hart.shared.get(hart.current + TASK_ACTIVE_MM);
}

/**
 * A task without user memory goes on with `mm`, which is loaded: by borrowing it, or on init_mm. Requires: interrupts
 * off; the current task, or a user of the mm before it, still holds the mm.
 */
export function enterLazy(hart: Hart, task: number, mm: number): void {
  const { lazyTlb, cpumask } = hart.policies;
  hart.count(COUNTER_LAZY_ENTER);
  const initMm = hart.shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  if (lazyTlb.refuses(mm)) {
    loadMm(hart, initMm);
    setActiveMm(hart, task, initMm);
    leaveMm(hart, mm);
    lazyTlb.grab(hart, initMm);
    return;
  }
  setActiveMm(hart, task, mm);
  lazyTlb.grab(hart, mm);
  if (!cpumask.leavesEarly || mm === initMm) return;
  loadMm(hart, initMm);
  leaveMm(hart, mm);
  hart.count(COUNTER_LOADED_DIVERGES);
}

export function setActiveMm(hart: Hart, task: number, mm: number): void {
  if (!hart.policies.lazyTlb.activeIsLoaded) hart.shared.storeOnce(task + TASK_ACTIVE_MM, mm);
}
