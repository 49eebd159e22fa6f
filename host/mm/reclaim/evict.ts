// A page leaves memory. (Linux: shrink_folio_list in mm/vmscan.c, pageout)
//
//   of a host file, clean       unmapped, and forgotten
//   private                     into the swap cache, its entries replaced by its slot, written, forgotten
//   private, and given up       (MADV_FREE) unmapped and forgotten, unless it has been written to since
//   of memory, or changed       unmapped, written, its place in the mapping's tree replaced by the slot
//
// The page is pinned by a reference and locked (page-lock.ts) meanwhile, and left alone if anybody else has a reference
// in the end. No lock but that of the page is held across the write.

import {
  COUNTER_PGLAZYFREED,
  COUNTER_PSWPOUT,
  MACHINE_BASE,
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
  PG_DIRTY,
  PG_LAZYFREE,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UPTODATE,
} from "../../../assembly/layout.ts";
import { beginHostIo, endHostIo } from "../../memory/host-io.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_MM_VMSCAN_WRITE_FOLIO, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { frameAddress, pageOf } from "../frame/page.ts";
import { putPage } from "../frame/page-refs.ts";
import { swapEntry, treeDelete, treeLoad, treeReplace } from "../mapping/mapping-tree.ts";
import { tryToUnmap } from "../rmap/rmap.ts";
import { dropSlot } from "./swap-in.ts";
import { swapAddPage, swapAlloc, swapDetach } from "./swap-map.ts";

/** Nobody needs the page in memory: true if only the caller has it any more. Requires: page lock, and a reference. */
export function evictPage(hart: Hart, pfn: number): boolean {
  const page = pageOf(pfn);
  const flags = hart.shared.loadOnce(page + PAGE_FLAGS);
  if ((flags & PG_ANON) === 0) return evictCache(hart, pfn, page);
  return (flags & (PG_LAZYFREE | PG_SWAPCACHE)) === PG_LAZYFREE
    ? evictLazyFree(hart, pfn, page)
    : evictPrivate(hart, pfn, page);
}

/** A page that was written to after MADV_FREE is one like any other again: tryToUnmap has found it out. */
function evictLazyFree(hart: Hart, pfn: number, page: number): boolean {
  const { shared } = hart;
  if (shared.loadOnce(page + PAGE_MAPCOUNT) === 0) return false;
  tryToUnmap(hart, pfn);
  const isGone =
    shared.loadOnce(page + PAGE_MAPCOUNT) === 0 && (shared.loadOnce(page + PAGE_FLAGS) & PG_LAZYFREE) !== 0;
  if (isGone) hart.count(COUNTER_PGLAZYFREED);
  return isGone;
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
  trace(hart, TRACE_MM_VMSCAN_WRITE_FOLIO, pfn, slot);
  beginHostIo(hart);
  const error = swapStore.write(slot, frameAddress(pfn));
  endHostIo(hart);
  return error === 0;
}

export function hasSwap(hart: Hart): boolean {
  return hart.swapStore !== null && hart.shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS) !== 0;
}
