// The object behind a shared anonymous mapping: the pages belong to it, not to the vma, so they outlive MADV_DONTNEED,
// mremap can map them twice, and fork will share them by sharing the object. (Linux: the shmem file of
// shmem_zero_setup)
//
//   object = struct page of the root frame;  VMA_FILE of each vma that maps it
//     PAGE_REFCOUNT   vmas that map it (and its creator, for a moment)
//     PAGE_INDEX      its size in pages, constant: beyond it is SIGBUS
//     PAGE_MAPPING    height of the tree, constant
//     PAGE_PTL        lock of writers of the tree
//   root frame ──► 1,024 pfns ──► ... ──► 1,024 pfns of pages;  0 = hole. Height 1: the root holds pages.
//
// Entries are only ever filled while the object lives, so readers need no lock but a reference: their vma, under
// mmap_lock. Each page in the tree holds one reference on its frame, each PTE another.

import {
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_PTL,
  PAGE_REFCOUNT,
  PG_ANON,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { allocFrame, frameAddress, freeFrame, getPage, pageOf, pfnOfPage, putPage } from "./frames.ts";

const NODE_BITS = 10;
const NODE_ENTRIES = 1 << NODE_BITS;

/** objectFrame: the index lies beyond the object. */
export const BEYOND_OBJECT = -1;

/** An object of `pages` holes with one reference, or 0: out of memory. */
export function objectCreate(hart: HartLocal, pages: number): number {
  const { shared } = hart;
  const pfn = allocNode(hart);
  if (pfn === 0) return 0;
  let height = 1;
  while (pages > 2 ** (NODE_BITS * height)) height++;
  const object = pageOf(pfn);
  shared.set(object + PAGE_INDEX, pages);
  shared.set(object + PAGE_MAPPING, height);
  shared.set(object + PAGE_PTL, 0);
  return object;
}

/** Another vma maps `object` (0: no object). */
export function objectGet(hart: HartLocal, object: number): void {
  if (object !== 0) hart.shared.fetchAdd(object + PAGE_REFCOUNT, 1);
}

/** A vma is gone; the last one takes the pages along, as far as no PTE in a gather still holds them. May be long. */
export function objectPut(hart: HartLocal, object: number): void {
  if (object === 0) return;
  const { shared } = hart;
  const old = shared.fetchAdd(object + PAGE_REFCOUNT, -1);
  if (old <= 0) throw new KernelBug("object reference dropped twice", { object });
  if (old === 1) freeNode(hart, pfnOfPage(object), shared.get(object + PAGE_MAPPING));
}

/**
 * Frame of page `index`, with a reference for the caller; made if it is a hole. 0 = out of memory, or BEYOND_OBJECT.
 */
export function objectFrame(hart: HartLocal, object: number, index: number): number {
  const { shared } = hart;
  if (index >= shared.get(object + PAGE_INDEX)) return BEYOND_OBJECT;
  let node = pfnOfPage(object);
  for (let level = shared.get(object + PAGE_MAPPING) - 1; level >= 0; level--) {
    const slot = slotAddress(node, index, level);
    node = shared.loadAcquire(slot);
    if (node === 0) node = fill(hart, object, slot, level > 0 ? allocNode(hart) : allocPage(hart, index), level);
    if (node === 0) return 0;
  }
  getPage(hart, node);
  return node;
}

/** Is page `index` there? */
export function objectHas(hart: HartLocal, object: number, index: number): boolean {
  const { shared } = hart;
  if (index >= shared.get(object + PAGE_INDEX)) return false;
  let node = pfnOfPage(object);
  for (let level = shared.get(object + PAGE_MAPPING) - 1; level >= 0 && node !== 0; level--) {
    node = shared.loadAcquire(slotAddress(node, index, level));
  }
  return node !== 0;
}

function slotAddress(node: number, index: number, level: number): number {
  return frameAddress(node) + 4 * ((index >>> (level * NODE_BITS)) & (NODE_ENTRIES - 1));
}

/** Puts `pfn` (0: out of memory) into an empty slot, unless another hart was faster; returns what is there now. */
function fill(hart: HartLocal, object: number, slot: number, pfn: number, level: number): number {
  if (pfn === 0) return 0;
  const { shared } = hart;
  spinLock(hart, object + PAGE_PTL);
  const raced = shared.loadOnce(slot);
  if (raced === 0) shared.storeRelease(slot, pfn);
  spinUnlock(hart, object + PAGE_PTL);
  if (raced === 0) return pfn;
  if (level > 0) freeFrame(hart, pfn);
  else putPage(hart, pfn);
  return raced;
}

function allocNode(hart: HartLocal): number {
  const pfn = allocFrame(hart);
  if (pfn !== 0) hart.core.zeroPage(frameAddress(pfn));
  return pfn;
}

function allocPage(hart: HartLocal, index: number): number {
  const pfn = allocNode(hart);
  if (pfn === 0) return 0;
  const page = pageOf(pfn);
  hart.shared.set(page + PAGE_FLAGS, PG_ANON);
  hart.shared.set(page + PAGE_MAPCOUNT, 0);
  hart.shared.set(page + PAGE_INDEX, index);
  return pfn;
}

function freeNode(hart: HartLocal, node: number, height: number): void {
  for (let i = 0; i < NODE_ENTRIES; i++) {
    const child = hart.shared.get(frameAddress(node) + 4 * i);
    if (child === 0) continue;
    if (height > 1) freeNode(hart, child, height - 1);
    else putPage(hart, child);
  }
  hart.pollIrq();
  freeFrame(hart, node);
}
