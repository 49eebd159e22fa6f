// Sv39 page tables in RAM frames. The struct page of a table knows its mm, the first vpn that it translates and, above
// level 0, how many of its entries are not 0; locks (pte-lock.ts) order all writers of its entries. The walker takes no
// lock: it reads entries and sets A and D by compare-and-swap, so a writer that replaces a valid entry must exchange,
// never store.
//
// Tables disappear only under mmap_lock held for write, and not while a vma lies in their span (freeEmptyTables in
// zap.ts), so whoever holds mmap_lock or that vma for read may keep the address of an entry. A leaf of level 1 comes
// where no table is, and becomes a table when it is split; a table becomes a leaf only with mmap_lock, the vma and all
// reverse maps locked for write (collapse.ts).

import {
  COUNTER_PAGE_TABLE_ALLOC,
  COUNTER_PAGE_TABLE_FREE,
  LEVEL_COUNT,
  MM_PT_PAGES,
  MM_ROOT_PFN,
  PAGE_FLAGS,
  PAGE_PT_DEPOSIT,
  PAGE_PT_ENTRIES,
  PAGE_PT_MM,
  PAGE_PT_VPN,
  PAGE_PTL,
  PAGE_RCU_HEAD,
  PG_TABLE,
  PTE_COUNT,
  PTE_PPN_SHIFT,
  PTE_V,
  RCU_FREE_TABLE,
  RCU_HEAD_KIND,
  VPN_BITS,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { callRcu } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";
import { allocFrame } from "../frame/frames.ts";
import { frameAddress, pageOf, pfnOfPage } from "../frame/page.ts";
import { freeFrame } from "../frame/page-refs.ts";
import { isHugePte, isTablePte, PTE_BYTES, smallPte, tablePte } from "./pte.ts";
import { lockTable, unlockTable } from "./pte-lock.ts";
import { setNewEntry } from "./set-pte.ts";

/** Address of the entry for `vpn` in table `tablePfn` of `level` (0 = leaves). */
export function entryAddress(tablePfn: number, vpn: number, level: number): number {
  return frameAddress(tablePfn) + ((vpn >>> (level * VPN_BITS)) & (PTE_COUNT - 1)) * PTE_BYTES;
}

/** Struct page of the table that holds the entry at `pteAddress`. */
export function tablePageOf(pteAddress: number): number {
  return pageOf(Math.floor(pteAddress / 4096));
}

/** Pages that one entry of `level` covers. */
export function levelPages(level: number): number {
  return 1 << (level * VPN_BITS);
}

/**
 * Address of the entry of level 0 for `vpn`, or 0 where there is no table for one: nothing, or a leaf of level 1, which
 * findHuge finds. Requires: mmap_lock or the vma,
 * read-locked.
 */
export function findPte(hart: HartLocal, mm: number, vpn: number): number {
  const { shared } = hart;
  let table = shared.get(mm + MM_ROOT_PFN);
  for (let level = LEVEL_COUNT - 1; level > 0; level--) {
    const entry = shared.loadAcquire(entryAddress(table, vpn, level));
    if (!isTablePte(entry)) return 0;
    table = entry >>> PTE_PPN_SHIFT;
  }
  return entryAddress(table, vpn, 0);
}

/** Address of the entry of level 1 for `vpn`, or 0 where its table is missing. Requires: mmap_lock or the vma. */
export function findPmd(hart: HartLocal, mm: number, vpn: number): number {
  const entry = hart.shared.loadAcquire(entryAddress(hart.shared.get(mm + MM_ROOT_PFN), vpn, 2));
  return (entry & PTE_V) === 0 ? 0 : entryAddress(entry >>> PTE_PPN_SHIFT, vpn, 1);
}

/**
 * Address of the leaf of level 1 that maps `vpn`, or 0. It may be split at any moment until the PTL is held: whoever
 * walks a range asks findPte, then this, and where both say no, skipMissingTable knows whether a table came in between.
 */
export function findHuge(hart: HartLocal, mm: number, vpn: number): number {
  const pmd = findPmd(hart, mm, vpn);
  return pmd !== 0 && isHugePte(hart.shared.loadOnce(pmd)) ? pmd : 0;
}

/** The entry for `vpn`, that of level 0 or as if it were one; 0: none. Requires: mmap_lock or the vma. */
export function loadPte(hart: HartLocal, mm: number, vpn: number): number {
  for (;;) {
    const address = findPte(hart, mm, vpn);
    if (address !== 0) return hart.shared.loadOnce(address);
    const pmd = findPmd(hart, mm, vpn);
    const entry = pmd === 0 ? 0 : hart.shared.loadOnce(pmd);
    if (entry === 0) return 0;
    if (isHugePte(entry)) return smallPte(entry, vpn);
  }
}

/** allocPte: a leaf of level 1 maps the page. No address is like this. */
export const HUGE_LEAF = 1;

/** Like findPte, but makes missing tables; 0 = out of memory, or HUGE_LEAF. Requires: mmap_lock or the vma. */
export function allocPte(hart: HartLocal, mm: number, vpn: number): number {
  return allocEntry(hart, mm, vpn, 0);
}

/** Address of the entry of `lowest` level; makes missing tables. 0: out of memory; or HUGE_LEAF. */
export function allocEntry(hart: HartLocal, mm: number, vpn: number, lowest: number): number {
  const { shared } = hart;
  let table = shared.get(mm + MM_ROOT_PFN);
  for (let level = LEVEL_COUNT - 1; level > lowest; level--) {
    const address = entryAddress(table, vpn, level);
    let entry = shared.loadAcquire(address);
    if (!isTablePte(entry)) {
      if (entry === 0) entry = installTable(hart, mm, address, vpn, level - 1);
      if (entry === 0) return 0;
      if (isHugePte(entry)) return HUGE_LEAF;
    }
    table = entry >>> PTE_PPN_SHIFT;
  }
  return entryAddress(table, vpn, lowest);
}

/** A zeroed frame set up as a table of `level` that translates `vpn`; 0 = out of memory. */
export function allocTable(hart: HartLocal, mm: number, vpn: number, level: number): number {
  const pfn = allocFrame(hart);
  if (pfn === 0) return 0;
  hart.core.zeroPage(frameAddress(pfn));
  const { shared } = hart;
  const page = pageOf(pfn);
  shared.set(page + PAGE_FLAGS, PG_TABLE);
  shared.set(page + PAGE_PTL, 0);
  shared.set(page + PAGE_PT_ENTRIES, 0);
  shared.set(page + PAGE_PT_DEPOSIT, 0);
  shared.set(page + PAGE_PT_MM, mm);
  // Rounded down to what the whole table covers; 0 for a root.
  shared.set(page + PAGE_PT_VPN, vpn & -levelPages(level + 1));
  shared.fetchAdd(mm + MM_PT_PAGES, 1);
  hart.count(COUNTER_PAGE_TABLE_ALLOC);
  return pfn;
}

/** Frees a table that no entry and no walker can reach any more: called by the gather, after the flush. */
export function freeTable(hart: HartLocal, pfn: number): void {
  forgetTable(hart, pfn);
  freeFrame(hart, pfn);
}

/** The same where somebody may still read it, or take its PTL, in an RCU read section. */
export function freeTableLater(hart: HartLocal, pfn: number): void {
  forgetTable(hart, pfn);
  const head = pageOf(pfn) + PAGE_RCU_HEAD;
  hart.shared.set(head + RCU_HEAD_KIND, 0);
  callRcu(hart, head, RCU_FREE_TABLE);
}

/** Frees a table that was in use, and that no entry, TLB or walker leads to any more. */
export function retireTable(hart: Hart, pfn: number): void {
  if (hart.policies.vmaLock.speculates) freeTableLater(hart, pfn);
  else freeTable(hart, pfn);
}

/** RCU callback. */
export function freeTableCallback(hart: HartLocal, head: number): void {
  freeFrame(hart, pfnOfPage(head - PAGE_RCU_HEAD));
}

function forgetTable(hart: HartLocal, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  if (shared.get(page + PAGE_FLAGS) !== PG_TABLE) throw new KernelBug("freed frame is no page table", { pfn });
  shared.fetchAdd(shared.get(page + PAGE_PT_MM) + MM_PT_PAGES, -1);
  shared.set(page + PAGE_PT_MM, 0);
  hart.count(COUNTER_PAGE_TABLE_FREE);
}

/** Puts a new table of `level` behind the entry at `address`, unless another hart was faster. The entry, or 0. */
function installTable(hart: HartLocal, mm: number, address: number, vpn: number, level: number): number {
  const { shared } = hart;
  const pfn = allocTable(hart, mm, vpn, level);
  if (pfn === 0) return 0;
  const parent = tablePageOf(address);
  lockTable(hart, parent);
  const raced = shared.loadOnce(address);
  if (raced === 0) setNewEntry(hart, address, parent, tablePte(pfn));
  unlockTable(hart, parent);
  if (raced === 0) return tablePte(pfn);
  freeTable(hart, pfn); // never published
  return raced;
}
