// ipi-mask: IPIs to the harts of mm_cpumask, a range flush up to FLUSH_CEILING_PAGES and a full one above it, and
// tlb_gen so that a hart which has already flushed later changes does not flush again. (Linux: arch/x86/mm/tlb.c.)

import {
  COUNTER_FLUSH_RANGE_PAGES,
  COUNTER_TLB_GEN_SKIPS,
  COUNTER_TLB_REMOTE_FLUSH,
  HART_LOADED_GEN,
  HART_LOADED_MM,
  HART_SATP_ASID,
  MM_TLB_GEN,
} from "../../../assembly/layout.ts";
import { sendIpi } from "../../memory/ipi.ts";
import { B_M2, B_M6, B_M15, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import {
  concernsLoadedMm,
  copyFlushTargets,
  flushesWholeMm,
  flushKernelByIpi,
  flushOp,
  flushPages,
  wholeRanges,
} from "./common.ts";

export const ipiMask: TlbFlush = {
  ...wholeRanges,
  name: "ipi-mask",
  runsRemoteCode: true,

  flush(hart: Hart, mm: number, vpn: number, pages: number, freedTables: boolean): void {
    flushByGeneration(hart, mm, vpn, pages, freedTables, flushOp(hart, mm));
  },

  flushKernel: flushKernelByIpi,

  flushLater(hart: Hart, mm: number, vpn: number): void {
    this.flush(hart, mm, vpn, 1, false);
  },

  onIpi(hart: Hart, mm: number, vpn: number, pages: number, generation: number): void {
    if (concernsLoadedMm(hart, mm)) flushLoaded(hart, mm, vpn, pages, generation);
  },

  switchTo(hart: Hart, next: number): void {
    loadWithoutAsid(hart, next);
  },

  catchUp(hart: Hart, mm: number): void {
    catchUpByGeneration(hart, mm);
  },
};

/** The sender's half of a flush that counts generations: the own TLB, then an interrupt to everybody else. */
export function flushByGeneration(
  hart: Hart,
  mm: number,
  vpn: number,
  pages: number,
  freedTables: boolean,
  op: number,
): void {
  const maskEarly = MUTATIONS && hart.mutation === B_M2 && copyFlushTargets(hart, mm, freedTables);
  // Full barrier: the PTE stores come before the read of the cpumask (pairs with loadMm, which sets its bit and only
  // then walks).
  const generation = (hart.shared.fetchAdd(mm + MM_TLB_GEN, 1) + 1) | 0;
  const wholeMm = flushesWholeMm(hart, pages, freedTables);
  const rangePages = wholeMm ? 0 : pages;
  hart.count(COUNTER_FLUSH_RANGE_PAGES, rangePages);
  if (hart.get(HART_LOADED_MM) === mm) flushLoaded(hart, mm, vpn, rangePages, generation);
  if (MUTATIONS && hart.mutation === B_M2 ? !maskEarly : !copyFlushTargets(hart, mm, freedTables)) return;
  hart.count(COUNTER_TLB_REMOTE_FLUSH);
  sendIpi(hart, hart.flushMask, op, mm, vpn, rangePages, generation);
}

/** The handler, on a hart that has the mm loaded. (Linux: flush_tlb_func) */
export function flushLoaded(hart: Hart, mm: number, vpn: number, pages: number, generation: number): void {
  const seen = hart.get(HART_LOADED_GEN);
  if (((seen - generation) | 0) >= 0) {
    hart.count(COUNTER_TLB_GEN_SKIPS);
    return;
  }
  const nextInLine = generation === ((seen + 1) | 0) || (MUTATIONS && hart.mutation === B_M6);
  if (pages === 0 || !nextInLine) {
    flushWholeMm(hart, mm); // generations in between are covered too
    return;
  }
  flushPages(hart, vpn, pages, hart.get(HART_SATP_ASID));
  hart.set(HART_LOADED_GEN, generation);
}

/** Before user code runs again on a hart that flushes may have skipped. */
export function catchUpByGeneration(hart: Hart, mm: number): void {
  const generation = hart.shared.loadAcquire(mm + MM_TLB_GEN);
  if (((hart.get(HART_LOADED_GEN) - generation) | 0) < 0) flushWholeMm(hart, mm);
}

function flushWholeMm(hart: Hart, mm: number): void {
  const asid = hart.get(HART_SATP_ASID);
  // Read before the flush: a change after it must not count as flushed.
  const current = hart.shared.loadAcquire(mm + MM_TLB_GEN);
  if (asid === 0) hart.core.flushAll();
  else hart.core.flushAsid(asid);
  const late = MUTATIONS && hart.mutation === B_M15;
  hart.set(HART_LOADED_GEN, late ? hart.shared.loadAcquire(mm + MM_TLB_GEN) : current);
}

/** All mms share ASID 0: what the last one left in the TLB goes. */
export function loadWithoutAsid(hart: Hart, next: number): void {
  // Read before the flush: what changes later is flushed by its own IPI, for which the cpumask bit is already set.
  const generation = hart.shared.loadAcquire(next + MM_TLB_GEN);
  hart.set(HART_SATP_ASID, 0);
  hart.core.loadSatp();
  hart.core.flushAll();
  hart.set(HART_LOADED_GEN, generation);
}
