// Reclaim: frames whose pages nobody has used lately become free. (Linux: mm/vmscan.c)
//
// Looks at the old ends of the lists (lru.ts), at first at a small part of them, then at more and more until enough is
// free. Whoever reclaims begins with the lists of its own hart and goes on with those of the others; several may do it
// at once.

import {
  COUNTER_ALLOCSTALL,
  COUNTER_PGACTIVATE,
  COUNTER_PGDEACTIVATE,
  COUNTER_PGREFILL,
  COUNTER_PGSCAN_DIRECT,
  COUNTER_PGSCAN_KSWAPD,
  COUNTER_PGSTEAL_ANON,
  COUNTER_PGSTEAL_DIRECT,
  COUNTER_PGSTEAL_FILE,
  COUNTER_PGSTEAL_KSWAPD,
  LRU_BASE,
  LRU_BYTES,
  LRU_FILE,
  LRU_UNEVICTABLE,
  MACHINE_BASE,
  MACHINE_KSWAPD_FAILURES,
  MACHINE_LRU_RESCUE,
  MACHINE_SWAPPINESS,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PG_REFERENCED,
} from "../../../assembly/layout.ts";
import { rcuQuiescent } from "../../memory/rcu.ts";
import {
  TRACE_MM_VMSCAN_DIRECT_RECLAIM_BEGIN,
  TRACE_MM_VMSCAN_DIRECT_RECLAIM_END,
  TRACE_MM_VMSCAN_LRU_SHRINK_INACTIVE,
  trace,
} from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { pageOf } from "../frame/page.ts";
import { tryLockPage, unlockPage } from "../mapping/page-lock.ts";
import { PAGE_MLOCKED, pageReferenced } from "../rmap/rmap.ts";
import { evictPage, hasSwap } from "./evict.ts";
import { kindOf, LRU_ACTIVE, LRU_INACTIVE, lruCount, lruDel, lruIsolate, lruOf, lruPut } from "./lru.ts";
import { putSwapPage } from "./swap-map.ts";

/** Frames that direct reclaim frees at once, so that the next allocations find some. (Linux: SWAP_CLUSTER_MAX) */
export const RECLAIM_FRAMES = 32;
/** The first look is at 1 / 2^12 of each list, and no less than RECLAIM_FRAMES. (DEF_PRIORITY) */
const PRIORITY_START = 12;
/** Looks at everything before nothing is found: the first may only have cleared accessed bits. */
const ROUNDS = 3;

/** vm.swappiness at which a page of memory alone is worth as much as one of a file. */
const SHARE_EQUAL = 100;

// what becomes of a page that was taken off an inactive list
const GONE = -1;
const KEEP = 0; // back to the young end of it

/** An allocation failed: reclaims. False: there is nothing to be had. No lock held; writes to the host. */
export function directReclaim(hart: Hart): boolean {
  hart.count(COUNTER_ALLOCSTALL);
  trace(hart, TRACE_MM_VMSCAN_DIRECT_RECLAIM_BEGIN);
  const freed = shrinkMemory(hart, RECLAIM_FRAMES);
  trace(hart, TRACE_MM_VMSCAN_DIRECT_RECLAIM_END, freed);
  return freed > 0;
}

/** Frees up to `wanted` frames or a few more: how many. No lock held; writes to the host. */
export function shrinkMemory(hart: Hart, wanted: number, isKswapd = false): number {
  if (hart.inAtomicContext()) return 0;
  if (hart.shared.exchange(MACHINE_BASE + MACHINE_LRU_RESCUE, 0) !== 0) rescueUnevictable(hart);
  let freed = 0;
  for (let look = 0; look < PRIORITY_START + ROUNDS && freed < wanted; look++) {
    const priority = Math.max(PRIORITY_START - look, 0);
    for (let step = 0; step < hart.hartCount && freed < wanted; step++) {
      const lru = lruOf((hart.id + step) % hart.hartCount);
      freed += shrinkLists(hart, lru, priority, wanted - freed, isKswapd);
    }
  }
  if (freed > 0) hart.shared.storeOnce(MACHINE_BASE + MACHINE_KSWAPD_FAILURES, 0);
  return freed;
}

/** Pages of files that are not in use and not changed go. No lock held. (drop_pagecache_sb) */
export function dropCaches(hart: Hart): void {
  for (let id = 0; id < hart.hartCount; id++) {
    for (const list of [LRU_FILE | LRU_ACTIVE, LRU_FILE | LRU_INACTIVE]) dropList(hart, lruOf(id), list);
  }
}

