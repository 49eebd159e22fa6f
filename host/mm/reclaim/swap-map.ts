// The slots of the swap store, and the swap cache: which slot holds a page's bytes, who wants them back, and in which
// frame they are as well. (Linux: mm/swapfile.c, mm/swap_state.c)
//
//   page-table entry ─┐              ┌─ SWAP_COUNT  entries of page tables and of mappings' trees
//   page-table entry ─┼─► slot ──────┤
//   (fork)            ┘              └─ SWAP_PFN ◄──► PAGE_PRIVATE   frame with the same bytes (PG_SWAPCACHE)
//
// A slot is free when both are 0. The swap cache holds one reference on its frame. A frame in it is written to by
// nobody: whoever wants to write takes it out first (swapTakeOver), or copies. All of it is under SWAP_LOCK, a leaf: no
// frame is freed under it, so those that are due are handed to the caller.

import {
  MACHINE_BASE,
  MACHINE_SWAP_FREE,
  MACHINE_SWAP_LOCK,
  MACHINE_SWAP_NEXT,
  MACHINE_SWAP_SLOTS,
  MACHINE_SWAPPINESS,
  PAGE_FLAGS,
  PAGE_PRIVATE,
  PAGE_REFCOUNT,
  PG_DIRTY,
  PG_SWAPCACHE,
  SWAP_BASE,
  SWAP_BYTES,
  SWAP_COUNT,
  SWAP_PFN,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { pageOf } from "../frame/page.ts";
import { getPage, putPage } from "../frame/page-refs.ts";

const LOCK = MACHINE_BASE + MACHINE_SWAP_LOCK;
const FREE = MACHINE_BASE + MACHINE_SWAP_FREE;
const NEXT = MACHINE_BASE + MACHINE_SWAP_NEXT;

const SWAPPINESS_DEFAULT = 60;

/** Before any hart runs: a store of `slots` pages, all free. */
export function initSwap(shared: SharedMemory, slots: number): void {
  shared.set(MACHINE_BASE + MACHINE_SWAP_SLOTS, slots);
  shared.set(MACHINE_BASE + MACHINE_SWAPPINESS, SWAPPINESS_DEFAULT);
  shared.set(FREE, slots);
  shared.set(NEXT, 1);
}

export function swapFreeSlots(shared: SharedMemory): number {
  return shared.get(FREE);
}

/** Entries that hold the slot: a hint. */
export function swapUsers(hart: HartLocal, slot: number): number {
  return hart.shared.loadOnce(recordOf(slot) + SWAP_COUNT);
}

/** A slot for the page `pfn`, which enters the swap cache with a reference of its own; false: the store is full. */
export function swapAddPage(hart: HartLocal, pfn: number): boolean {
  const { shared } = hart;
  const page = pageOf(pfn);
  getPage(hart, pfn);
  spinLock(hart, LOCK);
  const slot = findFree(shared);
  if (slot !== 0) {
    shared.set(recordOf(slot) + SWAP_PFN, pfn);
    shared.set(page + PAGE_PRIVATE, slot);
    shared.fetchOr(page + PAGE_FLAGS, PG_SWAPCACHE | PG_DIRTY);
  }
  spinUnlock(hart, LOCK);
  if (slot === 0) putPage(hart, pfn);
  return slot !== 0;
}

/** A slot with one user and no frame, or 0: the store is full. */
export function swapAlloc(hart: HartLocal): number {
  const { shared } = hart;
  spinLock(hart, LOCK);
  const slot = findFree(shared);
  if (slot !== 0) shared.set(recordOf(slot) + SWAP_COUNT, 1);
  spinUnlock(hart, LOCK);
  return slot;
}

/** One more user of a slot that has one, or whose frame the caller holds. */
export function swapDup(hart: HartLocal, slot: number): void {
  const { shared } = hart;
  spinLock(hart, LOCK);
  shared.set(recordOf(slot) + SWAP_COUNT, shared.get(recordOf(slot) + SWAP_COUNT) + 1);
  spinUnlock(hart, LOCK);
}

/** A user less. Returns a frame whose reference the caller drops once it may free frames, or 0. */
export function swapPut(hart: HartLocal, slot: number): number {
  const { shared } = hart;
  const record = recordOf(slot);
  spinLock(hart, LOCK);
  const count = shared.get(record + SWAP_COUNT) - 1;
  if (count < 0) throw new KernelBug("swap slot dropped twice", { slot });
  shared.set(record + SWAP_COUNT, count);
  const pfn = shared.get(record + SWAP_PFN);
  let due = 0;
  if (count === 0 && pfn === 0) freeSlot(shared);
  else if (count === 0 && shared.loadAcquire(pageOf(pfn) + PAGE_REFCOUNT) === 1) due = detach(shared, record, pfn);
  spinUnlock(hart, LOCK);
  return due;
}

/** The frame with the slot's bytes, with a reference for the caller, or 0. */
export function swapCacheGet(hart: HartLocal, slot: number): number {
  spinLock(hart, LOCK);
  const pfn = hart.shared.get(recordOf(slot) + SWAP_PFN);
  if (pfn !== 0) getPage(hart, pfn);
  spinUnlock(hart, LOCK);
  return pfn;
}

/** Puts a frame that is to be filled into the swap cache, with a reference; false: there is one, or no user is left. */
export function swapCacheAdd(hart: HartLocal, slot: number, pfn: number): boolean {
  const { shared } = hart;
  const record = recordOf(slot);
  spinLock(hart, LOCK);
  const fits = shared.get(record + SWAP_PFN) === 0 && shared.get(record + SWAP_COUNT) > 0;
  if (fits) {
    getPage(hart, pfn);
    shared.set(record + SWAP_PFN, pfn);
    shared.set(pageOf(pfn) + PAGE_PRIVATE, slot);
    shared.fetchOr(pageOf(pfn) + PAGE_FLAGS, PG_SWAPCACHE);
  }
  spinUnlock(hart, LOCK);
  return fits;
}

/**
 * Takes the frame out of the swap cache if the caller's entry is the slot's only user and its reference the only other
 * one: slot and frame are the caller's, who drops the cache's reference. Requires: PTL of the entry.
 */
export function swapTakeOver(hart: HartLocal, slot: number, pfn: number): boolean {
  const { shared } = hart;
  const record = recordOf(slot);
  spinLock(hart, LOCK);
  const isMine = shared.get(record + SWAP_COUNT) === 1 && shared.loadAcquire(pageOf(pfn) + PAGE_REFCOUNT) === 2;
  if (isMine) {
    shared.set(record + SWAP_COUNT, 0);
    detach(shared, record, pfn);
  }
  spinUnlock(hart, LOCK);
  return isMine;
}

/**
 * Takes the frame out of the swap cache if nobody but the cache and `others` references has it, and no entry wants the
 * slot, which does not matter with `keepsSlot`. True: the caller drops the cache's reference.
 */
export function swapDetach(hart: HartLocal, pfn: number, others: number, keepsSlot: boolean): boolean {
  const { shared } = hart;
  const page = pageOf(pfn);
  spinLock(hart, LOCK);
  const record = recordOf(shared.get(page + PAGE_PRIVATE));
  const isCached = (shared.loadOnce(page + PAGE_FLAGS) & PG_SWAPCACHE) !== 0 && shared.get(record + SWAP_PFN) === pfn;
  const isFree = isCached && shared.loadAcquire(page + PAGE_REFCOUNT) === others + 1;
  const detached = isFree && (keepsSlot || shared.get(record + SWAP_COUNT) === 0);
  if (detached) detach(shared, record, pfn);
  spinUnlock(hart, LOCK);
  return detached;
}

/** A frame that was not filled leaves the swap cache, whoever waits for it. Requires: its page lock, a reference. */
export function swapCacheDelete(hart: HartLocal, slot: number, pfn: number): void {
  spinLock(hart, LOCK);
  detach(hart.shared, recordOf(slot), pfn);
  spinUnlock(hart, LOCK);
  putPage(hart, pfn);
}

/** Drops a reference to a frame that may be in the swap cache; when only the cache is left it goes too. */
export function putSwapPage(hart: HartLocal, pfn: number): void {
  const isCached = (hart.shared.loadOnce(pageOf(pfn) + PAGE_FLAGS) & PG_SWAPCACHE) !== 0;
  putPage(hart, pfn);
  // If it has left the cache meanwhile, and is free or another page by now, swapDetach sees that the two do not match.
  if (isCached && swapDetach(hart, pfn, 0, false)) putPage(hart, pfn);
}

/** Requires: SWAP_LOCK. The slot is free if no entry holds it. Returns `pfn`. */
function detach(shared: SharedMemory, record: number, pfn: number): number {
  shared.set(record + SWAP_PFN, 0);
  shared.fetchAnd(pageOf(pfn) + PAGE_FLAGS, ~(PG_SWAPCACHE | PG_DIRTY));
  if (shared.get(record + SWAP_COUNT) === 0) freeSlot(shared);
  return pfn;
}

/** Requires: SWAP_LOCK. */
function findFree(shared: SharedMemory): number {
  if (shared.get(FREE) === 0) return 0;
  const slots = shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS);
  let slot = shared.get(NEXT);
  for (;;) {
    if (slot > slots) slot = 1;
    if (shared.get(recordOf(slot) + SWAP_COUNT) === 0 && shared.get(recordOf(slot) + SWAP_PFN) === 0) break;
    slot++;
  }
  shared.set(NEXT, slot + 1);
  shared.set(FREE, shared.get(FREE) - 1);
  return slot;
}

function freeSlot(shared: SharedMemory): void {
  shared.set(FREE, shared.get(FREE) + 1);
}

function recordOf(slot: number): number {
  return SWAP_BASE + slot * SWAP_BYTES;
}
