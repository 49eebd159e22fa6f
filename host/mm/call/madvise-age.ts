// Advice about pages that are not needed soon, or not any more. (Linux: madvise_cold, madvise_pageout and madvise_free
// in mm/madvise.c)
//
//   MADV_COLD      as if unused for long: the next that reclaim looks at
//   MADV_PAGEOUT   out of memory, now
//   MADV_FREE      the bytes may be lost, until the next write to the page: that takes the advice back. A clean entry
//                  (PTE_D) of a page with PG_LAZYFREE tells reclaim that nobody has written since.
//
// Pages that others map too are left alone.

import {
  COUNTER_PGLAZYFREE,
  LRU_FILE,
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MM_SWAP,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PG_LAZYFREE,
  PG_REFERENCED,
  PG_SWAPCACHE,
  PTE_A,
  PTE_D,
  VM_LOCKED,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import { EINTR, EINVAL, ENOMEM } from "../../memory/errno.ts";
import { fatalSignalPending } from "../../memory/signal-pending.ts";
import type { Hart } from "../../policy/hart.ts";
import { pageOf } from "../frame/page.ts";
import { getPage, putPage } from "../frame/page-refs.ts";
import { splitHuge } from "../huge/huge-split.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { kindOf, LRU_INACTIVE, lruDel, lruPut } from "../reclaim/lru.ts";
import { swapDetach } from "../reclaim/swap-map.ts";
import { reclaimPages } from "../reclaim/vmscan.ts";
import { gatherBegin, gatherFinish, gatherFlush, gatherIsFull, gatherPte, gatherUnlock } from "../table/gather.ts";
import { findPte } from "../table/page-table.ts";
import { isMarker, isSwapPte, PTE_BYTES, ptePfn } from "../table/pte.ts";
import { chunkEnd, lockPte, unlockPte } from "../table/pte-lock.ts";
import { skipMissingTable, zapSwapEntry } from "../table/zap.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

/** MADV_COLD of a part of a vma: 0 or -EINVAL. Requires: mmap_lock for read. */
export function adviseCold(hart: Hart, mm: number, vma: number, start: number, end: number): number {
  if ((vmaFlags(hart, vma) & VM_LOCKED) !== 0) return -EINVAL;
  gatherBegin(hart, mm);
  eachChunk(hart, mm, start, end, coolChunk);
  gatherFinish(hart);
  return 0;
}

/** MADV_FREE of a part of a vma: 0 or -EINVAL. Requires: mmap_lock for read. */
export function adviseFree(hart: Hart, mm: number, vma: number, start: number, end: number): number {
  if ((vmaFlags(hart, vma) & VM_LOCKED) !== 0 || hart.shared.get(vma + VMA_MAPPING) !== 0) return -EINVAL;
  gatherBegin(hart, mm);
  eachChunk(hart, mm, start, end, freeChunk);
  gatherFinish(hart);
  return 0;
}

/** MADV_PAGEOUT: 0 or -errno; holes as in walkVmas. No lock held; writes to the host. */
export function pageOutRange(hart: Hart, mm: number, start: number, end: number): number {
  let unmapped = 0;
  for (let vpn = start; vpn < end; ) {
    mmapReadLock(hart, mm);
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) >= end) {
      mmapReadUnlock(hart, mm);
      return -ENOMEM;
    }
    if (vmaStart(hart, vma) > vpn) unmapped = -ENOMEM;
    const isLocked = (vmaFlags(hart, vma) & VM_LOCKED) !== 0;
    const first = Math.max(vpn, vmaStart(hart, vma));
    vpn = isLocked ? end : collect(hart, mm, first, Math.min(end, vmaEnd(hart, vma)));
    mmapReadUnlock(hart, mm);
    if (isLocked) return -EINVAL;
    reclaimPages(hart, hart.isolatedCount);
    hart.pollIrq();
    if (fatalSignalPending(hart)) return -EINTR;
  }
  return unmapped;
}

/** Calls `visit` with pieces of tables; it returns where it stopped. Requires: an open gather. */
function eachChunk(
  hart: Hart,
  mm: number,
  start: number,
  end: number,
  visit: (hart: Hart, mm: number, first: number, vpn: number, end: number) => number,
): void {
  for (let vpn = start; vpn < end; ) {
    splitHuge(hart, mm, vpn); // pages age one by one
    const pte = findPte(hart, mm, vpn);
    if (pte === 0) {
      vpn = skipMissingTable(hart, mm, vpn);
      continue;
    }
    lockPte(hart, pte);
    vpn = visit(hart, mm, pte, vpn, chunkEnd(vpn, end));
    gatherUnlock(hart);
    unlockPte(hart, pte);
    if (gatherIsFull(hart)) gatherFlush(hart);
    hart.pollIrq();
  }
}

