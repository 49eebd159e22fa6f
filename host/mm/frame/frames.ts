// The frame allocator. Free frames are in three places, asked in this order:
//
//   the hart's own list    one word, HART_FRAMES_LIST = count << 20 | pfn of the first; linked by PAGE_NEXT
//   the zone               batches, then fresh frames, then runs, which are broken up (zone.ts)
//   other harts' lists     last, so that "out of memory" means that no frame is free anywhere
//
// Protocol of HART_FRAMES_LIST: the word owns the list. Its hart takes it by exchanging LIST_BUSY in, and stores the
// new list back; another hart takes the whole list by compare-and-swap of a word that is not busy to 0. A hart never
// polls, waits or takes a lock while its word is busy, so a thief that meets LIST_BUSY only spins for a moment.

import {
  COUNTER_FRAME_ALLOC,
  HART_FRAMES_LIST,
  MACHINE_BASE,
  MACHINE_FRAMES_FRESH,
  MACHINE_FRAMES_LIST_MAX,
  MACHINE_HART_COUNT,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PAGE_NEXT,
  PAGE_REFCOUNT,
} from "../../../assembly/layout.ts";
import { type HartLocal, hartBase } from "../../memory/hart-local.ts";
import { SCHEDULE_POINTS } from "../../memory/schedule.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_MM_PAGE_ALLOC, trace } from "../../memory/trace.ts";
import { pageOf, ramFrameCount } from "./page.ts";
import { isAboveLow, isAboveMin } from "./watermark.ts";
import {
  addBatchLocked,
  availableFrames,
  BATCH_FRAMES,
  breakRunLocked,
  FRAMES_LOCK,
  freshFrames,
  initZone,
  linkFrames,
  takeBatchLocked,
} from "./zone.ts";

/**
 * What the lists of all harts may have together, as a part of RAM. The more, the longer a frame stays with the hart in
 * whose cache it is: a page that another hart has written is zeroed several times as slowly. (Linux: pcp->high)
 */
const LISTS_PART_OF_RAM = 1 / 16;
const LIST_BATCHES_MAX = 16;

const LIST_COUNT_SHIFT = 20; // RAM ends below 4 GiB, so a pfn has at most 20 bits
const LIST_PFN_MASK = (1 << LIST_COUNT_SHIFT) - 1;
const LIST_EMPTY = 0;
/** A hart is about to take a frame from its own list, or to put one there: no callback may come in between. */
export const LIST_BUSY = -1;

/** Before any hart runs: all RAM from `firstFreePfn` up is free and fresh. */
export function initFrames(shared: SharedMemory, firstFreePfn: number): void {
  initZone(shared, firstFreePfn);
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

/** Frames on all free lists. Exact only while no hart allocates or frees. */
export function freeFrameCount(shared: SharedMemory): number {
  let free = availableFrames(shared);
  for (let id = 0; id < shared.get(MACHINE_BASE + MACHINE_HART_COUNT); id++) {
    const list = shared.loadOnce(hartBase(id) + HART_FRAMES_LIST);
    if (list !== LIST_BUSY) free += list >>> LIST_COUNT_SHIFT;
  }
  return free;
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

/** Hands a chain of `count` frames, a multiple of BATCH_FRAMES, to the zone. */
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

/** Gives what the harts' lists have to the zone, but for less than a batch. (Linux: drain_all_pages) */
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
