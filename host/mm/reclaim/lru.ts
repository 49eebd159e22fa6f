// The pages that reclaim may take, in the order in which they were last found in use. (Linux: include/linux/mmzone.h
// lruvec, mm/swap.c)
//
//   fault, read ──► inactive list ──(used when reclaim looks)──► active list
//                        ▲  │                                        │
//                        │  └─(unused)─► evicted                     │
//                        └──────────(the active list is longer)──────┘
//
// One pair of lists for pages of memory alone, one for pages of host files, and one for what must stay (mlock). Each
// hart has its own set, under its own lock: a page is on that of the hart that made it. So a fault touches no line that
// another hart writes all the time, and a page is taken off, by whoever frees it, under the lock of the set it is on.
//
// A page is put on a list before anybody else can reach it, is taken off by its last reference (endFrame), and changes
// lists only in the hands of somebody who has a reference. So PAGE_LRU of a page that is being freed does not change.

import {
  LRU_BASE,
  LRU_BYTES,
  LRU_COUNT,
  LRU_FILE,
  LRU_HEAD,
  LRU_LIST_BYTES,
  LRU_LISTS,
  LRU_LOCK,
  LRU_TAIL,
  LRU_UNEVICTABLE,
  PAGE_FLAGS,
  PAGE_LRU,
  PAGE_NEXT,
  PAGE_PREV,
  PG_ANON,
  PG_LAZYFREE,
  PG_SWAPBACKED,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { pageOf } from "../frame/page.ts";
import { tryGetPage } from "../frame/page-refs.ts";

/** Lists of a set: these, with LRU_FILE for those of files, and LRU_UNEVICTABLE. */
export const LRU_INACTIVE = 0;
export const LRU_ACTIVE = 1;

const OWNER_SHIFT = 3;
const LIST_MASK = (1 << OWNER_SHIFT) - 1;

/** The set of hart `id`. */
export function lruOf(id: number): number {
  return LRU_BASE + id * LRU_BYTES;
}

/** Pages on `list` of a set: a hint. */
export function lruCount(shared: SharedMemory, lru: number, list: number): number {
  return shared.loadOnce(listOf(lru, list) + LRU_COUNT);
}

/** A new page, which nobody else knows yet; its flags say of what kind. */
export function lruAdd(hart: HartLocal, pfn: number, activity = LRU_INACTIVE): void {
  lruPut(hart, pfn, kindOf(hart.shared.loadOnce(pageOf(pfn) + PAGE_FLAGS)) | activity);
}

/** Puts a page that is on no list at the young end of `list`. Requires: a reference. */
export function lruPut(hart: HartLocal, pfn: number, list: number): void {
  const lru = lruOf(hart.id);
  spinLock(hart, lru + LRU_LOCK);
  link(hart.shared, lru, list, pfn, hart.id);
  spinUnlock(hart, lru + LRU_LOCK);
}

/** Takes the page off its list, if it is on one: false if not. Requires: a reference, or to have dropped the last. */
export function lruDel(hart: HartLocal, page: number): boolean {
  const { shared } = hart;
  for (let place = shared.loadOnce(page + PAGE_LRU); place !== 0; place = shared.loadOnce(page + PAGE_LRU)) {
    const lru = lruOf((place >>> OWNER_SHIFT) - 1);
    spinLock(hart, lru + LRU_LOCK);
    const isThere = shared.get(page + PAGE_LRU) === place;
    if (isThere) unlink(shared, lru, place & LIST_MASK, page);
    spinUnlock(hart, lru + LRU_LOCK);
    if (isThere) return true;
  }
  return false;
}

/** Takes up to `max` pages off the old end of a list, each with a reference, to hart.isolated: how many. */
export function lruIsolate(hart: HartLocal, lru: number, list: number, max: number): number {
  const { shared, isolated } = hart;
  const limit = Math.min(max, isolated.length);
  let count = 0;
  spinLock(hart, lru + LRU_LOCK);
  let pfn = shared.get(listOf(lru, list) + LRU_TAIL);
  for (let looked = 0; pfn !== 0 && count < limit && looked < 2 * limit; looked++) {
    const page = pageOf(pfn);
    const younger = shared.get(page + PAGE_PREV);
    // Without a reference it is being freed, and whoever does it waits for this lock.
    if (tryGetPage(hart, pfn)) {
      unlink(shared, lru, list, page);
      isolated[count++] = pfn;
    }
    pfn = younger;
  }
  spinUnlock(hart, lru + LRU_LOCK);
  return count;
}

/** What the page's flags make of it: 0 or LRU_FILE. A page that may be forgotten is as good as one of a file. */
export function kindOf(flags: number): number {
  if ((flags & PG_LAZYFREE) !== 0) return LRU_FILE;
  return (flags & (PG_ANON | PG_SWAPBACKED)) !== 0 ? 0 : LRU_FILE;
}

/** Is the page on an active list? */
export function isActive(shared: SharedMemory, page: number): boolean {
  const list = shared.loadOnce(page + PAGE_LRU) & LIST_MASK;
  return list !== LRU_UNEVICTABLE && (list & LRU_ACTIVE) !== 0;
}

function listOf(lru: number, list: number): number {
  return lru + LRU_LISTS + list * LRU_LIST_BYTES;
}

/** Requires: LRU_LOCK. */
function link(shared: SharedMemory, lru: number, list: number, pfn: number, hartId: number): void {
  const record = listOf(lru, list);
  const page = pageOf(pfn);
  const head = shared.get(record + LRU_HEAD);
  shared.set(page + PAGE_NEXT, head);
  shared.set(page + PAGE_PREV, 0);
  shared.storeOnce(page + PAGE_LRU, ((hartId + 1) << OWNER_SHIFT) | list);
  if (head === 0) shared.set(record + LRU_TAIL, pfn);
  else shared.set(pageOf(head) + PAGE_PREV, pfn);
  shared.set(record + LRU_HEAD, pfn);
  shared.storeOnce(record + LRU_COUNT, shared.get(record + LRU_COUNT) + 1);
}

/** Requires: LRU_LOCK, and the page on that list. */
function unlink(shared: SharedMemory, lru: number, list: number, page: number): void {
  const record = listOf(lru, list);
  const next = shared.get(page + PAGE_NEXT);
  const previous = shared.get(page + PAGE_PREV);
  if (next === 0) shared.set(record + LRU_TAIL, previous);
  else shared.set(pageOf(next) + PAGE_PREV, previous);
  if (previous === 0) shared.set(record + LRU_HEAD, next);
  else shared.set(pageOf(previous) + PAGE_NEXT, next);
  shared.storeOnce(page + PAGE_LRU, 0);
  shared.storeOnce(record + LRU_COUNT, shared.get(record + LRU_COUNT) - 1);
}

/** Whole list, oldest last, for the ledger of tests. */
export function lruPages(shared: SharedMemory, lru: number, list: number): number[] {
  const pages: number[] = [];
  for (let pfn = shared.get(listOf(lru, list) + LRU_HEAD); pfn !== 0; pfn = shared.get(pageOf(pfn) + PAGE_NEXT)) {
    pages.push(pfn);
  }
  return pages;
}
