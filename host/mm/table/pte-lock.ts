// Locks of page tables (Linux: the split PTL). The entries of level 0 share an array of locks, sixteen neighbours each,
// found by the entry's address: with one lock for each table, as in Linux, two harts that fault in neighbouring vmas
// would fetch its cache line from each other at every fault, which here costs as much as the fault. A table of an upper
// level has one lock, in its struct page, under which its entries are counted, too.
//
// Two entries may share a lock by chance. So no hart takes a second one, but by lockTwoPtes.

import { PAGE_PTL, PTE_LOCK_BASE, PTE_LOCK_BYTES, PTE_LOCK_COUNT, PTE_LOCK_ENTRIES } from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { PTE_BYTES } from "./pte.ts";

/** Takes the lock of the entry of level 0 at `address`, and of its neighbours up to chunkEnd. */
export function lockPte(hart: HartLocal, address: number): void {
  spinLock(hart, lockOf(address));
}

export function unlockPte(hart: HartLocal, address: number): void {
  spinUnlock(hart, lockOf(address));
}

/** The locks of two entries, in the order of their addresses. Requires: mmap_lock for write. */
export function lockTwoPtes(hart: HartLocal, first: number, second: number): void {
  const lock = lockOf(first);
  const other = lockOf(second);
  spinLock(hart, Math.min(lock, other));
  if (lock !== other) spinLock(hart, Math.max(lock, other));
}

export function unlockTwoPtes(hart: HartLocal, first: number, second: number): void {
  const lock = lockOf(first);
  const other = lockOf(second);
  if (lock !== other) spinUnlock(hart, Math.max(lock, other));
  spinUnlock(hart, Math.min(lock, other));
}

/** First vpn above `vpn` whose entry has another lock, or `end` if that is less. */
export function chunkEnd(vpn: number, end: number): number {
  return Math.min(end, (vpn | (PTE_LOCK_ENTRIES - 1)) + 1);
}

/** Takes the lock of an upper table, of which `page` is the struct page. */
export function lockTable(hart: HartLocal, page: number): void {
  spinLock(hart, page + PAGE_PTL);
}

export function unlockTable(hart: HartLocal, page: number): void {
  spinUnlock(hart, page + PAGE_PTL);
}

function lockOf(address: number): number {
  return PTE_LOCK_BASE + (Math.floor(address / (PTE_LOCK_ENTRIES * PTE_BYTES)) % PTE_LOCK_COUNT) * PTE_LOCK_BYTES;
}
