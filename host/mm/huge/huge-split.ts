// A leaf of level 1 becomes a table of 512 leaves that say the same. It needs no memory, because a table was put aside
// when the leaf was made: whoever must split (reclaim, a munmap of one page) has nowhere to go if that fails. (Linux:
// pgtable_trans_huge_deposit and __split_huge_pmd in mm/huge_memory.c)

import {
  COUNTER_THP_SPLIT_PMD,
  MM_HUGE_LEAVES,
  PAGE_NEXT,
  PAGE_PT_DEPOSIT,
  PAGE_PT_VPN,
  PTE_COUNT,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { frameAddress, pageOf } from "../frame/page.ts";
import { findPmd, tablePageOf } from "../table/page-table.ts";
import { isHugePte, PTE_BYTES, smallPte, tablePte } from "../table/pte.ts";
import { lockTable, unlockTable } from "../table/pte-lock.ts";

/** Keeps `table`, which is empty, for the split of a leaf in the table of `parent`. Requires: PTL of `parent`. */
export function depositTable(hart: HartLocal, parent: number, table: number): void {
  const { shared } = hart;
  shared.set(pageOf(table) + PAGE_NEXT, shared.get(parent + PAGE_PT_DEPOSIT));
  shared.set(parent + PAGE_PT_DEPOSIT, table);
}

/** Takes back what was kept for one leaf: its pfn. Requires: PTL of `parent`, in whose table there is that leaf. */
export function withdrawTable(hart: HartLocal, parent: number): number {
  const { shared } = hart;
  const table = shared.get(parent + PAGE_PT_DEPOSIT);
  if (table === 0) throw new KernelBug("no table was kept for a leaf of 2 MiB", { parent });
  shared.set(parent + PAGE_PT_DEPOSIT, shared.get(pageOf(table) + PAGE_NEXT));
  return table;
}

/**
 * Splits the leaf of level 1 that maps `vpn`, if there is one. No flush: what a TLB holds of it says what the new
 * entries say, and is dropped with the first flush of any page of it. Requires: mmap_lock, or a reverse map's lock.
 */
export function splitHuge(hart: HartLocal, mm: number, vpn: number): void {
  const pmd = findPmd(hart, mm, vpn);
  if (pmd === 0 || !isHugePte(hart.shared.loadOnce(pmd))) return;
  const parent = tablePageOf(pmd);
  lockTable(hart, parent);
  if (isHugePte(hart.shared.loadOnce(pmd))) splitLocked(hart, mm, vpn, pmd, parent);
  unlockTable(hart, parent);
}

/** Before a vma begins or ends at `vpn`: no leaf may reach across. (Linux: split_huge_pmd_if_needed) */
export function splitHugeAt(hart: HartLocal, mm: number, vpn: number): void {
  if (vpn % PTE_COUNT !== 0 && hart.shared.loadOnce(mm + MM_HUGE_LEAVES) !== 0) splitHuge(hart, mm, vpn);
}

/** The entry is at no time 0: who walks without the PTL must not think that nothing is there. */
function splitLocked(hart: HartLocal, mm: number, vpn: number, pmd: number, parent: number): void {
  const { shared } = hart;
  const table = withdrawTable(hart, parent);
  shared.set(pageOf(table) + PAGE_PT_VPN, vpn & -PTE_COUNT);
  for (;;) {
    const old = shared.loadOnce(pmd);
    for (let i = 0; i < PTE_COUNT; i++) shared.set(frameAddress(table) + i * PTE_BYTES, smallPte(old, i));
    // A walker may set A or D in between: then the copies must say so too.
    if (shared.compareExchange(pmd, old, tablePte(table)) === old) break;
  }
  shared.fetchAdd(mm + MM_HUGE_LEAVES, -1);
  hart.count(COUNTER_THP_SPLIT_PMD);
}
