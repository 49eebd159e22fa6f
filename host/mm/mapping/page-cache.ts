// The pages of mappings: finding them, making them, filling them from the host. (Linux: mm/filemap.c, mm/shmem.c)
//
// A page enters the tree either complete (a hole of memory: zeroes), or locked and not up to date while its bytes are
// read. Whoever finds one of those waits for the page lock. So nobody uses bytes before PG_UPTODATE says they are
// there.

import {
  MAPPING_FLAGS,
  MAPPING_HOST,
  MAPPING_HOST_LENGTH,
  MAPPING_KIND,
  MAPPING_LOCK,
  MAPPING_SHMEM,
  MAPPING_UNEVICTABLE,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPPING,
  PG_CACHE,
  PG_DIRTY,
  PG_LOCKED,
  PG_REFERENCED,
  PG_SHMEM,
  PG_SWAPBACKED,
  PG_UPTODATE,
} from "../../../assembly/layout.ts";
import { EEXIST, EFAULT, EIO, ENOMEM, ENOSPC } from "../../memory/errno.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { beginHostIo, endHostIo } from "../../memory/host-io.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { allocUserFrame } from "../frame/frames.ts";
import { frameAddress, pageOf } from "../frame/page.ts";
import { getPage, putPage } from "../frame/page-refs.ts";
import { mayMakePage } from "../overcommit.ts";
import { lruAdd } from "../reclaim/lru.ts";
import { makeRoom } from "../reclaim/make-room.ts";
import { dropSlot, readSlot } from "../reclaim/swap-in.ts";
import { swapDup } from "../reclaim/swap-map.ts";
import { mappingEndLocked } from "./mapping.ts";
import { dropSpareNode, entrySlot, treeDelete, treeInsertAndLock, treeLoad, treeReplace } from "./mapping-tree.ts";
import { unlockPage, waitForPage } from "./page-lock.ts";

/** The index lies beyond the end of the mapping. */
export const BEYOND_MAPPING = -1;
/** mappingFrameNowait: the page must be read, or waited for: mappingFrame, without locks. */
export const NEEDS_IO = -2;
/** The host did not give the bytes. */
export const IO_FAILED = -EIO;
/** No page may be promised any more (OVERCOMMIT_NEVER), or the file system is full. */
export const NO_SPACE = -ENOSPC;

/**
 * Frame of page `index`, up to date, with a reference for the caller; made if it is a hole. 0: out of memory; or
 * BEYOND_MAPPING, IO_FAILED or NO_SPACE. No lock held: may wait, and may read from the host.
 */
export function mappingFrame(hart: Hart, mapping: number, index: number, mayExtend = false): number {
  for (;;) {
    const pfn = lookup(hart, mapping, index, mayExtend);
    const outcome = pfn === NEEDS_IO ? readIn(hart, mapping, index, mayExtend) : pfn;
    if (outcome !== NEEDS_IO && (outcome !== 0 || !makeRoom(hart))) return outcome;
  }
}

/** The same with locks held, in a fault: NEEDS_IO where mappingFrame would read or wait. */
export function mappingFrameNowait(hart: HartLocal, mapping: number, index: number): number {
  return lookup(hart, mapping, index, false);
}

/**
 * The caller's frame, whose bytes are there, fills the hole `index` of shared memory: 0, and the tree has a reference
 * besides the caller's; or -EEXIST, -EFAULT (beyond the end) or -ENOMEM. (Linux: shmem_add_to_page_cache)
 */
export function mappingInsert(hart: HartLocal, mapping: number, index: number, pfn: number): number {
  makeCachePage(hart, mapping, index, PG_CACHE | PG_UPTODATE | PG_SWAPBACKED | PG_DIRTY, pfn);
  const there = treeInsertAndLock(hart, mapping, index, pfn);
  const isBeyond = there === pfn && index >= mappingEndLocked(hart, mapping);
  if (isBeyond) treeDelete(hart, mapping, index);
  if (there !== 0) spinUnlock(hart, mapping + MAPPING_LOCK);
  dropSpareNode(hart);
  if (there === pfn && !isBeyond) return 0;
  putPage(hart, pfn); // the tree's
  if (there === 0) return -ENOMEM;
  return isBeyond ? -EFAULT : -EEXIST;
}

/** Is page `index` in memory? */
export function mappingHas(hart: HartLocal, mapping: number, index: number): boolean {
  return mappingEntry(hart, mapping, index) > 0;
}

/** Is page `index` in memory or in swap, and no hole? */
export function mappingContains(hart: HartLocal, mapping: number, index: number): boolean {
  return mappingEntry(hart, mapping, index) !== 0;
}

