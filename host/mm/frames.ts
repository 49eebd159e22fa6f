// The frame allocator. Three places hold free frames, asked in this order:
//
//   the hart's own list    one word, HART_FRAMES_LIST = count << 20 | pfn of the first; linked by PAGE_NEXT
//   the global list        MACHINE_FRAMES_HEAD, lock FRAMES_LOCK: whole batches of BATCH_FRAMES frames, which PAGE_NEXT
//                          links as on a hart's list; PAGE_PREV of a batch's first frame leads to the next batch, so
//                          that a batch moves in two stores and the lock is held for a moment only
//   fresh frames           from MACHINE_FRAMES_FRESH up, in pfn order: RAM that no guest touched costs no host memory
//   runs                   of 512 aligned frames, see frame-runs.ts: broken up when nothing else is left
//
// and last, the lists of the other harts, so that "out of memory" means that no frame is free anywhere.
//
// Protocol of HART_FRAMES_LIST: the word owns the list. Its hart takes it by exchanging LIST_BUSY in, and stores the
// new list back; another hart takes the whole list by compare-and-swap of a word that is not busy to 0. A hart never
// polls, waits or takes a lock while its word is busy, so a thief that meets LIST_BUSY only spins for a moment.

import {
  COUNTER_FRAME_ALLOC,
  COUNTER_FRAME_FREE,
  HART_FRAMES_LIST,
  MACHINE_BASE,
  MACHINE_FRAMES_FREE,
  MACHINE_FRAMES_FRESH,
  MACHINE_FRAMES_HEAD,
  MACHINE_FRAMES_LIST_MAX,
  MACHINE_FRAMES_LOCK,
  MACHINE_HART_COUNT,
  MACHINE_RAM_END,
  MACHINE_RUNS_FREE,
  MACHINE_RUNS_HEAD,
  PAGE_BASE,
  PAGE_CODE_GENERATION,
  PAGE_FLAGS,
  PAGE_GENERATION,
  PAGE_LRU,
  PAGE_MAPCOUNT,
  PAGE_NEXT,
  PAGE_PREV,
  PAGE_REFCOUNT,
  PAGE_SHIFT,
  PAGE_STRUCT_SHIFT,
  PG_FREE,
  PG_RESERVED,
  RAM_PFN_BASE,
  RUN_FRAMES,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { type HartLocal, hartBase } from "../memory/hart-local.ts";
import { SCHEDULE_POINTS } from "../memory/schedule.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { TRACE_MM_PAGE_ALLOC, TRACE_MM_PAGE_FREE, trace } from "../memory/trace.ts";
import { breakRunLocked, freeRunCount } from "./frame-runs.ts";
import { lruDel } from "./lru.ts";
import { isAboveLow, isAboveMin } from "./watermark.ts";

export const BATCH_FRAMES = 32;
/**
 * What the lists of all harts may have together, as a part of RAM. The more, the longer a frame stays with the hart in
 * whose cache it is: a page that another hart has written is zeroed several times as slowly. (Linux: pcp->high)
 */
const LISTS_PART_OF_RAM = 1 / 16;
const LIST_BATCHES_MAX = 16;

const LIST_COUNT_SHIFT = 20; // RAM ends below 4 GiB, so a pfn has at most 20 bits
const LIST_PFN_MASK = (1 << LIST_COUNT_SHIFT) - 1;
const LIST_EMPTY = 0;
const LIST_BUSY = -1;

export const FRAMES_LOCK = MACHINE_BASE + MACHINE_FRAMES_LOCK;

/** Address of the struct page of a frame. */
export function pageOf(pfn: number): number {
  return PAGE_BASE + ((pfn - RAM_PFN_BASE) << PAGE_STRUCT_SHIFT);
}

/** Frame of a struct page. */
export function pfnOfPage(page: number): number {
  return RAM_PFN_BASE + ((page - PAGE_BASE) >>> PAGE_STRUCT_SHIFT);
}

/** Physical address of a frame; not below 2^31, so never shift a pfn. */
export function frameAddress(pfn: number): number {
  return pfn * (1 << PAGE_SHIFT);
}

/** Before any hart runs: all RAM from `firstFreePfn` up is free and fresh. */
export function initFrames(shared: SharedMemory, firstFreePfn: number): void {
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, 0);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, 0);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FRESH, firstFreePfn);
  shared.set(MACHINE_BASE + MACHINE_RUNS_HEAD, 0);
  shared.set(MACHINE_BASE + MACHINE_RUNS_FREE, 0);
  const listFrames = (ramFrameCount(shared) * LISTS_PART_OF_RAM) / shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
  const batches = Math.min(LIST_BATCHES_MAX, Math.max(2, Math.floor(listFrames / BATCH_FRAMES) & ~1));
  shared.set(MACHINE_BASE + MACHINE_FRAMES_LIST_MAX, batches * BATCH_FRAMES);
}

