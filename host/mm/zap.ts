// Taking pages out of page tables: one table at a time, its entries in chunks, so that no PTL is held for long and
// interrupts are served in between. What was taken out goes to the open gather.

import {
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MM_ROOT_PFN,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PAGE_PT_ENTRIES,
  PG_ANON,
  PTE_COUNT,
  PTE_PPN_SHIFT,
  PTE_V,
} from "../../assembly/layout.ts";
import { B_M5, MUTATIONS } from "../memory/mutation.ts";
import type { Hart } from "../policy/hart.ts";
import { pageOf } from "./frames.ts";
import {
  gatherFlush,
  gatherFlushTlb,
  gatherIsFull,
  gatherPage,
  gatherPte,
  gatherTable,
  gatherUnlock,
} from "./gather.ts";
import {
  clearPte,
  entryAddress,
  findPte,
  levelPages,
  lockTable,
  PTE_BYTES,
  tablePageOf,
  unlockTable,
} from "./page-table.ts";
import { pteIsDirty, ptePfn } from "./pte.ts";
import { addRss } from "./rss.ts";

/** Entries handled between two polls. */
export const CHUNK_PAGES = 64;

/** Empties every entry of [start, end). Requires: mmap_lock, an open gather. */
export function zapRange(hart: Hart, mm: number, start: number, end: number): void {
  for (let vpn = start; vpn < end; ) {
    const pte = findPte(hart, mm, vpn);
    if (pte === 0) {
      vpn = skipMissingTable(hart, mm, vpn);
      continue;
    }
    const page = tablePageOf(pte);
    const tableEnd = Math.min(end, (vpn | (PTE_COUNT - 1)) + 1);
    if (hart.shared.loadOnce(page + PAGE_PT_ENTRIES) === 0) {
      vpn = tableEnd;
      continue;
    }
    const chunkEnd = Math.min(tableEnd, vpn + CHUNK_PAGES);
    vpn = zapChunk(hart, mm, pte, page, vpn, chunkEnd);
    if (gatherIsFull(hart)) gatherFlush(hart);
    hart.pollIrq();
  }
}

/** Empties [vpn, end) of one table until the gather is full; returns where it stopped. */
function zapChunk(hart: Hart, mm: number, pte: number, page: number, vpn: number, end: number): number {
  const zeroPfn = hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  let unmapped = 0;
  let mustFlush = false;
  lockTable(hart, page);
  for (; vpn < end && !gatherIsFull(hart); vpn++, pte += PTE_BYTES) {
    if (hart.shared.loadOnce(pte) === 0) continue;
    const old = clearPte(hart, pte, page);
    const pfn = ptePfn(old);
    if (pfn === zeroPfn) {
      gatherPte(hart, vpn);
      continue;
    }
    // Whoever takes the PTL next may clean the page, and then no hart may still dirty it through an old translation.
    if (pteIsDirty(old) && (hart.shared.get(pageOf(pfn) + PAGE_FLAGS) & PG_ANON) === 0) mustFlush = true;
    hart.shared.fetchAdd(pageOf(pfn) + PAGE_MAPCOUNT, -1);
    gatherPage(hart, vpn, pfn);
    unmapped++;
  }
  gatherUnlock(hart);
  if (mustFlush && !(MUTATIONS && hart.mutation === B_M5)) gatherFlushTlb(hart);
  unlockTable(hart, page);
  addRss(hart, mm, -unmapped);
  return vpn;
}

/** First vpn above `vpn` that a table other than the missing one translates. Requires: no leaf table for vpn. */
export function skipMissingTable(hart: Hart, mm: number, vpn: number): number {
  const root = hart.shared.get(mm + MM_ROOT_PFN);
  const entry = hart.shared.loadAcquire(entryAddress(root, vpn, 2));
  const pages = levelPages((entry & PTE_V) === 0 ? 2 : 1);
  return (vpn & -pages) + pages;
}

/**
 * Frees every table that translates part of [start, end) and has no entry left, and its parent if that is empty too.
 * Requires: mmap_lock for write (nobody fills entries), an open gather. (Linux: free_pgtables)
 */
export function freeEmptyTables(hart: Hart, mm: number, start: number, end: number): void {
  const { shared } = hart;
  const root = shared.get(mm + MM_ROOT_PFN);
  for (let vpn = start; vpn < end; vpn = (vpn & -levelPages(2)) + levelPages(2)) {
    const entry = entryAddress(root, vpn, 2);
    const pointer = shared.loadOnce(entry);
    if ((pointer & PTE_V) === 0) continue;
    const middle = pointer >>> PTE_PPN_SHIFT;
    freeEmptyLeafTables(hart, middle, vpn, Math.min(end, (vpn & -levelPages(2)) + levelPages(2)));
    if (shared.get(pageOf(middle) + PAGE_PT_ENTRIES) === 0) unlinkTable(hart, entry, vpn, 1);
    hart.pollIrq();
  }
}

function freeEmptyLeafTables(hart: Hart, middle: number, start: number, end: number): void {
  const { shared } = hart;
  for (let vpn = start; vpn < end; vpn = (vpn & -levelPages(1)) + levelPages(1)) {
    const entry = entryAddress(middle, vpn, 1);
    const pointer = shared.loadOnce(entry);
    if ((pointer & PTE_V) === 0) continue;
    if (shared.get(pageOf(pointer >>> PTE_PPN_SHIFT) + PAGE_PT_ENTRIES) === 0) unlinkTable(hart, entry, vpn, 0);
  }
}

/** Takes the empty table of `level` behind `entry` out of its parent, and gives it to the gather. */
function unlinkTable(hart: Hart, entry: number, vpn: number, level: number): void {
  const parent = tablePageOf(entry);
  lockTable(hart, parent);
  const pointer = clearPte(hart, entry, parent);
  unlockTable(hart, parent);
  const pages = levelPages(level + 1);
  gatherTable(hart, vpn & -pages, pages, pointer >>> PTE_PPN_SHIFT);
}
