// The tree of a mapping: page index -> entry, a radix tree of frames with 1,024 words each. (Linux: mapping->i_pages)
//
//   MAPPING_ROOT ──► 1,024 pfns ──► ... ──► 1,024 entries: a pfn; below 0: a slot of the swap store; 0: a hole.
//   Height 1: the root holds entries.
//
// It grows a root when an index does not fit, and a node goes when its last entry does. All is under MAPPING_LOCK. A
// node that is missing is allocated with the lock dropped (hart.spareNode), and the descent begins anew.

import {
  MAPPING_HEIGHT,
  MAPPING_LOCK,
  MAPPING_PAGES,
  MAPPING_ROOT,
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_NODE_ENTRIES,
  PG_NODE,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { allocFrame } from "../frame/frames.ts";
import { frameAddress, pageOf } from "../frame/page.ts";
import { freeFrame, putPage } from "../frame/page-refs.ts";
import { commitPages, isPromisedByPage } from "../overcommit.ts";
import { swapPut } from "../reclaim/swap-map.ts";

const NODE_BITS = 10;
const NODE_ENTRIES = 1 << NODE_BITS;
const HEIGHT_MAX = 3;

/** treeStore: a node is missing; allocate hart.spareNode with the lock dropped and try again. */
const NEEDS_NODE = 0;
/** treeNext: nothing from there on. */
export const TREE_END = -1;

/** Entry of a page that is in the swap store; negative. */
export function swapEntry(slot: number): number {
  return -slot;
}

/** Slot of a negative entry. */
export function entrySlot(entry: number): number {
  return -entry;
}

/** What is at `index`, 0 for a hole. Requires: MAPPING_LOCK. */
export function treeLoad(hart: HartLocal, mapping: number, index: number): number {
  const { shared } = hart;
  const height = shared.get(mapping + MAPPING_HEIGHT);
  if (index >= 1 << (height * NODE_BITS)) return 0;
  let node = shared.get(mapping + MAPPING_ROOT);
  for (let level = height - 1; level >= 0 && node !== 0; level--) node = shared.get(slotAddress(node, index, level));
  return node;
}

/**
 * Puts `entry` into the hole at `index`; returns what is there now: `entry`, or what another hart had put there, and
 * then MAPPING_LOCK is held and the caller's to drop. Or 0: out of memory, and no lock is held.
 */
export function treeInsertAndLock(hart: HartLocal, mapping: number, index: number, entry: number): number {
  for (;;) {
    spinLock(hart, mapping + MAPPING_LOCK);
    const found = store(hart, mapping, index, entry);
    if (found !== NEEDS_NODE) return found;
    spinUnlock(hart, mapping + MAPPING_LOCK);
    if (hart.spareNode === 0 && !allocSpare(hart)) return 0;
  }
}

/** Gives back the node that treeInsertAndLock did not need after all. No lock held. */
export function dropSpareNode(hart: HartLocal): void {
  if (hart.spareNode === 0) return;
  freeFrame(hart, hart.spareNode);
  hart.spareNode = 0;
}

/** Replaces the entry at `index`, which is no hole. Requires: MAPPING_LOCK. */
export function treeReplace(hart: HartLocal, mapping: number, index: number, entry: number): void {
  const { shared } = hart;
  let node = shared.get(mapping + MAPPING_ROOT);
  for (let level = shared.get(mapping + MAPPING_HEIGHT) - 1; level > 0; level--) {
    node = shared.get(slotAddress(node, index, level));
  }
  shared.set(slotAddress(node, index, 0), entry);
}

/** Makes a hole at `index` and returns what was there. Requires: MAPPING_LOCK. */
export function treeDelete(hart: HartLocal, mapping: number, index: number): number {
  const { shared } = hart;
  const entry = treeLoad(hart, mapping, index);
  if (entry === 0) return 0;
  const root = shared.get(mapping + MAPPING_ROOT);
  const height = shared.get(mapping + MAPPING_HEIGHT);
  if (deleteBelow(hart, root, index, height - 1)) {
    shared.set(mapping + MAPPING_ROOT, 0);
    shared.set(mapping + MAPPING_HEIGHT, 0);
  }
  countPages(hart, mapping, -1);
  return entry;
}

/** First index from `from` on, below `end`, that is no hole; or TREE_END. Requires: MAPPING_LOCK. */
export function treeNext(hart: HartLocal, mapping: number, from: number, end: number): number {
  const height = hart.shared.get(mapping + MAPPING_HEIGHT);
  if (height === 0 || from >= end) return TREE_END;
  const found = nextBelow(hart, hart.shared.get(mapping + MAPPING_ROOT), height - 1, 0, from);
  return found !== TREE_END && found < end ? found : TREE_END;
}

/** Takes every entry of [from, end) out and drops the tree's reference on its frame. No lock held. May be long. */
export function treeRemoveFrom(hart: HartLocal, mapping: number, from: number, end: number): void {
  for (let index = from; ; index++) {
    spinLock(hart, mapping + MAPPING_LOCK);
    index = treeNext(hart, mapping, index, end);
    const entry = index === TREE_END ? 0 : treeDelete(hart, mapping, index);
    if (entry > 0) hart.shared.storeRelease(pageOf(entry) + PAGE_MAPPING, 0);
    spinUnlock(hart, mapping + MAPPING_LOCK);
    if (entry === 0) return;
    if (entry > 0) putPage(hart, entry);
    else swapPut(hart, entrySlot(entry)); // such a slot is in no swap cache
    if ((index & 63) === 0) hart.pollIrq();
  }
}

/** Frees the nodes of a tree without entries: some are left when memory ran out during an insertion. Nobody uses it. */
export function treeFreeNodes(hart: HartLocal, mapping: number): void {
  const { shared } = hart;
  const root = shared.get(mapping + MAPPING_ROOT);
  if (root !== 0) freeNodesBelow(hart, root, shared.get(mapping + MAPPING_HEIGHT) - 1);
  shared.set(mapping + MAPPING_ROOT, 0);
}

/** Requires: MAPPING_LOCK. What is at `index` now, or NEEDS_NODE. */
function store(hart: HartLocal, mapping: number, index: number, entry: number): number {
  const { shared } = hart;
  while (
    index >= 1 << (shared.get(mapping + MAPPING_HEIGHT) * NODE_BITS) ||
    shared.get(mapping + MAPPING_HEIGHT) === 0
  ) {
    if (!growRoot(hart, mapping)) return NEEDS_NODE;
  }
  let node = shared.get(mapping + MAPPING_ROOT);
  for (let level = shared.get(mapping + MAPPING_HEIGHT) - 1; level > 0; level--) {
    const slot = slotAddress(node, index, level);
    let child = shared.get(slot);
    if (child === 0) {
      child = takeSpare(hart);
      if (child === 0) return NEEDS_NODE;
      shared.set(slot, child);
      addEntries(hart, node, 1);
    }
    node = child;
  }
  const slot = slotAddress(node, index, 0);
  const found = shared.get(slot);
  if (found !== 0) return found;
  shared.set(slot, entry);
  addEntries(hart, node, 1);
  countPages(hart, mapping, 1);
  return entry;
}

/**
 * Requires: MAPPING_LOCK. Memory that was not promised as a whole (a file of tmpfs, a memfd) is promised page by page,
 * be they in memory or in swap. (Linux: shmem_acct_blocks)
 */
function countPages(hart: HartLocal, mapping: number, change: number): void {
  const { shared } = hart;
  shared.set(mapping + MAPPING_PAGES, shared.get(mapping + MAPPING_PAGES) + change);
  if (isPromisedByPage(hart, mapping)) commitPages(hart, change);
}

/** One level more: the old root becomes the first entry of a new one. */
function growRoot(hart: HartLocal, mapping: number): boolean {
  const { shared } = hart;
  const height = shared.get(mapping + MAPPING_HEIGHT);
  if (height === HEIGHT_MAX) throw new KernelBug("page index beyond the longest file", { mapping });
  const node = takeSpare(hart);
  if (node === 0) return false;
  const old = shared.get(mapping + MAPPING_ROOT);
  if (old !== 0) {
    shared.set(frameAddress(node), old);
    addEntries(hart, node, 1);
  }
  shared.set(mapping + MAPPING_ROOT, node);
  shared.set(mapping + MAPPING_HEIGHT, height + 1);
  return true;
}

/** Empties the slot of `index` below `node`, and frees the node when it was its last: then the result is true. */
function deleteBelow(hart: HartLocal, node: number, index: number, level: number): boolean {
  const { shared } = hart;
  const slot = slotAddress(node, index, level);
  if (level > 0 && !deleteBelow(hart, shared.get(slot), index, level - 1)) return false;
  shared.set(slot, 0);
  addEntries(hart, node, -1);
  if (shared.get(pageOf(node) + PAGE_NODE_ENTRIES) !== 0) return false;
  freeFrame(hart, node);
  return true;
}

/** First index from `from` on below `node`, whose first index is `base`. */
function nextBelow(hart: HartLocal, node: number, level: number, base: number, from: number): number {
  const { shared } = hart;
  const span = 1 << (level * NODE_BITS);
  const first = from <= base ? 0 : Math.floor((from - base) / span);
  for (let i = first; i < NODE_ENTRIES; i++) {
    const child = shared.get(frameAddress(node) + 4 * i);
    if (child === 0) continue;
    if (level === 0) return base + i;
    const found = nextBelow(hart, child, level - 1, base + i * span, from);
    if (found !== TREE_END) return found;
  }
  return TREE_END;
}

function freeNodesBelow(hart: HartLocal, node: number, level: number): void {
  for (let i = 0; level > 0 && i < NODE_ENTRIES; i++) {
    const child = hart.shared.get(frameAddress(node) + 4 * i);
    if (child !== 0) freeNodesBelow(hart, child, level - 1);
  }
  freeFrame(hart, node);
}

function slotAddress(node: number, index: number, level: number): number {
  return frameAddress(node) + 4 * ((index >>> (level * NODE_BITS)) & (NODE_ENTRIES - 1));
}

function addEntries(hart: HartLocal, node: number, delta: number): void {
  const address = pageOf(node) + PAGE_NODE_ENTRIES;
  hart.shared.set(address, hart.shared.get(address) + delta);
}

function allocSpare(hart: HartLocal): boolean {
  const pfn = allocFrame(hart);
  if (pfn === 0) return false;
  hart.core.zeroPage(frameAddress(pfn));
  hart.shared.set(pageOf(pfn) + PAGE_FLAGS, PG_NODE);
  hart.shared.set(pageOf(pfn) + PAGE_NODE_ENTRIES, 0);
  hart.spareNode = pfn;
  return true;
}

function takeSpare(hart: HartLocal): number {
  const node = hart.spareNode;
  hart.spareNode = 0;
  return node;
}