/** A frame with one reference and no mappings, or 0: out of memory. Its bytes are what the last user left. */
export function allocFrame(hart: HartLocal): number {
  return takeFrame(hart, false);
}

/** The same for a page of a user, who is not given the last ones (watermark.ts). */
export function allocUserFrame(hart: HartLocal): number {
  return takeFrame(hart, true);
}

function takeFrame(hart: HartLocal, isForUser: boolean): number {
  const { shared } = hart;
  if (SCHEDULE_POINTS && shared.scheduler?.allocationFails()) return 0;
  const own = hart.base + HART_FRAMES_LIST;
  let list = shared.exchange(own, LIST_BUSY);
  if (list === LIST_EMPTY) {
    shared.storeRelease(own, LIST_EMPTY);
    list = refill(hart, isForUser);
    if (list === LIST_EMPTY) {
      hart.framesRanOut = true;
      return 0;
    }
    // Nobody adds to this word but its own hart, so it is still empty.
    shared.exchange(own, LIST_BUSY);
  }
  const pfn = list & LIST_PFN_MASK;
  const page = pageOf(pfn);
  shared.storeRelease(own, listOf((list >>> LIST_COUNT_SHIFT) - 1, shared.get(page + PAGE_NEXT)));
  beginFrame(shared, page);
  hart.count(COUNTER_FRAME_ALLOC);
  trace(hart, TRACE_MM_PAGE_ALLOC, pfn, 0);
  return pfn;
}

/** A free frame becomes somebody's, with one reference. */
export function beginFrame(shared: SharedMemory, page: number): void {
  shared.set(page + PAGE_FLAGS, 0);
  shared.set(page + PAGE_MAPCOUNT, 0);
  shared.storeOnce(page + PAGE_REFCOUNT, 1);
}

/**
 * Gives back a frame of which the caller has the only lasting reference, and which no TLB, walker or kernel object can
 * reach any more. Reclaim may hold it for a moment yet (tryGetPage): then that is where it ends.
 */
export function freeFrame(hart: HartLocal, pfn: number): void {
  putPage(hart, pfn);
}

function release(hart: HartLocal, pfn: number): void {
  endFrame(hart, pfn);
  pushFrame(hart, pfn);
}

/** The frame's last reference is gone: it is free, and on no list yet. */
export function endFrame(hart: HartLocal, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  if ((shared.get(page + PAGE_FLAGS) & (PG_FREE | PG_RESERVED)) !== 0) {
    throw new KernelBug("bad frame freed", { pfn, flags: shared.get(page + PAGE_FLAGS) });
  }
  if (SCHEDULE_POINTS) shared.observer?.frameFreed(hart.id, pfn);
  if (shared.loadOnce(page + PAGE_LRU) !== 0) lruDel(hart, page);
  shared.set(page + PAGE_FLAGS, PG_FREE);
  shared.set(page + PAGE_GENERATION, shared.get(page + PAGE_GENERATION) + 1);
  // Decoded copies of the old contents die with the frame (see assembly/decode.ts). Nobody else writes it any more.
  shared.storeRelease(page + PAGE_CODE_GENERATION, shared.get(page + PAGE_CODE_GENERATION) + 1);
  hart.count(COUNTER_FRAME_FREE);
  trace(hart, TRACE_MM_PAGE_FREE, pfn, 0);
}

/** One more reference to a frame on which the caller already has one, or whose PTE it holds locked. */
export function getPage(hart: HartLocal, pfn: number): void {
  hart.shared.fetchAdd(pageOf(pfn) + PAGE_REFCOUNT, 1);
}

