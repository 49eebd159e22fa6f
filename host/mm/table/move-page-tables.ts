// Moves the pages of one range to another: the second half of mremap. (Linux: move_page_tables in mm/mremap.c)

import { PTE_COUNT, RUN_FRAMES } from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { moveHuge } from "../huge/huge-entries.ts";
import { splitHuge } from "../huge/huge-split.ts";
import { rmapLock, rmapUnlock } from "../rmap/rmap-link.ts";
import { gatherBegin, gatherFinish, gatherPte, gatherUnlock } from "./gather.ts";
import { allocEntry, allocPte, findHuge, findPte } from "./page-table.ts";
import { clearUffdWp, PTE_BYTES } from "./pte.ts";
import { chunkEnd, lockTwoPtes, unlockTwoPtes } from "./pte-lock.ts";
import { clearPte, setNewPte } from "./set-pte.ts";
import { skipMissingTable } from "./zap.ts";

/**
 * Moves the entries of `pages` vpns at `from`, which `vma` or its like covers, to `to`, where no page is mapped; the
 * ranges do not overlap. When it returns, no hart translates the old range any more. False: no memory for page tables,
 * and nothing has moved. `keepsMarks`: what userfaultfd has write-protected stays so. Requires: mmap_lock for write.
 * Waits.
 */
export function movePageTables(
  hart: Hart,
  mm: number,
  vma: number,
  from: number,
  to: number,
  pages: number,
  keepsMarks: boolean,
): boolean {
  // First of all: what is prepared must hold for what faults and reclaim leave there.
  hart.policies.vmaLock.startWrite(hart, mm, vma);
  // A walker of a reverse map must not look at the target before a page came and at the source when it has gone.
  rmapLock(hart, vma);
  const isPrepared = prepareTarget(hart, mm, from, to, pages);
  if (isPrepared) moveAll(hart, mm, from, to, pages, keepsMarks);
  rmapUnlock(hart, vma);
  return isPrepared;
}

function moveAll(hart: Hart, mm: number, from: number, to: number, pages: number, keepsMarks: boolean): void {
  gatherBegin(hart, mm);
  for (let vpn = from; vpn < from + pages; ) {
    const target = to + (vpn - from);
    const pte = findPte(hart, mm, vpn);
    if (pte === 0 && findHuge(hart, mm, vpn) !== 0) {
      moveHuge(hart, mm, vpn, target);
      vpn += RUN_FRAMES;
      hart.pollIrq();
      continue;
    }
    if (pte === 0) {
      vpn = skipMissingTable(hart, mm, vpn);
      continue;
    }
    const end = from + pages;
    const count = Math.min(chunkEnd(vpn, end) - vpn, chunkEnd(target, to + pages) - target);
    moveEntries(hart, pte, findPte(hart, mm, target), vpn, count, keepsMarks);
    vpn += count;
    hart.pollIrq();
  }
  gatherFinish(hart);
}

/** Makes the tables that the moved entries will need, so that the move itself can not fail half-way. */
function prepareTarget(hart: Hart, mm: number, from: number, to: number, pages: number): boolean {
  for (let vpn = from; vpn < from + pages; ) {
    const target = to + (vpn - from);
    if (findHuge(hart, mm, vpn) !== 0) {
      if (isWholeLeaf(vpn, target, from + pages)) {
        const pmd = allocEntry(hart, mm, target, 1);
        if (pmd === 0) return false;
        if (hart.shared.loadOnce(pmd) === 0) {
          vpn += RUN_FRAMES;
          hart.pollIrq();
          continue;
        }
      }
      splitHuge(hart, mm, vpn);
    }
    if (findPte(hart, mm, vpn) === 0) {
      vpn = skipMissingTable(hart, mm, vpn);
      continue;
    }
    if (allocPte(hart, mm, target) === 0) return false;
    vpn += Math.min(restOfTable(vpn), restOfTable(target));
    hart.pollIrq();
  }
  return true;
}

/** Entries of one lock to entries of one other. Requires: mmap_lock for write. */
function moveEntries(
  hart: Hart,
  source: number,
  target: number,
  vpn: number,
  count: number,
  keepsMarks: boolean,
): void {
  lockTwoPtes(hart, source, target);
  for (let i = 0; i < count; i++) {
    if (hart.shared.loadOnce(source + i * PTE_BYTES) === 0) continue;
    const pte = clearPte(hart, source + i * PTE_BYTES);
    const moved = keepsMarks ? pte : clearUffdWp(pte);
    if (moved !== 0) setNewPte(hart, target + i * PTE_BYTES, moved);
    gatherPte(hart, vpn + i);
  }
  gatherUnlock(hart);
  unlockTwoPtes(hart, source, target);
}

/** Can the leaf at `vpn` of a range that ends at `end` be moved as it is? (Linux: get_extent) */
function isWholeLeaf(vpn: number, target: number, end: number): boolean {
  return vpn % RUN_FRAMES === 0 && target % RUN_FRAMES === 0 && end - vpn >= RUN_FRAMES;
}

function restOfTable(vpn: number): number {
  return PTE_COUNT - (vpn & (PTE_COUNT - 1));
}
