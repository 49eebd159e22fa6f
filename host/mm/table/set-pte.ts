// Changes of one entry of a page table: the entry, what its table counts, and the translation of it that harts may
// have. (Linux: set_pte_at, ptep_get_and_clear, ptep_clear_flush)

import { MM_OOM_REAPED, PAGE_PT_ENTRIES } from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { TLB_LOCAL_MM_SHOOTDOWN, TRACE_TLB_FLUSH, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { isVacant, PTE_BYTES, setUffdWp, WP_MARKER } from "./pte.ts";

/** Are the bytes of this address space lost (oom-reap.ts)? Then none of its entries is filled any more. */
export function isReaped(hart: HartLocal, mm: number): boolean {
  return hart.shared.loadOnce(mm + MM_OOM_REAPED) !== 0;
}

/** Fills an entry of level 0 that is 0. Requires: its lock. */
export function setNewPte(hart: HartLocal, address: number, pte: number): void {
  // Release: the walker that reads the entry sees the zeroed frame behind it.
  hart.shared.storeRelease(address, pte);
}

/**
 * Fills an entry of level 0 that is 0, or one that is write-protected by userfaultfd before there is a page: then the
 * page is too. False: there is something else by now. Requires: its lock.
 */
export function fillPte(hart: HartLocal, address: number, pte: number): boolean {
  const there = hart.shared.loadOnce(address);
  if (!isVacant(there)) return false;
  setNewPte(hart, address, there === WP_MARKER ? setUffdWp(pte) : pte);
  return true;
}

/** Empties an entry of level 0 and returns what it was, with the walker's last A and D. Requires: its lock. */
export function clearPte(hart: HartLocal, address: number): number {
  return hart.shared.exchange(address, 0);
}

/** Fills an entry that is 0 of an upper table, whose struct page is `page`. Requires: its lock. */
export function setNewEntry(hart: HartLocal, address: number, page: number, entry: number): void {
  hart.shared.set(page + PAGE_PT_ENTRIES, hart.shared.get(page + PAGE_PT_ENTRIES) + 1);
  hart.shared.storeRelease(address, entry);
}

/** Empties an entry of an upper table, whose struct page is `page`: what it was. Requires: its lock. */
export function clearEntry(hart: HartLocal, address: number, page: number): number {
  const old = hart.shared.exchange(address, 0);
  if (old !== 0) hart.shared.set(page + PAGE_PT_ENTRIES, hart.shared.get(page + PAGE_PT_ENTRIES) - 1);
  return old;
}

/** Are the `count` entries from `address` on all 0? Requires: their locks, or that nobody can fill one. */
export function areEmpty(hart: HartLocal, address: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (hart.shared.get(address + i * PTE_BYTES) !== 0) return false;
  return true;
}

/** The entry for `vpn` was cleared and will be filled anew under the same PTL: no hart keeps the old translation. */
export function flushPte(hart: Hart, mm: number, vpn: number): void {
  const { tlbFlush } = hart.policies;
  if (tlbFlush.perPte) {
    tlbFlush.pteChanged(hart, mm, vpn);
    tlbFlush.beforeUnlock(hart, mm);
  } else {
    trace(hart, TRACE_TLB_FLUSH, TLB_LOCAL_MM_SHOOTDOWN, 1, mm, vpn);
    tlbFlush.flush(hart, mm, vpn, 1, false);
  }
}

/** The same where the page stays, and is not written out, until flushPending has returned: reclaim. */
export function flushPteLater(hart: Hart, mm: number, vpn: number): void {
  const { tlbFlush } = hart.policies;
  if (tlbFlush.perPte) flushPte(hart, mm, vpn);
  else tlbFlush.flushLater(hart, mm, vpn);
}
