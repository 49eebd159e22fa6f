// Taking pages out of page tables, the entries of one lock at a time: none is held for long, and interrupts are served
// in between. What was taken out goes to the open gather.

import {
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MM_ROOT_PFN,
  MM_SWAP,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PAGE_PT_ENTRIES,
  PG_CACHE,
  PTE_COUNT,
  PTE_PPN_SHIFT,
  PTE_V,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { B_M5, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../../policy/hart.ts";
import { frameAddress, markDirty, pageOf } from "../frame/page.ts";
import { zapHuge } from "../huge/huge-entries.ts";
import { swapPut } from "../reclaim/swap-map.ts";
import { addRss, addRssKind } from "../rss.ts";
import { vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import {
  gatherFlush,
  gatherFlushTlb,
  gatherIsFull,
  gatherPage,
  gatherPte,
  gatherTable,
  gatherUnlock,
} from "./gather.ts";
import { entryAddress, findHuge, findPmd, findPte, levelPages, tablePageOf } from "./page-table.ts";
import { isMarker, isSwapPte, isTablePte, isUffdWp, PTE_BYTES, pteIsDirty, ptePfn, WP_MARKER } from "./pte.ts";
import { chunkEnd, lockPte, lockTable, unlockPte, unlockTable } from "./pte-lock.ts";
import { areEmpty, clearEntry, clearPte, setNewPte } from "./set-pte.ts";

/**
 * Empties every entry of [start, end), or with `onlyCache` those that map pages of mappings and no private copies. With
 * `keepsMarks`, of pages that can come back, userfaultfd's write protection stays. (Linux: !ZAP_FLAG_DROP_MARKER)
 * Requires: an open gather, and mmap_lock or the lock of a reverse map that holds the vmas (their tables stay).
 */
export function zapRange(
  hart: Hart,
  mm: number,
  start: number,
  end: number,
  onlyCache = false,
  keepsMarks = false,
): void {
  for (let vpn = start; vpn < end; ) {
    const pte = findPte(hart, mm, vpn);
    if (pte === 0) {
      const isHuge = findHuge(hart, mm, vpn) !== 0;
      vpn = isHuge ? zapHuge(hart, mm, vpn, end, onlyCache) : skipMissingTable(hart, mm, vpn);
      if (gatherIsFull(hart)) gatherFlush(hart);
      hart.pollIrq();
      continue;
    }
    vpn = zapChunk(hart, mm, pte, vpn, chunkEnd(vpn, end), onlyCache, keepsMarks);
    if (gatherIsFull(hart)) gatherFlush(hart);
    hart.pollIrq();
  }
}

/**
 * Empties [vpn, end), entries of one lock, until the gather is full; returns where it stopped. Also where nothing seems
 * to be there: under the lock a fault saw that it may still fill an entry, or sees after it that it may not.
 */
function zapChunk(
  hart: Hart,
  mm: number,
  first: number,
  start: number,
  end: number,
  onlyCache: boolean,
  keepsMarks: boolean,
): number {
  const { shared } = hart;
  const zeroPfn = hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  let unmapped = 0;
  let swapped = 0;
  let mustFlush = false;
  let vpn = start;
  lockPte(hart, first);
  for (let pte = first; vpn < end && !gatherIsFull(hart); vpn++, pte += PTE_BYTES) {
    const there = shared.loadOnce(pte);
    if (there === 0 || (keepsMarks && there === WP_MARKER)) continue;
    if (isMarker(there)) {
      // With onlyCache: it is of a private page that is not there, as good as one.
      if (!onlyCache) clearPte(hart, pte);
      continue;
    }
    if (isSwapPte(there)) {
      if (!onlyCache) swapped += zapSwapEntry(hart, pte);
      continue;
    }
    const page = pageOf(ptePfn(there));
    const isCache = (shared.loadOnce(page + PAGE_FLAGS) & PG_CACHE) !== 0;
    if (onlyCache && !isCache) continue;
    const old = clearPte(hart, pte);
    const pfn = ptePfn(old);
    if (keepsMarks && isUffdWp(old)) setNewPte(hart, pte, WP_MARKER);
    if (pfn === zeroPfn) {
      gatherPte(hart, vpn);
      continue;
    }
    if (isCache && pteIsDirty(old)) {
      markDirty(hart, page);
      // Whoever takes the PTL next may clean the page, and then no hart may still dirty it by an old translation.
      mustFlush = true;
    }
    shared.fetchAdd(page + PAGE_MAPCOUNT, -1);
    if (isCache) addRssKind(hart, mm, page, -1);
    gatherPage(hart, vpn, pfn);
    unmapped++;
  }
  gatherUnlock(hart);
  if (mustFlush && !(MUTATIONS && hart.mutation === B_M5)) gatherFlushTlb(hart);
  unlockPte(hart, first);
  addRss(hart, mm, -unmapped);
  if (swapped !== 0) shared.fetchAdd(mm + MM_SWAP, -swapped);
  return vpn;
}

/** Requires: PTL. A frame that only the swap cache kept goes with the gather's pages. */
export function zapSwapEntry(hart: Hart, address: number): number {
  const due = swapPut(hart, ptePfn(clearPte(hart, address)));
  if (due !== 0) hart.gatherPages[hart.gatherPageCount++] = due;
  return 1;
}

/**
 * There was no table for `vpn`, nor a leaf of level 1: the first vpn above it that another table translates; or `vpn`,
 * when there is a table by now, as after a split.
 */
export function skipMissingTable(hart: HartLocal, mm: number, vpn: number): number {
  const pmd = findPmd(hart, mm, vpn);
  if (pmd !== 0 && isTablePte(hart.shared.loadOnce(pmd))) return vpn;
  const pages = levelPages(pmd === 0 ? 2 : 1);
  return (vpn & -pages) + pages;
}

/**
 * Frees every table that translates part of [start, end), has no entry left and translates nothing of any vma (whose
 * reverse maps might lead there), and its parent if the same is true of it. Requires: mmap_lock for write (nobody fills
 * entries), an open gather. (Linux: free_pgtables with its floor and ceiling)
 */
export function freeEmptyTables(hart: Hart, mm: number, start: number, end: number): void {
  const { shared } = hart;
  const root = shared.get(mm + MM_ROOT_PFN);
  for (let vpn = start; vpn < end; vpn = (vpn & -levelPages(2)) + levelPages(2)) {
    if (shared.get(pageOf(root) + PAGE_PT_ENTRIES) === 0) return; // what is left of the user half is empty
    const entry = entryAddress(root, vpn, 2);
    const pointer = shared.loadOnce(entry);
    if ((pointer & PTE_V) === 0) continue;
    const middle = pointer >>> PTE_PPN_SHIFT;
    freeEmptyLeafTables(hart, mm, middle, vpn, Math.min(end, (vpn & -levelPages(2)) + levelPages(2)));
    if (isDead(hart, mm, middle, vpn, 1)) unlinkTable(hart, entry, vpn, 1);
    hart.pollIrq();
  }
}

function freeEmptyLeafTables(hart: Hart, mm: number, middle: number, start: number, end: number): void {
  const { shared } = hart;
  for (let vpn = start; vpn < end; vpn = (vpn & -levelPages(1)) + levelPages(1)) {
    if (shared.get(pageOf(middle) + PAGE_PT_ENTRIES) === 0) return;
    const entry = entryAddress(middle, vpn, 1);
    const pointer = shared.loadOnce(entry);
    if (!isTablePte(pointer)) continue;
    if (isDead(hart, mm, pointer >>> PTE_PPN_SHIFT, vpn, 0)) unlinkTable(hart, entry, vpn, 0);
  }
}

/** Has the table of `level` that translates `vpn` no entry, and is it of no use to any vma? */
function isDead(hart: Hart, mm: number, table: number, vpn: number, level: number): boolean {
  if (level !== 0 && hart.shared.get(pageOf(table) + PAGE_PT_ENTRIES) !== 0) return false;
  const pages = levelPages(level + 1);
  const first = vpn & -pages;
  const vma = vmaFind(hart, mm, first);
  if (vma !== 0 && vmaStart(hart, vma) < first + pages) return false;
  return level !== 0 || areEmpty(hart, frameAddress(table), PTE_COUNT);
}

/** Takes the empty table of `level` behind `entry` out of its parent, and gives it to the gather. */
function unlinkTable(hart: Hart, entry: number, vpn: number, level: number): void {
  const parent = tablePageOf(entry);
  lockTable(hart, parent);
  const pointer = clearEntry(hart, entry, parent);
  unlockTable(hart, parent);
  const pages = levelPages(level + 1);
  gatherTable(hart, vpn & -pages, pages, pointer >>> PTE_PPN_SHIFT);
}