function mappingEntry(hart: HartLocal, mapping: number, index: number): number {
  spinLock(hart, mapping + MAPPING_LOCK);
  const entry = index < mappingEndLocked(hart, mapping) ? treeLoad(hart, mapping, index) : 0;
  spinUnlock(hart, mapping + MAPPING_LOCK);
  return entry;
}

/** Frame of page `index` with a reference, if it is in memory and up to date, else 0. */
export function mappingPeek(hart: HartLocal, mapping: number, index: number): number {
  spinLock(hart, mapping + MAPPING_LOCK);
  const pfn = index < mappingEndLocked(hart, mapping) ? treeLoad(hart, mapping, index) : 0;
  const found = pfn > 0 && (hart.shared.loadAcquire(pageOf(pfn) + PAGE_FLAGS) & PG_UPTODATE) !== 0;
  if (found) getPage(hart, pfn);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  return found ? pfn : 0;
}

/** Like mappingFrameNowait; `mayExtend`: the end of the mapping does not matter (a write that goes beyond it). */
function lookup(hart: HartLocal, mapping: number, index: number, mayExtend: boolean): number {
  const { shared } = hart;
  spinLock(hart, mapping + MAPPING_LOCK);
  const isBeyond = !mayExtend && index >= mappingEndLocked(hart, mapping);
  const pfn = isBeyond ? 0 : treeLoad(hart, mapping, index);
  const isUptodate = pfn > 0 && (shared.loadAcquire(pageOf(pfn) + PAGE_FLAGS) & PG_UPTODATE) !== 0;
  if (isUptodate) getPage(hart, pfn);
  const isOnHost = index * PAGE_BYTES < hostLengthLocked(hart, mapping);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  if (isBeyond) return BEYOND_MAPPING;
  if (isUptodate) return pfn;
  return pfn !== 0 || isOnHost ? NEEDS_IO : fillHole(hart, mapping, index, mayExtend);
}

/** A zeroed page for a hole. */
function fillHole(hart: HartLocal, mapping: number, index: number, mayExtend: boolean): number {
  const isShmem = hart.shared.get(mapping + MAPPING_KIND) === MAPPING_SHMEM;
  const flags = PG_CACHE | PG_UPTODATE | (isShmem ? PG_SWAPBACKED : 0);
  if (isShmem && !mayMakePage(hart, mapping)) return NO_SPACE;
  // Who writes has asked for room before, and counts afterwards.
  if (isShmem && !mayExtend && !chargeFault(hart, mapping)) return NO_SPACE;
  const pfn = allocCachePage(hart, mapping, index, flags);
  return pfn === 0 ? 0 : addToMapping(hart, mapping, index, pfn, mayExtend);
}

function chargeFault(hart: HartLocal, mapping: number): boolean {
  const host = hart.shared.get(mapping + MAPPING_HOST);
  return host === 0 || hart.pageIo?.chargeFault === undefined || hart.pageIo.chargeFault(hart, host);
}

/** Reads page `index` from the host, unless it is there or on its way: then waits. NEEDS_IO: look again. */
function readIn(hart: HartLocal, mapping: number, index: number, mayExtend: boolean): number {
  spinLock(hart, mapping + MAPPING_LOCK);
  const there = treeLoad(hart, mapping, index);
  if (there > 0) getPage(hart, there);
  else if (there < 0) swapDup(hart, entrySlot(there));
  spinUnlock(hart, mapping + MAPPING_LOCK);
  if (there < 0) return swapPageIn(hart, mapping, index, there);
  if (there > 0) {
    waitForPage(hart, pageOf(there));
    putPage(hart, there);
    return NEEDS_IO;
  }
  const pfn = allocCachePage(hart, mapping, index, PG_CACHE | PG_LOCKED);
  if (pfn === 0) return 0;
  const added = addToMapping(hart, mapping, index, pfn, mayExtend);
  if (added !== pfn) return added;
  const failed = !readPage(hart, mapping, index, pfn);
  if (failed) removeFromMapping(hart, mapping, index, pfn);
  else hart.shared.fetchOr(pageOf(pfn) + PAGE_FLAGS, PG_UPTODATE);
  unlockPage(hart, pageOf(pfn));
  putPage(hart, pfn);
  return failed ? IO_FAILED : NEEDS_IO;
}

