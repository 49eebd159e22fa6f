// The nodes of a vma map that is being edited (vma-map-edit.ts): entries are loaded into the hart's work space
// (VmaWork), changed there, and written to fresh nodes, which nobody else sees before the edit is committed. The nodes
// that they replace stay for whoever reads the map, until a grace period after that.

import {
  POOL_VMA_NODE,
  RCU_HEAD_KIND,
  VMA_NODE_CAPACITY,
  VMA_NODE_CHILD,
  VMA_NODE_COUNT,
  VMA_NODE_END,
  VMA_NODE_GAP,
  VMA_NODE_LEVEL,
  VMA_NODE_RCU_HEAD,
  VMA_NODE_START,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { D_M22, MUTATIONS } from "../../memory/mutation.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheFreeRcu } from "../../memory/slab.ts";
import { ENTRY_CHILD, ENTRY_END, ENTRY_GAP, ENTRY_START, ENTRY_WORDS } from "../../memory/vma-work.ts";

/** Of a fresh node: its place in VmaWork.fresh, from 1. Nodes that are published and not retired have 0 there. */
const FRESH_PLACE = VMA_NODE_RCU_HEAD + RCU_HEAD_KIND;
const NO_NODE = -1;

/** Copies a node's entries, but those that are holes, behind the first `from`; returns how many. */
export function loadEntries(shared: SharedMemory, entries: Int32Array, from: number, node: number): number {
  const count = shared.get(node + VMA_NODE_COUNT);
  let copied = 0;
  for (let i = 0; i < count; i++) {
    const child = shared.get(node + VMA_NODE_CHILD + 4 * i);
    if (child === 0) continue;
    const at = (from + copied++) * ENTRY_WORDS;
    entries[at + ENTRY_START] = shared.get(node + VMA_NODE_START + 4 * i);
    entries[at + ENTRY_END] = shared.get(node + VMA_NODE_END + 4 * i);
    entries[at + ENTRY_GAP] = shared.get(node + VMA_NODE_GAP + 4 * i);
    entries[at + ENTRY_CHILD] = child;
  }
  return copied;
}

/** Loads the leaf on the path; returns where its entry `index` is in the copy. */
export function loadLeaf({ shared, vmaWork }: HartLocal, index: number): number {
  const leaf = vmaWork.pathNode[0];
  vmaWork.entryCount = loadEntries(shared, vmaWork.entries, 0, leaf);
  let place = 0;
  for (let i = 0; i < index; i++) if (shared.get(leaf + VMA_NODE_CHILD + 4 * i) !== 0) place++;
  return place;
}

/** The entries of the right neighbour go into the node being written. */
export function appendNode(hart: HartLocal, node: number): void {
  const work = hart.vmaWork;
  work.entryCount += loadEntries(hart.shared, work.entries, work.entryCount, node);
  retireNode(hart, node);
}

/** The entries of the left neighbour go into the node being written. */
export function prependNode(hart: HartLocal, node: number): void {
  const work = hart.vmaWork;
  const count = loadEntries(hart.shared, work.neighbour, 0, node);
  work.entries.copyWithin(count * ENTRY_WORDS, 0, work.entryCount * ENTRY_WORDS);
  for (let i = 0; i < count * ENTRY_WORDS; i++) work.entries[i] = work.neighbour[i];
  work.entryCount += count;
  retireNode(hart, node);
}

/** New nodes (none, one, or two halves) that hold the entries: how many, or below 0 when none can be had. */
export function writeNodes(hart: HartLocal, level: number): number {
  const count = hart.vmaWork.entryCount;
  if (count === 0) return 0;
  if (count <= VMA_NODE_CAPACITY) return writeNode(hart, level, 0, count, 0) ? 1 : NO_NODE;
  // Mappings grow downward, so a split that leaves the upper node full would fill the tree better; halves are simpler
  // and never far from it.
  const half = count >>> 1;
  return writeNode(hart, level, 0, half, 0) && writeNode(hart, level, half, count, 1) ? 2 : NO_NODE;
}

/** One new node with entries [from, to); the entry that describes it is number `place` of the written ones. */
function writeNode(hart: HartLocal, level: number, from: number, to: number, place: number): boolean {
  const { shared } = hart;
  const { entries, written } = hart.vmaWork;
  const node = kmemCacheAlloc(hart, POOL_VMA_NODE);
  if (node === 0) return false;
  let gap = 0;
  for (let i = from; i < to; i++) {
    const at = i * ENTRY_WORDS;
    const slot = 4 * (i - from);
    shared.set(node + VMA_NODE_START + slot, entries[at + ENTRY_START]);
    shared.set(node + VMA_NODE_END + slot, entries[at + ENTRY_END]);
    shared.set(node + VMA_NODE_GAP + slot, entries[at + ENTRY_GAP]);
    shared.set(node + VMA_NODE_CHILD + slot, entries[at + ENTRY_CHILD]);
    if (entries[at + ENTRY_GAP] > gap) gap = entries[at + ENTRY_GAP];
    const hole = i > from ? entries[at + ENTRY_START] - entries[at - ENTRY_WORDS + ENTRY_END] : 0;
    if (hole > gap) gap = hole;
  }
  shared.set(node + VMA_NODE_LEVEL, level);
  shared.storeOnce(node + VMA_NODE_COUNT, to - from);
  noteFresh(hart, node);
  written[place * ENTRY_WORDS + ENTRY_START] = entries[from * ENTRY_WORDS + ENTRY_START];
  written[place * ENTRY_WORDS + ENTRY_END] = entries[(to - 1) * ENTRY_WORDS + ENTRY_END];
  written[place * ENTRY_WORDS + ENTRY_GAP] = gap;
  written[place * ENTRY_WORDS + ENTRY_CHILD] = node;
  return true;
}

function noteFresh({ shared, vmaWork }: HartLocal, node: number): void {
  vmaWork.fresh[vmaWork.freshCount++] = node;
  shared.set(node + VMA_NODE_RCU_HEAD, 0);
  shared.set(node + FRESH_PLACE, vmaWork.freshCount);
}

/** The node is no longer part of the tree: a fresh one goes at once, a published one when the edit is committed. */
export function retireNode(hart: HartLocal, node: number): void {
  const { shared } = hart;
  const work = hart.vmaWork;
  const place = shared.get(node + FRESH_PLACE);
  if (place === 0) {
    work.retired[work.retiredCount++] = node;
    return;
  }
  const last = work.fresh[--work.freshCount];
  work.fresh[place - 1] = last;
  shared.set(last + FRESH_PLACE, place);
  shared.set(node + FRESH_PLACE, 0);
  kmemCacheFree(hart, POOL_VMA_NODE, node);
}

/** The fresh nodes are about to be published. */
export function keepFreshNodes({ shared, vmaWork }: HartLocal): void {
  for (let i = 0; i < vmaWork.freshCount; i++) shared.set(vmaWork.fresh[i] + FRESH_PLACE, 0);
}

/** The edit comes to nothing. */
export function freeFreshNodes(hart: HartLocal): void {
  const work = hart.vmaWork;
  for (let i = 0; i < work.freshCount; i++) kmemCacheFree(hart, POOL_VMA_NODE, work.fresh[i]);
}

/** No new reader finds the retired nodes any more. */
export function freeRetiredNodes(hart: HartLocal): void {
  const work = hart.vmaWork;
  for (let i = 0; i < work.retiredCount; i++) {
    const node = work.retired[i];
    if (MUTATIONS && hart.mutation === D_M22) kmemCacheFree(hart, POOL_VMA_NODE, node);
    else kmemCacheFreeRcu(hart, POOL_VMA_NODE, node);
  }
}

/** Frees a whole map after a grace period; its vmas are the caller's. */
export function retireVmaMap(hart: HartLocal, node: number): void {
  const { shared } = hart;
  if (node === 0) return;
  if (shared.get(node + VMA_NODE_LEVEL) > 0) {
    const count = shared.get(node + VMA_NODE_COUNT);
    for (let i = 0; i < count; i++) retireVmaMap(hart, shared.get(node + VMA_NODE_CHILD + 4 * i));
  }
  kmemCacheFreeRcu(hart, POOL_VMA_NODE, node);
}
