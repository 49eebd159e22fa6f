// What several tlb-flush policies share: who is told, by which interrupt, and what the receiver of a ranged flush does.

import {
  COUNTER_IPI_USELESS,
  COUNTER_LAZY_SKIPPED,
  COUNTER_TLB_REMOTE_FLUSH_RECEIVED,
  HART_IS_LAZY,
  HART_LOADED_MM,
  HART_SATP_ASID,
  IPI_FLUSH,
  IPI_FLUSH_LAST,
  MM_CPUMASK,
  MM_USERS,
} from "../../../assembly/layout.ts";
import { cpumaskCopyOthers } from "../../memory/cpumask.ts";
import { hartBase } from "../../memory/hart-local.ts";
import { copyRunningOthers, sendIpi } from "../../memory/ipi.ts";
import { B_M1, B_M4, B_M9, B_M10, B_M12, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";

/** Linux/riscv's tlb_flush_all_threshold: above it the whole mm is flushed. */
const FLUSH_CEILING_PAGES = 64;

/** Non-leaf entries go only with everything of the mm, and a long range costs more page by page. */
export function flushesWholeMm(hart: Hart, pages: number, freedTables: boolean): boolean {
  if (freedTables) return !(MUTATIONS && hart.mutation === B_M4);
  return pages > FLUSH_CEILING_PAGES;
}

/** The members of a policy that is not asked about single entries and puts nothing off. */
export const wholeRanges = {
  perPte: false,
  defers: false,
  keepsTranslations: false,
  pteChanged(): void {},
  beforeUnlock(): void {},
  flushPending(): void {},
  settle(): void {},
};

/** The interrupt of a flush: the last one of a dying mm ends the borrowing too, if the lazy-tlb policy wants that. */
export function flushOp(hart: Hart, mm: number): number {
  if (!hart.policies.lazyTlb.unlazyAtFlush) return IPI_FLUSH;
  return hart.shared.loadAcquire(mm + MM_USERS) === 0 ? IPI_FLUSH_LAST : IPI_FLUSH;
}

/**
 * Copies into hart.flushMask whom a flush of `mm` must reach; true if there is anybody. Lazy harts that catch up by
 * themselves are left out, unless tables go: their walkers run on.
 */
export function copyFlushTargets(hart: Hart, mm: number, freedTables: boolean): boolean {
  const mask = hart.flushMask;
  if (!cpumaskCopyOthers(hart, mm + MM_CPUMASK, mask)) return false;
  if (MUTATIONS && hart.mutation === B_M1) mask[0] &= mask[0] - 1;
  const skip = hart.policies.lazyTlb.skipsFlush && (!freedTables || (MUTATIONS && hart.mutation === B_M9));
  return skip ? leaveOutLazy(hart, mask) : true;
}

function leaveOutLazy(hart: Hart, mask: Int32Array): boolean {
  let any = 0;
  for (let id = 0; id < hart.hartCount; id++) {
    const bit = 1 << (id & 31);
    if ((mask[id >>> 5] & bit) !== 0 && hart.shared.loadAcquire(hartBase(id) + HART_IS_LAZY) !== 0) {
      mask[id >>> 5] &= ~bit;
      hart.count(COUNTER_LAZY_SKIPPED);
    }
    any |= mask[id >>> 5];
  }
  return any !== 0;
}

/** The pages of a range that is flushed, one by one, on this hart. */
export function flushPages(hart: Hart, vpn: number, pages: number, asid: number): void {
  if (MUTATIONS && hart.mutation === B_M10) hart.core.flushRange(vpn, pages - 1, asid);
  else hart.core.flushRange(vpn, pages, asid);
}

/** flushKernel by interrupts: every hart drops everything, global pages too, which no flush by ASID reaches. */
export function flushKernelByIpi(hart: Hart): void {
  flushEverything(hart);
  if (copyRunningOthers(hart, hart.flushMask)) sendIpi(hart, hart.flushMask, IPI_FLUSH);
}

/** What an IPI_FLUSH without an mm asks for. */
export function flushEverything(hart: Hart): void {
  if (MUTATIONS && hart.mutation === B_M12) hart.core.flushAsid(hart.get(HART_SATP_ASID));
  else hart.core.flushAll();
}

/** The receiver's part that all share; true if the flush is about the mm that is loaded here. */
export function concernsLoadedMm(hart: Hart, mm: number): boolean {
  hart.count(COUNTER_TLB_REMOTE_FLUSH_RECEIVED);
  if (mm === 0) {
    flushEverything(hart);
    return false;
  }
  if (hart.get(HART_LOADED_MM) === mm) return true;
  hart.count(COUNTER_IPI_USELESS);
  hart.policies.cpumask.useless(hart, mm);
  return false;
}
