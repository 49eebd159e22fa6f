// What munmap, mprotect, fork and mremap do to a leaf of level 1: all of it in one go if they mean all of it, else it
// is split and they come again for its pages. The first three return the vpn to go on with. (Linux: zap_huge_pmd,
// change_huge_pmd, copy_huge_pmd and move_huge_pmd in mm/huge_memory.c)

import { MM_HUGE_LEAVES, PAGE_MAPCOUNT, PTE_A, PTE_W, PTE_X, RUN_FRAMES, VM_WRITE } from "../../../assembly/layout.ts";
import { B_M14, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../../policy/hart.ts";
import { sharePage } from "../fault/anon.ts";
import { noteExecutable, pageOf } from "../frame/page.ts";
import { addRss } from "../rss.ts";
import { gatherHugePte, gatherRun, gatherUnlock } from "../table/gather.ts";
import { allocEntry, allocTable, findPmd, freeTable, retireTable, tablePageOf } from "../table/page-table.ts";
import { isHugePte, pteLosesRights, pteModify, ptePfn } from "../table/pte.ts";
import { lockTable, unlockTable } from "../table/pte-lock.ts";
import { clearEntry, setNewEntry } from "../table/set-pte.ts";
import { isRunExclusive, POLL_PAGES } from "./huge.ts";
import { depositTable, splitHuge, withdrawTable } from "./huge-split.ts";

/** dupHuge: out of memory. */
export const DUP_NO_MEMORY = -1;

/** Requires: as zapRange. */
export function zapHuge(hart: Hart, mm: number, vpn: number, end: number, onlyCache: boolean): number {
  const next = (vpn & -RUN_FRAMES) + RUN_FRAMES;
  if (onlyCache) return next; // its pages are private
  if (isPart(vpn, end)) {
    splitHuge(hart, mm, vpn);
    return vpn;
  }
  const pmd = findPmd(hart, mm, vpn);
  const parent = tablePageOf(pmd);
  lockTable(hart, parent);
  if (!isHugePte(hart.shared.loadOnce(pmd))) {
    unlockTable(hart, parent);
    return vpn;
  }
  const pfn = ptePfn(clearEntry(hart, pmd, parent));
  const table = withdrawTable(hart, parent);
  gatherRun(hart, vpn, pfn);
  gatherUnlock(hart);
  unlockTable(hart, parent);
  retireTable(hart, table);
  hart.shared.fetchAdd(mm + MM_HUGE_LEAVES, -1);
  for (let i = 0; i < RUN_FRAMES; i++) {
    if (i % POLL_PAGES === 0) hart.pollIrq();
    hart.shared.fetchAdd(pageOf(pfn + i) + PAGE_MAPCOUNT, -1);
  }
  addRss(hart, mm, -RUN_FRAMES);
  return next;
}

/** Requires: mmap_lock for write, an open gather. */
export function protectHuge(hart: Hart, mm: number, vpn: number, end: number, flags: number): number {
  const { shared } = hart;
  if (isPart(vpn, end)) {
    splitHuge(hart, mm, vpn);
    return vpn;
  }
  const pmd = findPmd(hart, mm, vpn);
  const parent = tablePageOf(pmd);
  lockTable(hart, parent);
  for (;;) {
    const old = shared.loadOnce(pmd);
    if (!isHugePte(old)) {
      unlockTable(hart, parent);
      return vpn;
    }
    const pfn = ptePfn(old);
    const isWritable = (flags & VM_WRITE) !== 0 && ((old & PTE_W) !== 0 || isRunExclusive(hart, pfn, flags));
    const next = pteModify(old, flags, isWritable);
    if ((next & ~old & PTE_X) !== 0) for (let i = 0; i < RUN_FRAMES; i++) noteExecutable(hart, pfn + i);
    // A walker may set A or D in between: then look again.
    if (shared.compareExchange(pmd, old, next) !== old) continue;
    if (pteLosesRights(old, next) && !(MUTATIONS && hart.mutation === B_M14)) gatherHugePte(hart, vpn);
    break;
  }
  gatherUnlock(hart);
  unlockTable(hart, parent);
  return vpn + RUN_FRAMES;
}

/** The child maps the run too; neither may write. Requires: both mmap_locks for write, an open gather of the parent. */
export function dupHuge(hart: Hart, parent: number, child: number, vpn: number, end: number): number {
  if (isPart(vpn, end)) {
    splitHuge(hart, parent, vpn);
    return vpn;
  }
  const table = allocTable(hart, child, vpn, 0);
  const target = table === 0 ? 0 : allocEntry(hart, child, vpn, 1);
  if (target === 0) {
    if (table !== 0) freeTable(hart, table);
    return DUP_NO_MEMORY;
  }
  const source = findPmd(hart, parent, vpn);
  const sourcePage = tablePageOf(source);
  const targetPage = tablePageOf(target);
  lockTable(hart, Math.min(sourcePage, targetPage));
  lockTable(hart, Math.max(sourcePage, targetPage));
  const pte = writeProtectHuge(hart, source, vpn);
  if (pte !== 0) {
    for (let i = 0; i < RUN_FRAMES; i++) sharePage(hart, ptePfn(pte) + i);
    depositTable(hart, targetPage, table);
    setNewEntry(hart, target, targetPage, pte & ~PTE_A);
    hart.shared.fetchAdd(child + MM_HUGE_LEAVES, 1);
  }
  gatherUnlock(hart);
  unlockTable(hart, Math.max(sourcePage, targetPage));
  unlockTable(hart, Math.min(sourcePage, targetPage));
  if (pte === 0) {
    freeTable(hart, table);
    return vpn; // split meanwhile
  }
  addRss(hart, child, RUN_FRAMES);
  return vpn + RUN_FRAMES;
}

/**
 * The leaf at `vpn` goes to `target`, whose entry of level 1 is there and empty, and its table for a split along.
 * Requires: mmap_lock for write, the vma's reverse maps, an open gather. (Linux: move_huge_pmd)
 */
export function moveHuge(hart: Hart, mm: number, vpn: number, target: number): void {
  const from = findPmd(hart, mm, vpn);
  const to = findPmd(hart, mm, target);
  const sourcePage = tablePageOf(from);
  const targetPage = tablePageOf(to);
  lockTable(hart, Math.min(sourcePage, targetPage));
  if (sourcePage !== targetPage) lockTable(hart, Math.max(sourcePage, targetPage));
  const pte = clearEntry(hart, from, sourcePage);
  depositTable(hart, targetPage, withdrawTable(hart, sourcePage));
  setNewEntry(hart, to, targetPage, pte);
  gatherHugePte(hart, vpn);
  gatherUnlock(hart);
  if (sourcePage !== targetPage) unlockTable(hart, Math.max(sourcePage, targetPage));
  unlockTable(hart, Math.min(sourcePage, targetPage));
}

/** Takes W from the leaf; returns what it is now, or 0 if it is none any more. */
function writeProtectHuge(hart: Hart, pmd: number, vpn: number): number {
  const { shared } = hart;
  for (;;) {
    const old = shared.loadOnce(pmd);
    if (!isHugePte(old)) return 0;
    if ((old & PTE_W) === 0) return old;
    if (shared.compareExchange(pmd, old, old & ~PTE_W) !== old) continue;
    gatherHugePte(hart, vpn);
    return old & ~PTE_W;
  }
}

/** Does [vpn, end) cover less than the whole leaf that maps `vpn`? */
function isPart(vpn: number, end: number): boolean {
  return vpn % RUN_FRAMES !== 0 || end - vpn < RUN_FRAMES;
}
