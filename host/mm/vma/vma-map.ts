// The ordered map of an address space's vmas: a copy-on-write B+-tree. This file reads it, vma-map-edit.ts changes it.
//
//              MM_VMA_ROOT ──► [ end | start | gap | child ] x up to 15      inner nodes: one entry per node below
//                                                     └──► [ end | start | - | vma ] x up to 15            leaves
//
// An entry covers [start, end) in vpns: a vma, or everything below a node; `gap` is the largest hole strictly between
// vmas below the node. Entries ascend and do not overlap. An edit copies the path from the leaf to the root, publishes
// the new root by a release store, and frees the old nodes after a grace period; or, if one word of a published leaf
// says it all, it stores that (vma-map-in-place.ts). So a reader needs mmap_lock or rcuReadLock; in the latter it may
// be given a vma that has moved or gone meanwhile, and looks at its range again once it has locked it. An entry of a
// leaf whose vma is 0 is a hole; the first and the last never are. Depth is 5 at 65,530 mappings.

import {
  MM_VMA_ROOT,
  VMA_NODE_CHILD,
  VMA_NODE_COUNT,
  VMA_NODE_END,
  VMA_NODE_GAP,
  VMA_NODE_LEVEL,
  VMA_NODE_START,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";

/** No hole of that size: not a vpn. */
export const NO_GAP = -1;

/** The vma that contains `vpn`, or the next one above it, or 0. (Linux: find_vma) */
export function vmaFind(hart: HartLocal, mm: number, vpn: number): number {
  const { shared } = hart;
  let node = shared.loadAcquire(mm + MM_VMA_ROOT);
  if (node === 0) return 0;
  const words = shared.i32;
  for (;;) {
    const count = words[(node + VMA_NODE_COUNT) >>> 2];
    const ends = (node + VMA_NODE_END) >>> 2;
    let i = 0;
    while (i < count && words[ends + i] <= vpn) i++;
    if (i === count) return 0; // only in the root: below it some entry always ends above vpn
    let child = shared.get(node + VMA_NODE_CHILD + 4 * i);
    if (words[(node + VMA_NODE_LEVEL) >>> 2] === 0) {
      while (child === 0) child = shared.get(node + VMA_NODE_CHILD + 4 * ++i);
      return child;
    }
    node = child;
  }
}

/** The vma that contains `vpn`, or 0. In an RCU read section the vma may be gone already. (Linux: mas_walk) */
export function vmaWalk(hart: HartLocal, mm: number, vpn: number): number {
  const { shared } = hart;
  let node = shared.loadAcquire(mm + MM_VMA_ROOT);
  if (node === 0) return 0;
  const words = shared.i32;
  for (;;) {
    const count = shared.loadOnce(node + VMA_NODE_COUNT);
    let i = 0;
    while (i < count && shared.loadOnce(node + VMA_NODE_END + 4 * i) <= vpn) i++;
    if (i === count || shared.loadOnce(node + VMA_NODE_START + 4 * i) > vpn) return 0;
    const child = node + VMA_NODE_CHILD + 4 * i;
    if (words[(node + VMA_NODE_LEVEL) >>> 2] === 0) return shared.loadAcquire(child);
    node = words[child >>> 2];
  }
}

/** The last vma that starts below `vpn`, or 0: for the start of a vma, its lower neighbour. (Linux: find_vma_prev) */
export function vmaFindBelow(hart: HartLocal, mm: number, vpn: number): number {
  const { shared } = hart;
  let node = shared.loadAcquire(mm + MM_VMA_ROOT);
  if (node === 0) return 0;
  const words = shared.i32;
  for (;;) {
    const starts = (node + VMA_NODE_START) >>> 2;
    let i = words[(node + VMA_NODE_COUNT) >>> 2] - 1;
    while (i >= 0 && words[starts + i] >= vpn) i--;
    if (i < 0) return 0;
    let child = shared.get(node + VMA_NODE_CHILD + 4 * i);
    if (words[(node + VMA_NODE_LEVEL) >>> 2] === 0) {
      while (child === 0) child = shared.get(node + VMA_NODE_CHILD + 4 * --i);
      return child;
    }
    node = child;
  }
}

/** Start of the highest hole of at least `pages` in [low, high), placed at the hole's upper end; or NO_GAP. */
export function gapBelow(hart: HartLocal, mm: number, low: number, high: number, pages: number): number {
  const { shared } = hart;
  if (high - low < pages) return NO_GAP;
  const root = shared.loadAcquire(mm + MM_VMA_ROOT);
  if (root === 0) return high - pages;
  const count = shared.get(root + VMA_NODE_COUNT);
  const above = clipped(shared.get(root + VMA_NODE_END + 4 * (count - 1)), high, low, high, pages);
  if (above !== NO_GAP) return above;
  const inside = gapInside(shared, root, low, high, pages);
  return inside !== NO_GAP ? inside : clipped(low, shared.get(root + VMA_NODE_START), low, high, pages);
}

/** As gapBelow, for the holes strictly inside one node. Only the two paths along low and high can fail to deliver. */
function gapInside(shared: SharedMemory, node: number, low: number, high: number, pages: number): number {
  const level = shared.get(node + VMA_NODE_LEVEL);
  for (let i = shared.get(node + VMA_NODE_COUNT) - 1; i >= 0; i--) {
    const start = shared.get(node + VMA_NODE_START + 4 * i);
    const end = shared.get(node + VMA_NODE_END + 4 * i);
    if (end <= low) return NO_GAP;
    if (level > 0 && start < high && shared.get(node + VMA_NODE_GAP + 4 * i) >= pages) {
      const found = gapInside(shared, shared.get(node + VMA_NODE_CHILD + 4 * i), low, high, pages);
      if (found !== NO_GAP) return found;
    }
    if (i === 0) return NO_GAP;
    while (shared.get(node + VMA_NODE_CHILD + 4 * (i - 1)) === 0) i--; // an entry that is a hole is a part of it
    const found = clipped(shared.get(node + VMA_NODE_END + 4 * (i - 1)), start, low, high, pages);
    if (found !== NO_GAP) return found;
  }
  return NO_GAP;
}

/** Does the hole [start, end), cut to [low, high), hold `pages`? Then where they go. */
function clipped(start: number, end: number, low: number, high: number, pages: number): number {
  const top = Math.min(end, high);
  return top - Math.max(start, low) >= pages ? top - pages : NO_GAP;
}
