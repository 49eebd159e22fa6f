// ipi-mask: IPIs to the harts of mm_cpumask, a range flush up to FLUSH_CEILING_PAGES and a full one above it, and
// tlb_gen so that a hart which has already flushed later changes does not flush again. (Linux: arch/x86/mm/tlb.c.)

import {
  COUNTER_TLB_REMOTE_FLUSH,
  COUNTER_TLB_REMOTE_FLUSH_RECEIVED,
  HART_LOADED_GEN,
  HART_LOADED_MM,
  IPI_FLUSH,
  MM_CPUMASK,
  MM_TLB_GEN,
} from "../../../assembly/layout.ts";
import { cpumaskCopyOthers } from "../../memory/cpumask.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { sendIpi } from "../../memory/ipi.ts";
import type { TlbFlush } from "../seams.ts";

/** Linux/riscv's tlb_flush_all_threshold. */
const FLUSH_CEILING_PAGES = 64;

export const ipiMask: TlbFlush = {
  name: "ipi-mask",

  flush(hart: HartLocal, mm: number, vpn: number, pages: number, freedTables: boolean): void {
    // Full barrier: the PTE stores come before the read of the cpumask (pairs with switchMm, which sets its bit and
    // only then walks).
    const generation = (hart.shared.fetchAdd(mm + MM_TLB_GEN, 1) + 1) | 0;
    const rangePages = freedTables || pages > FLUSH_CEILING_PAGES ? 0 : pages;
    flushLocal(hart, mm, vpn, rangePages, generation);
    const others = hart.flushMask;
    if (!cpumaskCopyOthers(hart, mm + MM_CPUMASK, others)) return;
    hart.count(COUNTER_TLB_REMOTE_FLUSH);
    sendIpi(hart, others, IPI_FLUSH, mm, vpn, rangePages, generation);
  },

  onIpi(hart: HartLocal, mm: number, vpn: number, pages: number, generation: number): void {
    hart.count(COUNTER_TLB_REMOTE_FLUSH_RECEIVED);
    flushLocal(hart, mm, vpn, pages, generation);
  },

  switchTo(hart: HartLocal, next: number): void {
    // All mms share ASID 0 under this policy. The generation is read before the flush: what changes later is
    // flushed by its own IPI, for which the cpumask bit is already set.
    const generation = hart.shared.loadAcquire(next + MM_TLB_GEN);
    hart.core.flushAll();
    hart.set(HART_LOADED_GEN, generation);
  },
};

function flushLocal(hart: HartLocal, mm: number, vpn: number, pages: number, generation: number): void {
  if (hart.get(HART_LOADED_MM) !== mm) return;
  const seen = hart.get(HART_LOADED_GEN);
  if (((seen - generation) | 0) >= 0) return;
  if (pages !== 0 && generation === ((seen + 1) | 0)) {
    hart.core.flushRange(vpn, pages, 0);
    hart.set(HART_LOADED_GEN, generation);
    return;
  }
  // Generations in between are covered too. Read before the flush: a change after it must not count as flushed.
  const current = hart.shared.loadAcquire(mm + MM_TLB_GEN);
  hart.core.flushAll();
  hart.set(HART_LOADED_GEN, current);
}