/** A reference to a frame that is known only by its number, unless it is free. (Linux: folio_try_get) */
export function tryGetPage(hart: HartLocal, pfn: number): boolean {
  const refcount = pageOf(pfn) + PAGE_REFCOUNT;
  for (let old = hart.shared.loadOnce(refcount); old > 0; old = hart.shared.loadOnce(refcount)) {
    if (hart.shared.compareExchange(refcount, old, old + 1) === old) return true;
  }
  return false;
}

/** Drops a reference; the last one frees the frame. */
export function putPage(hart: HartLocal, pfn: number): void {
  const old = hart.shared.fetchAdd(pageOf(pfn) + PAGE_REFCOUNT, -1);
  if (old === 1) release(hart, pfn);
  else if (old <= 0) throw new KernelBug("page reference dropped twice", { pfn, refcount: old });
}

/** A frame that is never freed: zero page, stub, kernel tables. */
export function reserveFrame(hart: HartLocal, pfn: number): void {
  hart.shared.fetchOr(pageOf(pfn) + PAGE_FLAGS, PG_RESERVED);
}

/** Frames on all free lists. Exact only while no hart allocates or frees. */
export function freeFrameCount(shared: SharedMemory): number {
  let free = shared.get(MACHINE_BASE + MACHINE_FRAMES_FREE) + freshFrames(shared) + freeRunCount(shared) * RUN_FRAMES;
  for (let id = 0; id < shared.get(MACHINE_BASE + MACHINE_HART_COUNT); id++) {
    const list = shared.loadOnce(hartBase(id) + HART_FRAMES_LIST);
    if (list !== LIST_BUSY) free += list >>> LIST_COUNT_SHIFT;
  }
  return free;
}

/** All frames of RAM, free or not. */
export function ramFrameCount(shared: SharedMemory): number {
  return (shared.get(MACHINE_BASE + MACHINE_RAM_END) >>> PAGE_SHIFT) - RAM_PFN_BASE;
}

export function freshFrames(shared: SharedMemory): number {
  return (shared.get(MACHINE_BASE + MACHINE_RAM_END) >>> PAGE_SHIFT) - shared.get(MACHINE_BASE + MACHINE_FRAMES_FRESH);
}

function listOf(count: number, pfn: number): number {
  return count === 0 ? LIST_EMPTY : (count << LIST_COUNT_SHIFT) | pfn;
}

/** Puts a free frame on the hart's list. Of a full list the older half, a multiple of BATCH_FRAMES, goes elsewhere. */
export function pushFrame(hart: HartLocal, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  const own = hart.base + HART_FRAMES_LIST;
  const list = shared.exchange(own, LIST_BUSY);
  const count = (list >>> LIST_COUNT_SHIFT) + 1;
  const max = shared.get(MACHINE_BASE + MACHINE_FRAMES_LIST_MAX);
  shared.set(page + PAGE_NEXT, list & LIST_PFN_MASK);
  if (count < max) {
    shared.storeRelease(own, listOf(count, pfn));
    return;
  }
  const surplus = skipFrames(shared, pfn, max / 2);
  shared.storeRelease(own, listOf(max / 2, pfn));
  drain(hart, surplus, max / 2);
}

/** Hands a chain of `count` frames, a multiple of BATCH_FRAMES, to the global list. */
function drain(hart: HartLocal, first: number, count: number): void {
  const { shared } = hart;
  spinLock(hart, FRAMES_LOCK);
  for (let batch = first, left = count; left > 0; left -= BATCH_FRAMES) {
    const next = left === BATCH_FRAMES ? 0 : skipFrames(shared, batch, BATCH_FRAMES);
    addBatchLocked(shared, batch);
    batch = next;
  }
  spinUnlock(hart, FRAMES_LOCK);
}

/** The frame that follows `count` others in the chain from `pfn`. */
function skipFrames(shared: SharedMemory, pfn: number, count: number): number {
  let next = pfn;
  for (let i = 0; i < count; i++) next = shared.get(pageOf(next) + PAGE_NEXT);
  return next;
}

