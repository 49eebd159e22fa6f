// The opposite of a split: 512 pages and holes of private memory are copied into a run, which one leaf of level 1 maps
// from then on; their table is kept for the next split. (Linux: collapse_huge_page in mm/khugepaged.c)
//
// Nobody may see the table meanwhile: mmap_lock for write keeps system calls out, the vma locked for write faults, the
// lock of its reverse map reclaim, until the entry of level 1 is 0; and after a flush of all of the mm, page-walk
// caches too, no hart. Then the copy may take its time: whoever comes finds nothing and waits for mmap_lock.

import {
  ACCESS_LOAD,
  COUNTER_THP_COLLAPSE_ALLOC,
  COUNTER_THP_COLLAPSE_ALLOC_FAILED,
  MACHINE_BASE,
  MACHINE_KHUGEPAGED_MAX_PTES_NONE,
  MACHINE_KHUGEPAGED_MAX_PTES_SHARED,
  MACHINE_KHUGEPAGED_MAX_PTES_SWAP,
  MACHINE_ZERO_PFN,
  PAGE_BYTES,
  PAGE_MAPCOUNT,
  PTE_A,
  RUN_FRAMES,
  VM_NOHUGEPAGE,
  VMA_FLAGS,
} from "../../../assembly/layout.ts";
import { TLB_LOCAL_MM_SHOOTDOWN, TRACE_TLB_FLUSH, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { handleMmFault } from "../fault/fault.ts";
import { FAULT_OK } from "../fault/fault-outcome.ts";
import { allocRun, putRun, regroupFrames } from "../frame/frame-runs.ts";
import { frameAddress, pageOf } from "../frame/page.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { rmapLock, rmapUnlock } from "../rmap/rmap-link.ts";
import { addRss, flushRss } from "../rss.ts";
import { gatherBegin, gatherFinish } from "../table/gather.ts";
import { findPmd, tablePageOf } from "../table/page-table.ts";
import { isHugePte, isSwapPte, isTablePte, PTE_BYTES, ptePfn, tablePte } from "../table/pte.ts";
import { lockTable, unlockTable } from "../table/pte-lock.ts";
import { clearEntry, isReaped, setNewEntry } from "../table/set-pte.ts";
import { vmaEnd, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { fitsHuge, installHuge, makeAnonRun, POLL_PAGES } from "./huge.ts";

/** (Linux: enum scan_result) */
export const COLLAPSED = 0;
export const COLLAPSE_IS_HUGE = 1; // there is a leaf already
export const COLLAPSE_NO_TABLE = 2; // nothing was ever mapped
export const COLLAPSE_NO_RUN = 3;
export const COLLAPSE_NOT_ELIGIBLE = 4;
export const COLLAPSE_SWAPPED = 5; // some page is not in memory, and could not be had or was gone again
export const COLLAPSE_NOT_USED = 6; // khugepaged only: not worth it

/**
 * Collapses the 2 MiB from `base`: COLLAPSE_*. With `ifUsed` only where it is worth it: khugepaged; else because the
 * guest asked for it. Takes mmap_lock, several times: no lock held; may read swapped pages.
 */
export function collapse(hart: Hart, mm: number, base: number, ifUsed: boolean): number {
  const seen = scan(hart, mm, base, ifUsed);
  if (seen !== COLLAPSED) return seen;
  const pfn = allocRun(hart) || (regroupFrames(hart) ? allocRun(hart) : 0);
  if (pfn === 0) {
    hart.count(COUNTER_THP_COLLAPSE_ALLOC_FAILED);
    return COLLAPSE_NO_RUN;
  }
  mmapWriteLock(hart, mm);
  const result = collapseInto(hart, mm, base, pfn);
  mmapWriteUnlock(hart, mm);
  flushRss(hart); // of an mm that this hart may never meet again
  if (result === COLLAPSED) hart.count(COUNTER_THP_COLLAPSE_ALLOC);
  else putRun(hart, pfn);
  return result;
}

/** Has the vma room for a leaf, and nothing against it? (Linux: thp_vma_allowable_order, outside of faults) */
export function mayCollapse(hart: Hart, vma: number): boolean {
  if ((hart.shared.get(vma + VMA_FLAGS) & VM_NOHUGEPAGE) !== 0) return false;
  return fitsHuge(hart, vma, vmaEnd(hart, vma) - RUN_FRAMES);
}

/** The vma that holds the 2 MiB from `base` and may have a leaf there, or 0. Requires: mmap_lock. */
function eligibleVma(hart: Hart, mm: number, base: number): number {
  const vma = vmaFind(hart, mm, base);
  if (vma === 0 || vmaStart(hart, vma) > base || !fitsHuge(hart, vma, base) || isReaped(hart, mm)) return 0;
  return (hart.shared.get(vma + VMA_FLAGS) & VM_NOHUGEPAGE) === 0 ? vma : 0;
}

/** What is there? Brings swapped pages back. (Linux: hpage_collapse_scan_pmd, __collapse_huge_page_swapin) */
function scan(hart: Hart, mm: number, base: number, ifUsed: boolean): number {
  const swapped: number[] = [];
  mmapReadLock(hart, mm);
  const result = eligibleVma(hart, mm, base) === 0 ? COLLAPSE_NOT_ELIGIBLE : scanTable(hart, mm, base, ifUsed, swapped);
  mmapReadUnlock(hart, mm);
  if (result !== COLLAPSED) return result;
  for (const vpn of swapped) {
    if (handleMmFault(hart, mm, vpn * PAGE_BYTES, ACCESS_LOAD) !== FAULT_OK) return COLLAPSE_SWAPPED;
  }
  return COLLAPSED;
}

/** Requires: mmap_lock for read. */
function scanTable(hart: Hart, mm: number, base: number, ifUsed: boolean, swapped: number[]): number {
  const { shared } = hart;
  const pmd = findPmd(hart, mm, base);
  const pointer = pmd === 0 ? 0 : shared.loadOnce(pmd);
  if (pointer === 0) return COLLAPSE_NO_TABLE;
  if (isHugePte(pointer)) return COLLAPSE_IS_HUGE;
  let used = 0;
  let shares = 0;
  let empty = 0;
  for (let i = 0; i < RUN_FRAMES; i++) {
    const pte = shared.loadOnce(frameAddress(ptePfn(pointer)) + i * PTE_BYTES);
    if (pte !== 0 && isSwapPte(pte)) swapped.push(base + i);
    else if (pte === 0) empty++;
    else if (shared.loadOnce(pageOf(ptePfn(pte)) + PAGE_MAPCOUNT) > 1) shares++;
    if ((pte & PTE_A) !== 0 && !isSwapPte(pte)) used++;
  }
  if (!ifUsed) return COLLAPSED;
  const isWorthIt =
    used > 0 &&
    swapped.length <= shared.loadOnce(MACHINE_BASE + MACHINE_KHUGEPAGED_MAX_PTES_SWAP) &&
    shares <= shared.loadOnce(MACHINE_BASE + MACHINE_KHUGEPAGED_MAX_PTES_SHARED) &&
    empty <= shared.loadOnce(MACHINE_BASE + MACHINE_KHUGEPAGED_MAX_PTES_NONE);
  return isWorthIt ? COLLAPSED : COLLAPSE_NOT_USED;
}

/** Requires: mmap_lock for write. */
function collapseInto(hart: Hart, mm: number, base: number, pfn: number): number {
  const vma = eligibleVma(hart, mm, base);
  if (vma === 0) return COLLAPSE_NOT_ELIGIBLE;
  hart.policies.vmaLock.startWrite(hart, mm, vma);
  const pmd = findPmd(hart, mm, base);
  const pointer = pmd === 0 ? 0 : hart.shared.loadOnce(pmd);
  if (isHugePte(pointer)) return COLLAPSE_IS_HUGE;
  if (!isTablePte(pointer)) return COLLAPSE_NO_TABLE;
  gatherBegin(hart, mm);
  const table = hideTable(hart, mm, vma, base, pmd);
  const isComplete = !hasSwapped(hart, table);
  if (isComplete) {
    makeAnonRun(hart, vma, base, pfn);
    copyPages(hart, table, pfn);
    const resident = emptyTable(hart, table);
    installHuge(hart, mm, vma, pmd, pfn, table);
    addRss(hart, mm, -resident);
  } else {
    const parent = tablePageOf(pmd);
    lockTable(hart, parent);
    setNewEntry(hart, pmd, parent, tablePte(table));
    unlockTable(hart, parent);
  }
  gatherFinish(hart);
  return isComplete ? COLLAPSED : COLLAPSE_SWAPPED;
}

/** Takes the table out of its parent: nobody reads or changes it, or writes to its pages, when this returns its pfn. */
function hideTable(hart: Hart, mm: number, vma: number, base: number, pmd: number): number {
  const { tlbFlush } = hart.policies;
  const parent = tablePageOf(pmd);
  rmapLock(hart, vma);
  lockTable(hart, parent);
  const pointer = clearEntry(hart, pmd, parent);
  unlockTable(hart, parent);
  trace(hart, TRACE_TLB_FLUSH, TLB_LOCAL_MM_SHOOTDOWN, RUN_FRAMES, mm, base);
  tlbFlush.flush(hart, mm, base, RUN_FRAMES, true);
  if (tlbFlush.defers) tlbFlush.settle(hart, mm);
  rmapUnlock(hart, vma);
  return ptePfn(pointer);
}

function hasSwapped(hart: Hart, table: number): boolean {
  for (let i = 0; i < RUN_FRAMES; i++) {
    const pte = hart.shared.get(frameAddress(table) + i * PTE_BYTES);
    if (pte !== 0 && isSwapPte(pte)) return true;
  }
  return false;
}

function copyPages(hart: Hart, table: number, pfn: number): void {
  const { shared, core } = hart;
  const zeroPfn = shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  for (let i = 0; i < RUN_FRAMES; i++) {
    if (i % POLL_PAGES === 0) hart.pollIrq();
    const pte = shared.get(frameAddress(table) + i * PTE_BYTES);
    if (pte === 0 || ptePfn(pte) === zeroPfn) core.zeroPage(frameAddress(pfn + i));
    else core.copyPage(frameAddress(pfn + i), frameAddress(ptePfn(pte)));
  }
}

/** Gives the pages of the table to the gather: how many there were. The flush that they need is over. */
function emptyTable(hart: Hart, table: number): number {
  const { shared } = hart;
  const zeroPfn = shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  let resident = 0;
  for (let i = 0; i < RUN_FRAMES; i++) {
    if (i % POLL_PAGES === 0) hart.pollIrq();
    const pte = shared.get(frameAddress(table) + i * PTE_BYTES);
    if (pte === 0 || ptePfn(pte) === zeroPfn) continue;
    shared.fetchAdd(pageOf(ptePfn(pte)) + PAGE_MAPCOUNT, -1);
    hart.gatherPages[hart.gatherPageCount++] = ptePfn(pte);
    resident++;
  }
  hart.core.zeroPage(frameAddress(table));
  return resident;
}
