// Changes to the vma map (vma-map.ts). One VmaMapEdit is one transaction: any number of inserts, erasures and changes
// on an unpublished copy, then commit() makes them visible at once, or abort() forgets them. Requires: mmap_lock for
// write.
//
// Every operation returns false when no node can be had; the edit can then only be aborted.

import {
  MM_VMA_ROOT,
  POOL_VMA_NODE,
  VMA_NODE_CAPACITY,
  VMA_NODE_CHILD,
  VMA_NODE_COUNT,
  VMA_NODE_END,
  VMA_NODE_GAP,
  VMA_NODE_LEVEL,
  VMA_NODE_RCU_HEAD,
  VMA_NODE_START,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { D_M22, MUTATIONS } from "../memory/mutation.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheFreeRcu } from "../memory/slab.ts";

/** A node with fewer entries takes those of a neighbour along when it is rewritten. */
const ENTRIES_MIN = 5;

// An entry in work space: four numbers in a row.
const STRIDE = 4;
const START = 0;
const END = 1;
const GAP = 2;
const CHILD = 3;

export class VmaMapEdit {
  readonly #hart: HartLocal;
  readonly #mm: number;
  #root: number;
  /** Nodes made by this edit: not published, so they are freed at once when they are replaced. */
  readonly #fresh = new Set<number>();
  /** Published nodes that commit() retires. */
  readonly #retired: number[] = [];
  /** Path of the last descent, leaf first: node and index of the entry taken. */
  readonly #pathNode: number[] = [];
  readonly #pathIndex: number[] = [];

  constructor(hart: HartLocal, mm: number) {
    this.#hart = hart;
    this.#mm = mm;
    this.#root = hart.shared.get(mm + MM_VMA_ROOT);
  }

  /** Adds a vma over [start, end), which must be a hole. */
  insert(start: number, end: number, vma: number): boolean {
    if (this.#root === 0) return this.#plant(0, [start, end, 0, vma]);
    const index = this.#descend(start);
    const work = this.#load(this.#pathNode[0]);
    const overlapsNext = index * STRIDE < work.length && work[index * STRIDE + START] < end;
    if (overlapsNext) throw new KernelBug("vma inserted over another", { start, end, vma });
    work.splice(index * STRIDE, 0, start, end, 0, vma);
    return this.#rebuild(work);
  }

  /** Takes out the vma that starts at `start`. */
  erase(start: number, vma: number): boolean {
    const index = this.#find(start, vma);
    const work = this.#load(this.#pathNode[0]);
    work.splice(index * STRIDE, STRIDE);
    return this.#rebuild(work);
  }

  /** The vma that starts at `oldStart` now covers [start, end); the order of the vmas stays the same. */
  change(oldStart: number, start: number, end: number, vma: number): boolean {
    const index = this.#find(oldStart, vma);
    const work = this.#load(this.#pathNode[0]);
    work[index * STRIDE + START] = start;
    work[index * STRIDE + END] = end;
    return this.#rebuild(work);
  }

  commit(): void {
    const hart = this.#hart;
    hart.shared.storeRelease(this.#mm + MM_VMA_ROOT, this.#root);
    for (const node of this.#retired) {
      if (MUTATIONS && hart.mutation === D_M22) kmemCacheFree(hart, POOL_VMA_NODE, node);
      else kmemCacheFreeRcu(hart, POOL_VMA_NODE, node);
    }
  }

  abort(): void {
    for (const node of this.#fresh) kmemCacheFree(this.#hart, POOL_VMA_NODE, node);
  }

  /** Index in the leaf of the entry that must be `vma`. */
  #find(start: number, vma: number): number {
    const index = this.#root === 0 ? -1 : this.#descend(start);
    const { shared } = this.#hart;
    if (index < 0 || shared.get(this.#pathNode[0] + VMA_NODE_CHILD + 4 * index) !== vma) {
      throw new KernelBug("vma is not in its map", { start, vma });
    }
    return index;
  }

  /** Records the path to the leaf where `vpn` belongs; returns the index of its first entry that ends above `vpn`. */
  #descend(vpn: number): number {
    const { shared } = this.#hart;
    let node = this.#root;
    for (let level = shared.get(node + VMA_NODE_LEVEL); ; level--) {
      const count = shared.get(node + VMA_NODE_COUNT);
      let i = 0;
      while (i < count && shared.get(node + VMA_NODE_END + 4 * i) <= vpn) i++;
      if (level > 0 && i === count) i--;
      this.#pathNode[level] = node;
      this.#pathIndex[level] = i;
      if (level === 0) return i;
      node = shared.get(node + VMA_NODE_CHILD + 4 * i);
    }
  }

  /** Writes `work` in place of the leaf on the path, and new nodes all the way up. */
  #rebuild(leafWork: number[]): boolean {
    const { shared } = this.#hart;
    const top = shared.get(this.#root + VMA_NODE_LEVEL);
    let work = leafWork;
    for (let level = 0; level < top; level++) {
      const parent = this.#pathNode[level + 1];
      const siblings = this.#load(parent);
      let low = this.#pathIndex[level + 1];
      let high = low + 1;
      if (work.length < ENTRIES_MIN * STRIDE && siblings.length > STRIDE) {
        if (high * STRIDE < siblings.length) work.push(...this.#absorb(siblings[high++ * STRIDE + CHILD]));
        else work.unshift(...this.#absorb(siblings[--low * STRIDE + CHILD]));
      }
      const written = this.#write(level, work);
      if (written === null) return false;
      this.#retire(this.#pathNode[level]);
      siblings.splice(low * STRIDE, (high - low) * STRIDE, ...written);
      work = siblings;
    }
    this.#retire(this.#root);
    return this.#plant(top, work);
  }

  /** Makes `work`, entries of nodes of `level`, the whole tree. */
  #plant(level: number, work: number[]): boolean {
    if (level > 0 && work.length === STRIDE) {
      // One node below: it is the root.
      this.#root = work[CHILD];
      return true;
    }
    const written = this.#write(level, work);
    if (written === null) return false;
    if (written.length > STRIDE) return this.#plant(level + 1, written);
    this.#root = written.length === 0 ? 0 : written[CHILD];
    return true;
  }

  /** Entries of new nodes (none, one, or two halves) that hold `work`; null when no node can be had. */
  #write(level: number, work: readonly number[]): number[] | null {
    const count = work.length / STRIDE;
    if (count === 0) return [];
    if (count <= VMA_NODE_CAPACITY) return this.#writeNode(level, work, 0, count);
    // Mappings grow downward, so a split that leaves the upper node full would fill the tree better; halves are simpler
    // and never far from it.
    const half = count >>> 1;
    const left = this.#writeNode(level, work, 0, half);
    const right = left === null ? null : this.#writeNode(level, work, half, count);
    return left === null || right === null ? null : [...left, ...right];
  }

  /** One new node with entries [from, to) of `work`; returns the entry that describes it. */
  #writeNode(level: number, work: readonly number[], from: number, to: number): number[] | null {
    const { shared } = this.#hart;
    const node = kmemCacheAlloc(this.#hart, POOL_VMA_NODE);
    if (node === 0) return null;
    this.#fresh.add(node);
    let gap = 0;
    for (let i = from; i < to; i++) {
      const at = i * STRIDE;
      const slot = 4 * (i - from);
      shared.set(node + VMA_NODE_START + slot, work[at + START]);
      shared.set(node + VMA_NODE_END + slot, work[at + END]);
      shared.set(node + VMA_NODE_GAP + slot, work[at + GAP]);
      shared.set(node + VMA_NODE_CHILD + slot, work[at + CHILD]);
      gap = Math.max(gap, work[at + GAP], i > from ? work[at + START] - work[at - STRIDE + END] : 0);
    }
    // RCU_HEAD: not queued.
    shared.set(node + VMA_NODE_RCU_HEAD, 0);
    shared.set(node + VMA_NODE_RCU_HEAD + 4, 0);
    shared.set(node + VMA_NODE_LEVEL, level);
    shared.storeOnce(node + VMA_NODE_COUNT, to - from);
    return [work[from * STRIDE + START], work[(to - 1) * STRIDE + END], gap, node];
  }

  /** The entries of a neighbour that goes into the node being written. */
  #absorb(node: number): number[] {
    const entries = this.#load(node);
    this.#retire(node);
    return entries;
  }

  #load(node: number): number[] {
    const { shared } = this.#hart;
    const work: number[] = [];
    for (let i = 0; i < shared.get(node + VMA_NODE_COUNT); i++) {
      work.push(
        shared.get(node + VMA_NODE_START + 4 * i),
        shared.get(node + VMA_NODE_END + 4 * i),
        shared.get(node + VMA_NODE_GAP + 4 * i),
        shared.get(node + VMA_NODE_CHILD + 4 * i),
      );
    }
    return work;
  }

  #retire(node: number): void {
    if (this.#fresh.delete(node)) kmemCacheFree(this.#hart, POOL_VMA_NODE, node);
    else this.#retired.push(node);
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