/** Brings page `index` back from the swap store; `entry` is what the tree holds, and its slot is counted for this. */
function swapPageIn(hart: HartLocal, mapping: number, index: number, entry: number): number {
  const { shared } = hart;
  const pfn = allocCachePage(hart, mapping, index, PG_CACHE | PG_LOCKED);
  const isRead = pfn !== 0 && readSlot(hart, entrySlot(entry), pfn) === 0;
  if (pfn === 0 || !isRead) {
    dropSlot(hart, entrySlot(entry));
    if (pfn === 0) return 0;
    unlockPage(hart, pageOf(pfn));
    putPage(hart, pfn);
    putPage(hart, pfn);
    return IO_FAILED;
  }
  spinLock(hart, mapping + MAPPING_LOCK);
  const isThere = treeLoad(hart, mapping, index) === entry;
  if (isThere) treeReplace(hart, mapping, index, pfn);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  shared.fetchOr(pageOf(pfn) + PAGE_FLAGS, PG_UPTODATE | PG_SWAPBACKED | PG_DIRTY | PG_REFERENCED);
  unlockPage(hart, pageOf(pfn));
  putPage(hart, pfn);
  if (isThere)
    dropSlot(hart, entrySlot(entry)); // the tree's
  else putPage(hart, pfn); // another hart was faster, or it was cut off
  dropSlot(hart, entrySlot(entry));
  return NEEDS_IO;
}

/** Requires: the page lock, and the caller's own reference. */
function readPage(hart: HartLocal, mapping: number, index: number, pfn: number): boolean {
  const { shared, pageIo } = hart;
  if (pageIo === null) return false;
  const address = frameAddress(pfn);
  beginHostIo(hart);
  const bytes = pageIo.readPage(hart, shared.get(mapping + MAPPING_HOST), index, address);
  endHostIo(hart);
  if (bytes < 0) return false;
  spinLock(hart, mapping + MAPPING_LOCK);
  const valid = Math.max(0, hostLengthLocked(hart, mapping) - index * PAGE_BYTES);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  // The file may have been cut since, here or on the host: what lies beyond reads as zeroes.
  const keep = Math.min(bytes, valid);
  if (keep < PAGE_BYTES) hart.core.zeroBytes(address + keep, PAGE_BYTES - keep);
  return true;
}

/** A frame with one reference, for the tree, and one for the caller. */
function allocCachePage(hart: HartLocal, mapping: number, index: number, flags: number): number {
  const pfn = allocUserFrame(hart);
  if (pfn === 0) return 0;
  hart.core.zeroPage(frameAddress(pfn));
  makeCachePage(hart, mapping, index, flags, pfn);
  return pfn;
}

/** The caller's frame becomes one for page `index`, with a reference for the tree besides his own. */
function makeCachePage(hart: HartLocal, mapping: number, index: number, flags: number, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  const isShmem = shared.get(mapping + MAPPING_KIND) === MAPPING_SHMEM;
  shared.set(page + PAGE_FLAGS, isShmem ? flags | PG_SHMEM : flags);
  shared.set(page + PAGE_MAPPING, mapping);
  shared.set(page + PAGE_INDEX, index);
  getPage(hart, pfn);
  if ((shared.loadOnce(mapping + MAPPING_FLAGS) & MAPPING_UNEVICTABLE) === 0) lruAdd(hart, pfn);
}

/** Puts a new page into the tree; gives what is to be used instead, if there is something by now, or none is needed. */
function addToMapping(hart: HartLocal, mapping: number, index: number, pfn: number, mayExtend: boolean): number {
  const there = treeInsertAndLock(hart, mapping, index, pfn);
  const isBeyond = there === pfn && !mayExtend && index >= mappingEndLocked(hart, mapping);
  if (isBeyond) treeDelete(hart, mapping, index); // truncated meanwhile
  if (there !== 0) spinUnlock(hart, mapping + MAPPING_LOCK);
  dropSpareNode(hart);
  if (there === pfn && !isBeyond) return pfn;
  putPage(hart, pfn); // the tree's
  putPage(hart, pfn);
  if (there === 0) return 0;
  return isBeyond ? BEYOND_MAPPING : lookup(hart, mapping, index, mayExtend);
}

function removeFromMapping(hart: HartLocal, mapping: number, index: number, pfn: number): void {
  spinLock(hart, mapping + MAPPING_LOCK);
  const removed = treeLoad(hart, mapping, index) === pfn && treeDelete(hart, mapping, index) === pfn;
  if (removed) hart.shared.storeRelease(pageOf(pfn) + PAGE_MAPPING, 0);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  if (removed) putPage(hart, pfn);
}

/** Bytes that the host has and nobody has cut off. Requires: MAPPING_LOCK. */
function hostLengthLocked(hart: HartLocal, mapping: number): number {
  if (hart.shared.get(mapping + MAPPING_KIND) === MAPPING_SHMEM) return 0;
  return hart.shared.getF64(mapping + MAPPING_HOST_LENGTH);
}