/** Requires: PTL. */
function coolChunk(hart: Hart, _mm: number, first: number, start: number, end: number): number {
  for (let vpn = start, pte = first; vpn < end; vpn++, pte += PTE_BYTES) {
    const pfn = ownPage(hart, pte);
    if (pfn === 0) continue;
    if ((hart.shared.fetchAnd(pte, ~PTE_A) & PTE_A) !== 0) gatherPte(hart, vpn);
    deactivate(hart, pfn);
  }
  return end;
}

/** Requires: PTL. */
function freeChunk(hart: Hart, mm: number, first: number, start: number, end: number): number {
  const { shared } = hart;
  let vpn = start;
  for (let pte = first; vpn < end && !gatherIsFull(hart); vpn++, pte += PTE_BYTES) {
    if (isMarker(shared.loadOnce(pte))) continue;
    if (isSwapPte(shared.loadOnce(pte))) {
      zapSwapEntry(hart, pte);
      shared.fetchAdd(mm + MM_SWAP, -1);
      continue;
    }
    const pfn = ownPage(hart, pte);
    if (pfn === 0 || !leaveSwapCache(hart, pfn)) continue;
    const page = pageOf(pfn);
    if ((shared.fetchAnd(pte, ~(PTE_A | PTE_D)) & (PTE_A | PTE_D)) !== 0) gatherPte(hart, vpn);
    if ((shared.fetchOr(page + PAGE_FLAGS, PG_LAZYFREE) & PG_LAZYFREE) === 0) hart.count(COUNTER_PGLAZYFREE);
    deactivate(hart, pfn);
  }
  return vpn;
}

/** Frame of a page that this entry alone maps, else 0. Requires: PTL. */
function ownPage(hart: Hart, pte: number): number {
  const { shared } = hart;
  const entry = shared.loadOnce(pte);
  if (entry === 0 || isSwapPte(entry)) return 0;
  const pfn = ptePfn(entry);
  if (pfn === shared.get(MACHINE_BASE + MACHINE_ZERO_PFN)) return 0;
  return shared.loadOnce(pageOf(pfn) + PAGE_MAPCOUNT) === 1 ? pfn : 0;
}

/** False: others may want what the swap store has of it. Requires: PTL of the only entry. */
function leaveSwapCache(hart: Hart, pfn: number): boolean {
  if ((hart.shared.loadOnce(pageOf(pfn) + PAGE_FLAGS) & PG_SWAPCACHE) === 0) return true;
  if (!swapDetach(hart, pfn, 1, false)) return false;
  putPage(hart, pfn); // the cache's; the entry has its own
  return true;
}

/** To the young end of an inactive list. Requires: PTL of an entry that maps it. (folio_deactivate) */
function deactivate(hart: Hart, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  const flags = shared.fetchAnd(page + PAGE_FLAGS, ~PG_REFERENCED);
  // If it is on no list, reclaim has it in its hands.
  if (lruDel(hart, page)) lruPut(hart, pfn, ((flags & PG_LAZYFREE) !== 0 ? LRU_FILE : kindOf(flags)) | LRU_INACTIVE);
}

/** Pages of [start, end) to hart.isolated, each with a reference, until that is full; returns where it stopped. */
function collect(hart: Hart, mm: number, start: number, end: number): number {
  hart.isolatedCount = 0;
  splitHuge(hart, mm, start);
  const pte = findPte(hart, mm, start);
  if (pte === 0) return Math.min(skipMissingTable(hart, mm, start), end);
  const stop = chunkEnd(start, Math.min(end, start + hart.isolated.length));
  lockPte(hart, pte);
  for (let vpn = start; vpn < stop; vpn++) {
    const pfn = ownPage(hart, pte + (vpn - start) * PTE_BYTES);
    if (pfn === 0) continue;
    getPage(hart, pfn);
    hart.isolated[hart.isolatedCount++] = pfn;
  }
  unlockPte(hart, pte);
  return stop;
}