function dropList(hart: Hart, lru: number, list: number): void {
  for (let left = lruCount(hart.shared, lru, list); left > 0; ) {
    const count = lruIsolate(hart, lru, list, left);
    if (count === 0) return;
    left -= count;
    for (let i = 0; i < count; i++) {
      const pfn = hart.isolated[i];
      const page = pageOf(pfn);
      const isUsed = hart.shared.loadOnce(page + PAGE_MAPCOUNT) !== 0;
      if (!isUsed && tryLockPage(hart, page) && evictLocked(hart, pfn, false)) putSwapPage(hart, pfn);
      else putBack(hart, pfn, LRU_INACTIVE);
    }
    hart.pollIrq();
    rcuQuiescent(hart);
  }
}

/** The first `count` pages of hart.isolated go, used or not, if they can; their references go too. No lock held. */
export function reclaimPages(hart: Hart, count: number): void {
  for (let i = 0; i < count; i++) {
    const pfn = hart.isolated[i];
    const page = pageOf(pfn);
    const wasListed = lruDel(hart, page);
    const gone = tryLockPage(hart, page) && evictLocked(hart, pfn, false);
    if (wasListed && !gone) putBack(hart, pfn, LRU_INACTIVE);
    else putSwapPage(hart, pfn);
  }
}

/** The pages of one set: of files first, they cost no swap; how many of which vm.swappiness says. (get_scan_count) */
function shrinkLists(hart: Hart, lru: number, priority: number, wanted: number, isKswapd: boolean): number {
  const swappiness = hart.shared.loadOnce(MACHINE_BASE + MACHINE_SWAPPINESS);
  // In the end it does not matter.
  const anonShare = priority === 0 ? SHARE_EQUAL : swappiness;
  const fileShare = 2 * SHARE_EQUAL - anonShare;
  let freed = shrinkPair(hart, lru, LRU_FILE, priority, fileShare, wanted, isKswapd);
  // Without swap private pages can not go, and looking at them is in vain.
  if (hasSwap(hart) && anonShare !== 0 && (freed < wanted || anonShare > SHARE_EQUAL)) {
    freed += shrinkPair(hart, lru, 0, priority, anonShare, wanted, isKswapd);
  }
  return freed;
}

function shrinkPair(
  hart: Hart,
  lru: number,
  kind: number,
  priority: number,
  share: number,
  wanted: number,
  isKswapd: boolean,
): number {
  const { shared } = hart;
  const inactive = kind | LRU_INACTIVE;
  const active = kind | LRU_ACTIVE;
  const partOf = (count: number) => {
    const part = Math.ceil(((count >>> priority) * share) / SHARE_EQUAL);
    return Math.min(count, Math.max(part, RECLAIM_FRAMES));
  };
  if (lruCount(shared, lru, inactive) < lruCount(shared, lru, active)) {
    deactivate(hart, lru, active, partOf(lruCount(shared, lru, active)));
  }
  let freed = 0;
  for (let left = partOf(lruCount(shared, lru, inactive)); left > 0 && freed < wanted; ) {
    const count = lruIsolate(hart, lru, inactive, left);
    if (count === 0) break;
    left -= count;
    const gone = shrinkIsolated(hart, count, isKswapd);
    freed += gone;
    const owner = (lru - LRU_BASE) / LRU_BYTES;
    trace(hart, TRACE_MM_VMSCAN_LRU_SHRINK_INACTIVE, owner, count, gone, priority, kind & LRU_FILE);
    hart.pollIrq();
    rcuQuiescent(hart);
  }
  return freed;
}

/** Pages that were active, whether used or not, have to be used again to stay. (shrink_active_list) */
function deactivate(hart: Hart, lru: number, active: number, pages: number): void {
  for (let left = pages; left > 0; ) {
    const count = lruIsolate(hart, lru, active, left);
    if (count === 0) return;
    left -= count;
    hart.count(COUNTER_PGREFILL, count);
    for (let i = 0; i < count; i++) {
      const pfn = hart.isolated[i];
      const used = usesOf(hart, pfn);
      if (used !== PAGE_MLOCKED) hart.count(COUNTER_PGDEACTIVATE);
      putBack(hart, pfn, used === PAGE_MLOCKED ? LRU_UNEVICTABLE : LRU_INACTIVE);
    }
    hart.pollIrq();
    rcuQuiescent(hart);
  }
}

