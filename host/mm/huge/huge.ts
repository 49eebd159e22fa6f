// Huge pages: 2 MiB of private memory in one leaf of level 1, in areas that asked for them by MADV_HUGEPAGE. What a
// fault makes of them. (Linux: mm/huge_memory.c; transparent_hugepage/enabled is "madvise", use_zero_page is 0)
//
// The 512 frames keep their own counts (frame-runs.ts), so a leaf counts as 512 entries in all of them.

import {
  ACCESS_STORE,
  COUNTER_SPURIOUS_FAULT,
  COUNTER_THP_FAULT_ALLOC,
  COUNTER_THP_FAULT_FALLBACK,
  MM_HUGE_LEAVES,
  MM_KHUGEPAGED,
  PAGE_BYTES,
  PTE_A,
  PTE_D,
  PTE_W,
  RUN_FRAMES,
  VM_SHARED,
  VMA_FLAGS,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { Hart } from "../../policy/hart.ts";
import { isExclusive, makeAnon } from "../fault/anon.ts";
import { allocRun, putRun } from "../frame/frame-runs.ts";
import { frameAddress } from "../frame/page.ts";
import { addRss } from "../rss.ts";
import { allocEntry, allocTable, findPmd, freeTable, tablePageOf } from "../table/page-table.ts";
import { isGoodFor, isHugePte, leafPte, ptePfn } from "../table/pte.ts";
import { lockTable, unlockTable } from "../table/pte-lock.ts";
import { isReaped, setNewEntry } from "../table/set-pte.ts";
import { VM_UFFD, vmaEnd, vmaStart } from "../vma/vma.ts";
import { depositTable, splitHuge } from "./huge-split.ts";
import { wantsHuge } from "./thp.ts";

/** Pages handled between two polls. */
export const POLL_PAGES = 64;

/** Could the 2 MiB around `vpn` be one leaf, if the area wants that? (Linux: thp_vma_allowable_order) */
export function fitsHuge(hart: Hart, vma: number, vpn: number): boolean {
  const { shared } = hart;
  const base = vpn & -RUN_FRAMES;
  if (vmaStart(hart, vma) > base || vmaEnd(hart, vma) < base + RUN_FRAMES) return false;
  return shared.get(vma + VMA_MAPPING) === 0 && (shared.get(vma + VMA_FLAGS) & (VM_SHARED | VM_UFFD)) === 0;
}

/**
 * A fault at `vpn`: maps 2 MiB of zeros if the area wants it and nothing is there yet. False: a page of 4 KiB has to
 * do. Requires: mmap_lock for read. (Linux: do_huge_pmd_anonymous_page)
 */
export function mapHugeFrames(hart: Hart, mm: number, vma: number, vpn: number): boolean {
  const { shared } = hart;
  if (!wantsHuge(shared, shared.get(vma + VMA_FLAGS)) || !fitsHuge(hart, vma, vpn)) return false;
  if (shared.loadOnce(mm + MM_KHUGEPAGED) === 0) enterKhugepaged(hart, mm);
  const pmd = allocEntry(hart, mm, vpn, 1);
  if (pmd === 0 || shared.loadOnce(pmd) !== 0) return false;
  const base = vpn & -RUN_FRAMES;
  const table = allocTable(hart, mm, base, 0);
  const pfn = table === 0 ? 0 : allocRun(hart);
  if (pfn === 0) {
    if (table !== 0) freeTable(hart, table);
    hart.count(COUNTER_THP_FAULT_FALLBACK);
    return false;
  }
  makeAnonRun(hart, vma, base, pfn);
  zeroRun(hart, pfn);
  if (installHuge(hart, mm, vma, pmd, pfn, table)) {
    hart.count(COUNTER_THP_FAULT_ALLOC);
    return true;
  }
  freeTable(hart, table);
  putRun(hart, pfn);
  return false;
}

/** What does not get huge pages now may later. (khugepaged_enter_vma) */
function enterKhugepaged(hart: Hart, mm: number): void {
  hart.shared.storeRelease(mm + MM_KHUGEPAGED, 1);
  hart.wakeKhugepaged?.();
}

/** The new run is mapped once, for the pages of the vma from `base` up. */
export function makeAnonRun(hart: Hart, vma: number, base: number, pfn: number): void {
  for (let i = 0; i < RUN_FRAMES; i++) {
    if (i % POLL_PAGES === 0) hart.pollIrq();
    makeAnon(hart, vma, base + i, pfn + i);
  }
}

/** Maps the run by the entry of level 1 at `pmd`, with `table` for its split; false if something is there. */
export function installHuge(hart: Hart, mm: number, vma: number, pmd: number, pfn: number, table: number): boolean {
  const { shared } = hart;
  const parent = tablePageOf(pmd);
  lockTable(hart, parent);
  const isEmpty = shared.loadOnce(pmd) === 0 && !isReaped(hart, mm);
  if (isEmpty) {
    depositTable(hart, parent, table);
    setNewEntry(hart, pmd, parent, leafPte(pfn, shared.get(vma + VMA_FLAGS), true) | PTE_D);
    shared.fetchAdd(mm + MM_HUGE_LEAVES, 1);
  }
  unlockTable(hart, parent);
  if (isEmpty) addRss(hart, mm, RUN_FRAMES);
  return isEmpty;
}

/**
 * A fault at a page that a leaf of level 1 maps. False: there is none any more, the fault has to look again. Requires:
 * mmap_lock for read. (Linux: do_huge_pmd_wp_page, huge_pmd_set_accessed)
 */
export function faultOnHuge(hart: Hart, mm: number, vma: number, vpn: number, access: number): boolean {
  const { shared } = hart;
  const pmd = findPmd(hart, mm, vpn);
  for (;;) {
    const pte = shared.loadOnce(pmd);
    if (!isHugePte(pte)) return false;
    let next = pte | (access === ACCESS_STORE ? PTE_A | PTE_D : PTE_A);
    if (access === ACCESS_STORE && (pte & PTE_W) === 0) {
      if (!isRunExclusive(hart, ptePfn(pte), shared.get(vma + VMA_FLAGS))) {
        // Shared by fork: copied page by page, as they are written to.
        splitHuge(hart, mm, vpn);
        return false;
      }
      next |= PTE_W;
    }
    if (!isGoodFor(next, access)) throw new KernelBug("huge page-table entry disagrees with its vma", { vpn, pte });
    if (next === pte) hart.count(COUNTER_SPURIOUS_FAULT);
    if (next !== pte && shared.compareExchange(pmd, pte, next) !== pte) continue;
    hart.core.flushVa(vpn * PAGE_BYTES);
    return true;
  }
}

/** May all of the run be made writable in place? */
export function isRunExclusive(hart: Hart, pfn: number, flags: number): boolean {
  for (let i = 0; i < RUN_FRAMES; i++) if (!isExclusive(hart, pfn + i, flags)) return false;
  return true;
}

function zeroRun(hart: Hart, pfn: number): void {
  for (let i = 0; i < RUN_FRAMES; i++) {
    if (i % POLL_PAGES === 0) hart.pollIrq();
    hart.core.zeroPage(frameAddress(pfn + i));
  }
}
