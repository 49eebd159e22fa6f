// Reclaim: frames whose pages nobody has used lately become free. (Linux: mm/vmscan.c)
//
// Linux keeps pages on active and inactive lists. Here one hand goes round over all frames, as in a clock: a page whose
// entries have been used since the hand was last there is left alone and its accessed bits are cleared, another goes.
// So a fault puts nothing on a list, and reclaim needs none. Whoever reclaims takes the next frame from the hand, so
// harts that do it at once share the work.
//
//   of a host file, clean       unmapped, and forgotten
//   private                     into the swap cache, its entries replaced by its slot, written, forgotten
//   of memory, or changed       unmapped, written, its place in the mapping's tree replaced by the slot
//
// A page is pinned by a reference and locked (page-lock.ts) meanwhile, and left alone if anybody else has a reference
// in the end. No lock but that of the page is held across the write.

import {
  COUNTER_ALLOCSTALL,
  COUNTER_PGACTIVATE,
  COUNTER_PGSCAN,
  COUNTER_PGSTEAL_ANON,
  COUNTER_PGSTEAL_FILE,
  COUNTER_PSWPOUT,
  MACHINE_BASE,
  MACHINE_CLOCK_HAND,
  MACHINE_FRAMES_FRESH,
  MACHINE_SWAP_SLOTS,
  MAPPING_FLAGS,
  MAPPING_LOCK,
  MAPPING_UNEVICTABLE,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_PRIVATE,
  PAGE_REFCOUNT,
  PG_ANON,
  PG_CACHE,
  PG_DIRTY,
  PG_FREE,
  PG_LOCKED,
  PG_REFERENCED,
  PG_RESERVED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UPTODATE,
  RAM_PFN_BASE,
} from "../../assembly/layout.ts";
import { beginHostIo, endHostIo } from "../memory/host-io.ts";
import { rcuQuiescent } from "../memory/rcu.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import type { Hart } from "../policy/hart.ts";
import { frameAddress, pageOf, putPage, tryGetPage } from "./frames.ts";
import { swapEntry, treeDelete, treeLoad, treeReplace } from "./mapping-tree.ts";
import { tryLockPage, unlockPage } from "./page-lock.ts";
import { PAGE_MLOCKED, pageReferenced, tryToUnmap } from "./rmap.ts";
import { dropSlot } from "./swap-in.ts";
import { putSwapPage, swapAddPage, swapAlloc, swapDetach } from "./swap-map.ts";

/** Frames that direct reclaim frees at once, so that the next allocations find some. (Linux: SWAP_CLUSTER_MAX) */
export const RECLAIM_FRAMES = 32;
/** Rounds of the hand before nothing is found: the first may only have cleared accessed bits. */
const ROUNDS = 3;

/** An allocation failed: reclaims. False: there is nothing to be had. No lock held; writes to the host. */
export function directReclaim(hart: Hart): boolean {
  hart.count(COUNTER_ALLOCSTALL);
  return shrinkMemory(hart, RECLAIM_FRAMES) > 0;
}

/** Frees up to `wanted` frames or a few more: how many. No lock held; writes to the host. */
export function shrinkMemory(hart: Hart, wanted: number): number {
  const { shared } = hart;
  if (hart.inAtomicContext()) return 0;
  const frames = shared.loadOnce(MACHINE_BASE + MACHINE_FRAMES_FRESH) - RAM_PFN_BASE;
  let freed = 0;
  for (let looked = 0; looked < ROUNDS * frames && freed < wanted; looked++) {
    const hand = shared.fetchAdd(MACHINE_BASE + MACHINE_CLOCK_HAND, 1) >>> 0;
    if (reclaimFrame(hart, RAM_PFN_BASE + (hand % frames))) freed++;
    if ((looked & 63) !== 0) continue;
    hart.pollIrq();
    rcuQuiescent(hart);
  }
  return freed;
}

/** Frees the frame if its page may go: true. */
function reclaimFrame(hart: Hart, pfn: number): boolean {
  const { shared } = hart;
  const page = pageOf(pfn);
  // The second look, with a reference: the frame may have changed hands in between.
  if (!isCandidate(shared.loadOnce(page + PAGE_FLAGS)) || !tryGetPage(hart, pfn)) return false;
  if (!isCandidate(shared.loadOnce(page + PAGE_FLAGS)) || !tryLockPage(hart, page)) {
    putSwapPage(hart, pfn);
    return false;
  }
  hart.count(COUNTER_PGSCAN);
  const isAnon = (shared.loadOnce(page + PAGE_FLAGS) & PG_ANON) !== 0;
  const gone = !isInUse(hart, pfn, page) && (isAnon ? evictPrivate(hart, pfn, page) : evictCache(hart, pfn, page));
  unlockPage(hart, page);
  putSwapPage(hart, pfn);
  if (gone) hart.count(isAnon ? COUNTER_PGSTEAL_ANON : COUNTER_PGSTEAL_FILE);
  return gone;
}

function isCandidate(flags: number): boolean {
  return (flags & (PG_ANON | PG_CACHE)) !== 0 && (flags & (PG_FREE | PG_RESERVED | PG_LOCKED)) === 0;
}