/** What is in hart.isolated goes, or back to a list: how many are gone. (shrink_folio_list) */
function shrinkIsolated(hart: Hart, count: number, isKswapd: boolean): number {
  hart.count(isKswapd ? COUNTER_PGSCAN_KSWAPD : COUNTER_PGSCAN_DIRECT, count);
  let freed = 0;
  for (let i = 0; i < count; i++) {
    const pfn = hart.isolated[i];
    const fate = shrinkPage(hart, pfn, isKswapd);
    if (fate === GONE) {
      freed++;
      putSwapPage(hart, pfn);
    } else {
      if (fate === LRU_ACTIVE) hart.count(COUNTER_PGACTIVATE);
      putBack(hart, pfn, fate);
    }
  }
  return freed;
}

/** GONE, KEEP, LRU_ACTIVE or LRU_UNEVICTABLE. Requires: a reference. (folio_check_references) */
function shrinkPage(hart: Hart, pfn: number, isKswapd: boolean): number {
  const { shared } = hart;
  const page = pageOf(pfn);
  if (!tryLockPage(hart, page)) return KEEP;
  const wasTouched = (shared.loadOnce(page + PAGE_FLAGS) & PG_REFERENCED) !== 0;
  const used = usesOf(hart, pfn);
  const isFile = kindOf(shared.loadOnce(page + PAGE_FLAGS)) === LRU_FILE;
  let fate = GONE;
  if (used === PAGE_MLOCKED) fate = LRU_UNEVICTABLE;
  // A page of a file that was used once is not yet worth more than the others: most are read from end to end.
  else if (isFile && used === 1 && !wasTouched) fate = KEEP;
  else if (used > 0) fate = LRU_ACTIVE;
  else if (wasTouched) fate = KEEP;
  if (fate === KEEP && used === 1) shared.fetchOr(page + PAGE_FLAGS, PG_REFERENCED);
  if (fate === GONE) return evictLocked(hart, pfn, isKswapd) ? GONE : LRU_ACTIVE;
  unlockPage(hart, page);
  return fate;
}

/** Requires: the page lock, which is dropped, and a reference. */
function evictLocked(hart: Hart, pfn: number, isKswapd: boolean): boolean {
  const page = pageOf(pfn);
  const isFile = kindOf(hart.shared.loadOnce(page + PAGE_FLAGS)) === LRU_FILE;
  const gone = evictPage(hart, pfn);
  unlockPage(hart, page);
  if (!gone) return false;
  hart.count(isFile ? COUNTER_PGSTEAL_FILE : COUNTER_PGSTEAL_ANON);
  hart.count(isKswapd ? COUNTER_PGSTEAL_KSWAPD : COUNTER_PGSTEAL_DIRECT);
  return true;
}

/** Entries that have used the page since somebody looked last, or PAGE_MLOCKED. What system calls did is forgotten. */
function usesOf(hart: Hart, pfn: number): number {
  const { shared } = hart;
  const page = pageOf(pfn);
  if ((shared.loadOnce(page + PAGE_FLAGS) & PG_REFERENCED) !== 0) shared.fetchAnd(page + PAGE_FLAGS, ~PG_REFERENCED);
  return shared.loadOnce(page + PAGE_MAPCOUNT) === 0 ? 0 : pageReferenced(hart, pfn);
}

/** To `activity` of the list of its kind, as of now, or to LRU_UNEVICTABLE; the reference is dropped. */
function putBack(hart: Hart, pfn: number, activity: number): void {
  const flags = hart.shared.loadOnce(pageOf(pfn) + PAGE_FLAGS);
  lruPut(hart, pfn, activity === LRU_UNEVICTABLE ? LRU_UNEVICTABLE : kindOf(flags) | activity);
  putSwapPage(hart, pfn);
}

/** Something was unlocked: everything that had to stay is looked at again. */
function rescueUnevictable(hart: Hart): void {
  for (let id = 0; id < hart.hartCount; id++) {
    for (let left = lruCount(hart.shared, lruOf(id), LRU_UNEVICTABLE); left > 0; ) {
      const count = lruIsolate(hart, lruOf(id), LRU_UNEVICTABLE, left);
      if (count === 0) break;
      left -= count;
      for (let i = 0; i < count; i++) putBack(hart, hart.isolated[i], LRU_INACTIVE);
      hart.pollIrq();
    }
  }
}
