// Changes to the vma map that need no new node: one word of a published leaf is stored, so a reader sees the map as it
// was before or as it is afterwards. What a program does again and again - map, unmap, map at the same place; let the
// heap grow - costs no copy of a path and no grace period. (Linux: mas_wr_slot_store)
//
//   insert   CHILD of an entry that is a hole of just that range becomes the vma
//   erase    CHILD becomes 0: the entry stays, as a hole
//   change   START or END moves
//
// The first and the last entry of a leaf are never holes, and their outer ends move only in a root: so what the nodes
// above say of a leaf's range stays true. What they say of its largest gap may be too large, never too small. Entries
// that are holes go when their leaf is next copied. Requires: mmap_lock for write.

import {
  MM_VMA_ROOT,
  VMA_NODE_CHILD,
  VMA_NODE_COUNT,
  VMA_NODE_END,
  VMA_NODE_GAP,
  VMA_NODE_LEVEL,
  VMA_NODE_START,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { EDIT_ERASE, EDIT_INSERT, type MapChange, type VmaWork } from "../../memory/vma-work.ts";

/** Can `change` be done by one store to the leaf on the path of `work`? */
export function fitsInPlace(shared: SharedMemory, mm: number, work: VmaWork, change: MapChange): boolean {
  const leaf = work.pathNode[0];
  const i = work.pathIndex[0];
  const last = shared.get(leaf + VMA_NODE_COUNT) - 1;
  if (i > last) return false;
  const start = shared.get(leaf + VMA_NODE_START + 4 * i);
  const end = shared.get(leaf + VMA_NODE_END + 4 * i);
  const child = shared.get(leaf + VMA_NODE_CHILD + 4 * i);
  if (change.kind === EDIT_INSERT) return child === 0 && start === change.start && end === change.end;
  if (child !== change.vma) return false;
  if (change.kind === EDIT_ERASE) return i > 0 && i < last;
  const isRoot = shared.get(mm + MM_VMA_ROOT) === leaf;
  if (start === change.start) {
    return i < last ? change.end <= shared.get(leaf + VMA_NODE_START + 4 * (i + 1)) : isRoot;
  }
  if (end !== change.end) return false;
  return i > 0 ? change.start >= shared.get(leaf + VMA_NODE_END + 4 * (i - 1)) : isRoot;
}

/** Does it. Requires: fitsInPlace, and the path still is that of `work`. */
export function storeInPlace(shared: SharedMemory, mm: number, work: VmaWork, change: MapChange): void {
  const leaf = work.pathNode[0];
  const i = work.pathIndex[0];
  if (change.kind === EDIT_INSERT) {
    shared.storeRelease(leaf + VMA_NODE_CHILD + 4 * i, change.vma);
    return;
  }
  if (change.kind === EDIT_ERASE) shared.storeRelease(leaf + VMA_NODE_CHILD + 4 * i, 0);
  else if (shared.get(leaf + VMA_NODE_START + 4 * i) === change.start) {
    shared.storeOnce(leaf + VMA_NODE_END + 4 * i, change.end);
  } else shared.storeOnce(leaf + VMA_NODE_START + 4 * i, change.start);
  raiseGaps(shared, mm, work, largestHoleAt(shared, leaf, i));
}

/** The larger of the holes below and above entry `i`, or the one that it is part of. */
function largestHoleAt(shared: SharedMemory, leaf: number, i: number): number {
  const last = shared.get(leaf + VMA_NODE_COUNT) - 1;
  let low = i - 1;
  while (low > 0 && isHole(shared, leaf, low)) low--;
  let high = i + 1;
  while (high < last && isHole(shared, leaf, high)) high++;
  const below = low >= 0 ? shared.get(leaf + VMA_NODE_END + 4 * low) : 0;
  const above = high <= last ? shared.get(leaf + VMA_NODE_START + 4 * high) : 0;
  if (isHole(shared, leaf, i)) return above - below;
  const under = low >= 0 ? shared.get(leaf + VMA_NODE_START + 4 * i) - below : 0;
  const over = high <= last ? above - shared.get(leaf + VMA_NODE_END + 4 * i) : 0;
  return Math.max(under, over);
}

function isHole(shared: SharedMemory, leaf: number, i: number): boolean {
  return shared.get(leaf + VMA_NODE_CHILD + 4 * i) === 0;
}

/** A hole in the leaf counts in every node above it. Nobody reads gaps without mmap_lock. */
function raiseGaps(shared: SharedMemory, mm: number, work: VmaWork, hole: number): void {
  const top = shared.get(shared.get(mm + MM_VMA_ROOT) + VMA_NODE_LEVEL);
  for (let level = 1; level <= top; level++) {
    const gap = work.pathNode[level] + VMA_NODE_GAP + 4 * work.pathIndex[level];
    if (shared.get(gap) < hole) shared.set(gap, hole);
  }
}