/** Requires: FRAMES_LOCK. */
export function addBatchLocked(shared: SharedMemory, first: number): void {
  shared.set(pageOf(first) + PAGE_PREV, shared.get(MACHINE_BASE + MACHINE_FRAMES_HEAD));
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, first);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, shared.get(MACHINE_BASE + MACHINE_FRAMES_FREE) + BATCH_FRAMES);
}

/** A batch of the global list, or 0. Requires: FRAMES_LOCK. */
export function takeBatchLocked(shared: SharedMemory): number {
  const first = shared.get(MACHINE_BASE + MACHINE_FRAMES_HEAD);
  if (first === 0) return 0;
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, shared.get(pageOf(first) + PAGE_PREV));
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, shared.get(MACHINE_BASE + MACHINE_FRAMES_FREE) - BATCH_FRAMES);
  return first;
}

/** Links `count` frames from `first` up, as a list does; what follows the last is not said. */
export function linkFrames(shared: SharedMemory, first: number, count: number): void {
  for (let pfn = first; pfn < first + count; pfn++) shared.set(pageOf(pfn) + PAGE_NEXT, pfn + 1);
}

/** A list of up to BATCH_FRAMES frames for a hart whose own list is empty. */
function refill(hart: HartLocal, isForUser: boolean): number {
  const { shared } = hart;
  spinLock(hart, FRAMES_LOCK);
  const isLow = !isAboveLow(shared);
  if (isForUser && isLow && !isAboveMin(shared)) {
    spinUnlock(hart, FRAMES_LOCK);
    hart.wakeKswapd?.();
    return steal(hart);
  }
  let first = takeBatchLocked(shared);
  let count = BATCH_FRAMES;
  const fresh = first === 0 ? freshFrames(shared) : 0;
  if (fresh !== 0) {
    first = shared.get(MACHINE_BASE + MACHINE_FRAMES_FRESH);
    // To the next multiple of BATCH_FRAMES: from then on fresh frames begin there, and runs need no odd rest.
    count = Math.min(fresh, BATCH_FRAMES - (first & (BATCH_FRAMES - 1)));
    shared.set(MACHINE_BASE + MACHINE_FRAMES_FRESH, first + count);
  } else if (first === 0 && breakRunLocked(shared)) {
    first = takeBatchLocked(shared);
  }
  spinUnlock(hart, FRAMES_LOCK);
  if (isLow) hart.wakeKswapd?.();
  if (first === 0) return steal(hart);
  if (fresh !== 0) linkFrames(shared, first, count);
  return listOf(count, first);
}

/** Gives what the harts' lists have to the global list, but for less than a batch. (Linux: drain_all_pages) */
export function drainLists(hart: HartLocal): void {
  const { shared } = hart;
  let rest = 0;
  let restCount = 0;
  let list = shared.exchange(hart.base + HART_FRAMES_LIST, LIST_EMPTY);
  for (; list !== LIST_EMPTY; list = steal(hart)) {
    let pfn = list & LIST_PFN_MASK;
    for (let left = list >>> LIST_COUNT_SHIFT; left > 0; left--) {
      const next = shared.get(pageOf(pfn) + PAGE_NEXT);
      shared.set(pageOf(pfn) + PAGE_NEXT, rest);
      rest = pfn;
      if (++restCount === BATCH_FRAMES) {
        drain(hart, rest, BATCH_FRAMES);
        rest = restCount = 0;
      }
      pfn = next;
    }
  }
  for (; restCount > 0; restCount--) {
    const next = shared.get(pageOf(rest) + PAGE_NEXT);
    pushFrame(hart, rest);
    rest = next;
  }
}

/** The whole list of some other hart, or LIST_EMPTY: memory is exhausted. */
function steal(hart: HartLocal): number {
  const { shared } = hart;
  for (let step = 1; step < hart.hartCount; step++) {
    const word = hartBase((hart.id + step) % hart.hartCount) + HART_FRAMES_LIST;
    for (let list = shared.loadAcquire(word); list !== LIST_EMPTY; list = shared.loadAcquire(word)) {
      if (list !== LIST_BUSY && shared.compareExchange(word, list, LIST_EMPTY) === list) return list;
      hart.checkStop();
    }
  }
  return LIST_EMPTY;
}
