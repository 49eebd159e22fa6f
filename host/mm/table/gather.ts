// mmu_gather: the only place that frees what a TLB or a walker can reach. Always in this order:
//
//   clear the PTEs  ->  flush every hart  ->  free the frames  ->  free the page tables
//
// A gather is open between gatherBegin and gatherFinish; there is one per hart, in arrays made at boot, so unmapping
// allocates nothing. When an array is full the pending batch is flushed and freed, and the gather goes on.
//
// Page tables are freed right after the flush, not by RCU: a table is taken out of its parent only with mmap_lock held
// for write and when no vma is in its span, every software reader of tables holds mmap_lock or a vma in the span
// read-locked, and a hart acknowledges the flush (or is parked, outside any walk) only when its own walker has stopped.
// Under a vma-lock policy that speculates, they are freed after a grace period.

import { COUNTER_GATHER_BATCHES, RUN_FRAMES, USER_VPN_END } from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { B_M3, B_M11, MUTATIONS } from "../../memory/mutation.ts";
import { TLB_LOCAL_MM_SHOOTDOWN, TRACE_TLB_FLUSH, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { putRun } from "../frame/frame-runs.ts";
import { putSwapPage } from "../reclaim/swap-map.ts";
import { updateRssHigh } from "../rss.ts";
import { retireTable } from "./page-table.ts";

/** Opens this hart's gather for `mm`. Requires: mmap_lock, or the last user of the mm. */
export function gatherBegin(hart: Hart, mm: number): void {
  if (hart.gatherMm !== 0) throw new KernelBug("a gather is already open", { mm, open: hart.gatherMm });
  updateRssHigh(hart, mm);
  hart.gatherMm = mm;
  resetRange(hart);
}

/** An entry of the mm has changed: translations of `pages` pages from `vpn` are stale until the flush. */
export function gatherRange(hart: Hart, vpn: number, pages = 1): void {
  hart.gatherOnlyHuge = false;
  widen(hart, vpn, pages);
}

function widen(hart: Hart, vpn: number, pages: number): void {
  if (vpn < hart.gatherStart) hart.gatherStart = vpn;
  if (vpn + pages > hart.gatherEnd) hart.gatherEnd = vpn + pages;
}

/** The entry for `vpn` was cleared or lost rights. Requires: its PTL; gatherUnlock before that is dropped. */
export function gatherPte(hart: Hart, vpn: number): void {
  const { tlbFlush } = hart.policies;
  if (tlbFlush.perPte) tlbFlush.pteChanged(hart, hart.gatherMm, vpn);
  else gatherRange(hart, vpn);
}

/** The same for the leaf of level 1 that maps 2 MiB from `vpn`: a fence of any address in it drops all of it. */
export function gatherHugePte(hart: Hart, vpn: number): void {
  const { tlbFlush } = hart.policies;
  if (tlbFlush.perPte) tlbFlush.pteChanged(hart, hart.gatherMm, vpn);
  else widen(hart, vpn, RUN_FRAMES);
}

/** The PTL is about to be dropped: some policies flush now. */
export function gatherUnlock(hart: Hart): void {
  const { tlbFlush } = hart.policies;
  if (tlbFlush.perPte) tlbFlush.beforeUnlock(hart, hart.gatherMm);
}

/** The whole address space goes: even if nothing is mapped, the last flush reaches all that still have it loaded. */
export function gatherWholeMm(hart: Hart): void {
  gatherRange(hart, 0, USER_VPN_END);
}

/** `pfn` was mapped at `vpn`; its reference is dropped after the flush. Check gatherIsFull after each call. */
export function gatherPage(hart: Hart, vpn: number, pfn: number): void {
  gatherPte(hart, vpn);
  hart.gatherPages[hart.gatherPageCount++] = pfn;
}

/** The run `pfn` was mapped by a leaf of level 1 at `vpn`; its references are dropped after the flush. */
export function gatherRun(hart: Hart, vpn: number, pfn: number): void {
  gatherHugePte(hart, vpn);
  hart.gatherRuns[hart.gatherRunCount++] = pfn;
}

/** The table is no longer reachable from the root; it is freed after the flush. May flush: no PTL held. */
export function gatherTable(hart: Hart, vpn: number, pages: number, pfn: number): void {
  gatherRange(hart, vpn, pages);
  hart.gatherTables[hart.gatherTableCount++] = pfn;
  if (hart.gatherTableCount === hart.gatherTables.length) gatherFlush(hart);
}

/** True when no further page fits: gatherFlush is due, once the caller has dropped the PTL. */
export function gatherIsFull(hart: Hart): boolean {
  return hart.gatherPageCount === hart.gatherPages.length || hart.gatherRunCount === hart.gatherRuns.length;
}

/** Flushes and frees what has been gathered. Waits for other harts: no PTL may be held. */
export function gatherFlush(hart: Hart): void {
  if (MUTATIONS && hart.mutation === B_M3) freePages(hart);
  gatherFlushTlb(hart);
  freeBatch(hart);
}

/** Flushes, and frees nothing yet: before a PTL is dropped, when a page must not be written any more from there on. */
export function gatherFlushTlb(hart: Hart): void {
  if (hart.gatherEnd === 0) return;
  const pages = hart.gatherEnd - hart.gatherStart;
  // Several leaves of 2 MiB are a range that any policy flushes as a whole. (Linux: tlb_get_unmap_shift)
  const isOneHuge = hart.gatherOnlyHuge && pages === RUN_FRAMES;
  const start = MUTATIONS && hart.mutation === B_M11 && isOneHuge ? hart.gatherEnd : hart.gatherStart;
  trace(hart, TRACE_TLB_FLUSH, TLB_LOCAL_MM_SHOOTDOWN, pages, hart.gatherMm, start);
  hart.policies.tlbFlush.flush(hart, hart.gatherMm, start, isOneHuge ? 1 : pages, hart.gatherTableCount !== 0);
  resetRange(hart);
}

/** Flushes, frees and closes. */
export function gatherFinish(hart: Hart): void {
  gatherSettle(hart);
  gatherClose(hart);
}

/**
 * From here on no hart translates what was gathered: the range may be mapped anew, so mmap_lock may be dropped before
 * gatherClose frees the frames. Waits for other harts: no PTL may be held.
 */
export function gatherSettle(hart: Hart): void {
  if (MUTATIONS && hart.mutation === B_M3) freePages(hart);
  gatherFlushTlb(hart);
  // Reclaim may have cleared entries of this range whose flush it still owes.
  if (hart.policies.tlbFlush.defers) hart.policies.tlbFlush.settle(hart, hart.gatherMm);
}

/** Frees what was gathered, and closes. Requires: gatherSettle. */
export function gatherClose(hart: Hart): void {
  freeBatch(hart);
  hart.gatherMm = 0;
}

function freeBatch(hart: Hart): void {
  if (hart.gatherPageCount + hart.gatherRunCount + hart.gatherTableCount !== 0) hart.count(COUNTER_GATHER_BATCHES);
  freePages(hart);
  for (let i = 0; i < hart.gatherTableCount; i++) retireTable(hart, hart.gatherTables[i]);
  hart.gatherTableCount = 0;
  resetRange(hart);
}

function freePages(hart: Hart): void {
  for (let i = 0; i < hart.gatherPageCount; i++) putSwapPage(hart, hart.gatherPages[i]);
  hart.gatherPageCount = 0;
  for (let i = 0; i < hart.gatherRunCount; i++) putRun(hart, hart.gatherRuns[i]);
  hart.gatherRunCount = 0;
}

function resetRange(hart: Hart): void {
  hart.gatherStart = USER_VPN_END;
  hart.gatherEnd = 0;
  hart.gatherOnlyHuge = true;
}