function isInUse(hart: Hart, pfn: number, page: number): boolean {
  const { shared } = hart;
  const wasTouched =
    (shared.loadOnce(page + PAGE_FLAGS) & PG_REFERENCED) !== 0 &&
    (shared.fetchAnd(page + PAGE_FLAGS, ~PG_REFERENCED) & PG_REFERENCED) !== 0;
  const used = shared.loadOnce(page + PAGE_MAPCOUNT) === 0 ? 0 : pageReferenced(hart, pfn);
  if (!wasTouched && used === 0) return false;
  if (used !== PAGE_MLOCKED) hart.count(COUNTER_PGACTIVATE);
  return true;
}

/** Requires: the page lock, and a reference of the caller's. */
function evictPrivate(hart: Hart, pfn: number, page: number): boolean {
  const { shared } = hart;
  const isCached = (shared.loadOnce(page + PAGE_FLAGS) & PG_SWAPCACHE) !== 0;
  if (!isCached && (!hasSwap(hart) || shared.loadOnce(page + PAGE_MAPCOUNT) === 0)) return false;
  if (!isCached) {
    if (!swapAddPage(hart, pfn)) return false;
    shared.fetchOr(page + PAGE_FLAGS, PG_UPTODATE);
  }
  if (shared.loadOnce(page + PAGE_MAPCOUNT) !== 0) tryToUnmap(hart, pfn);
  if (shared.loadOnce(page + PAGE_MAPCOUNT) === 0) {
    // Nobody wants it any more: no need to write it.
    if (swapDetach(hart, pfn, 1, false)) return dropCacheReference(hart, pfn);
    if (!clean(hart, pfn, page)) return false;
    if (swapDetach(hart, pfn, 1, true)) return dropCacheReference(hart, pfn);
  }
  return false;
}

function dropCacheReference(hart: Hart, pfn: number): boolean {
  putPage(hart, pfn);
  return true;
}

/** Writes a page of the swap cache to its slot if that has other bytes. Nobody writes to such a page. */
function clean(hart: Hart, pfn: number, page: number): boolean {
  const { shared } = hart;
  if ((shared.loadOnce(page + PAGE_FLAGS) & PG_DIRTY) === 0) return true;
  if (!writeSlot(hart, shared.get(page + PAGE_PRIVATE), pfn)) return false;
  shared.fetchAnd(page + PAGE_FLAGS, ~PG_DIRTY);
  return true;
}

/** Requires: the page lock, and a reference of the caller's. */
function evictCache(hart: Hart, pfn: number, page: number): boolean {
  const { shared } = hart;
  const mapping = shared.loadAcquire(page + PAGE_MAPPING);
  if (mapping === 0 || (shared.loadOnce(mapping + MAPPING_FLAGS) & MAPPING_UNEVICTABLE) !== 0) return false;
  const isSwapbacked = (shared.loadOnce(page + PAGE_FLAGS) & PG_SWAPBACKED) !== 0;
  if (isSwapbacked && !hasSwap(hart)) return false;
  if (shared.loadOnce(page + PAGE_MAPCOUNT) !== 0) tryToUnmap(hart, pfn);
  // Unmapping may have found that it was written to.
  if ((shared.loadOnce(page + PAGE_FLAGS) & PG_SWAPBACKED) === 0) return takeOut(hart, mapping, pfn, 0);
  const slot = hasSwap(hart) ? swapAlloc(hart) : 0;
  if (slot === 0) return false;
  shared.fetchAnd(page + PAGE_FLAGS, ~PG_DIRTY);
  if (writeSlot(hart, slot, pfn) && takeOut(hart, mapping, pfn, swapEntry(slot))) return true;
  shared.fetchOr(page + PAGE_FLAGS, PG_DIRTY);
  dropSlot(hart, slot);
  return false;
}

/** Replaces the page by `entry` (0: nothing) in its mapping, if only tree and caller have it and nobody wrote to it. */
function takeOut(hart: Hart, mapping: number, pfn: number, entry: number): boolean {
  const { shared } = hart;
  const page = pageOf(pfn);
  const index = shared.get(page + PAGE_INDEX);
  spinLock(hart, mapping + MAPPING_LOCK);
  // PAGE_MAPPING changes under this lock only: if it still says so, the mapping is alive and has the page.
  const isThere = shared.get(page + PAGE_MAPPING) === mapping && treeLoad(hart, mapping, index) === pfn;
  const isUnused = isThere && shared.loadAcquire(page + PAGE_REFCOUNT) === 2;
  const goes = isUnused && (shared.loadOnce(page + PAGE_FLAGS) & PG_DIRTY) === 0;
  if (goes) {
    if (entry === 0) treeDelete(hart, mapping, index);
    else treeReplace(hart, mapping, index, entry);
    shared.storeRelease(page + PAGE_MAPPING, 0);
  }
  spinUnlock(hart, mapping + MAPPING_LOCK);
  if (goes) putPage(hart, pfn);
  return goes;
}

function writeSlot(hart: Hart, slot: number, pfn: number): boolean {
  const { swapStore } = hart;
  if (swapStore === null) return false;
  hart.count(COUNTER_PSWPOUT);
  beginHostIo(hart);
  const error = swapStore.write(slot, frameAddress(pfn));
  endHostIo(hart);
  return error === 0;
}

function hasSwap(hart: Hart): boolean {
  return hart.swapStore !== null && hart.shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS) !== 0;
}
