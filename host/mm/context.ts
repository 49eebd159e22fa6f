// Which mm a hart's MMU walks. (Linux: arch/riscv/mm/context.c switch_mm)

import {
  HART_LOADED_MM,
  HART_SATP_ASID,
  HART_SATP_ROOT,
  MM_ASID,
  MM_CPUMASK,
  MM_ROOT_PFN,
} from "../../assembly/layout.ts";
import { cpumaskClear, cpumaskSet } from "../memory/cpumask.ts";
import type { Hart } from "../policy/hart.ts";

/**
 * Loads `next` in place of `previous` (0: nothing was loaded). The cpumask bit comes before the first walk of the new
 * root, by a full barrier, so that a flush that changes a PTE afterwards finds this hart; the old bit goes only when
 * nothing of the old mm is loaded any more. Requires: interrupts off, or a hart that nobody can interrupt yet.
 */
export function switchMm(hart: Hart, previous: number, next: number): void {
  const { shared } = hart;
  if (previous === next) return;
  cpumaskSet(hart, next + MM_CPUMASK, hart.id);
  shared.storeRelease(hart.base + HART_LOADED_MM, next);
  hart.set(HART_SATP_ROOT, shared.get(next + MM_ROOT_PFN));
  hart.set(HART_SATP_ASID, shared.get(next + MM_ASID));
  hart.core.loadSatp();
  hart.policies.tlbFlush.switchTo(hart, next);
  if (previous !== 0) cpumaskClear(hart, previous + MM_CPUMASK, hart.id);
}
