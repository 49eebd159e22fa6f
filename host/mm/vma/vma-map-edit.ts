// Changes to the vma map (vma-map.ts). One VmaMapEdit is one transaction: any number of inserts, erasures and changes
// on an unpublished copy, then commit() makes them visible at once, or abort() forgets them. A change that comes alone
// may need no copy (vma-map-in-place.ts). Requires: mmap_lock for write.
//
// Every operation returns false when no node can be had; the edit can then only be aborted.

import {
  MM_VMA_ROOT,
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
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { D_M22, MUTATIONS } from "../../memory/mutation.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheFreeRcu } from "../../memory/slab.ts";
import {
  EDIT_CHANGE,
  EDIT_ERASE,
  EDIT_INSERT,
  EDIT_NONE,
  ENTRY_CHILD,
  ENTRY_END,
  ENTRY_GAP,
  ENTRY_START,
  ENTRY_WORDS,
  type VmaWork,
} from "../../memory/vma-work.ts";
import { fitsInPlace, storeInPlace } from "./vma-map-in-place.ts";

/** A node with fewer entries takes those of a neighbour along when it is rewritten. */
const ENTRIES_MIN = 5;
/** Of a fresh node: its place in VmaWork.fresh, from 1. Nodes that are published and not retired have 0 there. */
const FRESH_PLACE = VMA_NODE_RCU_HEAD + RCU_HEAD_KIND;
const NO_NODE = -1;

export class VmaMapEdit {
  readonly #hart: HartLocal;
  readonly #mm: number;
  readonly #work: VmaWork;
  #root: number;
  #isFirst = true;

  constructor(hart: HartLocal, mm: number) {
    if (hart.vmaWork.isOpen) throw new KernelBug("a vma map is already being edited", { mm });
    this.#hart = hart;
    this.#mm = mm;
    this.#work = hart.vmaWork;
    this.#work.reset();
    this.#work.isOpen = true;
    this.#root = hart.shared.get(mm + MM_VMA_ROOT);
  }

  /** Adds a vma over [start, end), which must be a hole. */
  insert(start: number, end: number, vma: number): boolean {
    return this.#defer(EDIT_INSERT, start, start, end, vma) || (this.#makeUp() && this.#insert(start, end, vma));
  }

  /** Takes out the vma that starts at `start`. */
  erase(start: number, vma: number): boolean {
    return this.#defer(EDIT_ERASE, start, start, start, vma) || (this.#makeUp() && this.#erase(start, vma));
  }

  /** The vma that starts at `oldStart` now covers [start, end); the order of the vmas stays the same. */
  change(oldStart: number, start: number, end: number, vma: number): boolean {
    if (this.#defer(EDIT_CHANGE, oldStart, start, end, vma)) return true;
    return this.#makeUp() && this.#change(oldStart, start, end, vma);
  }

  /** The first operation waits for commit(), if that can do it in place. If another one comes, it is made up for. */
  #defer(kind: number, at: number, start: number, end: number, vma: number): boolean {
    const { shared } = this.#hart;
    const work = this.#work;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (!isFirst || this.#root === 0) return false;
    this.#descend(at);
    const { deferred } = work;
    deferred.at = at;
    deferred.start = start;
    deferred.end = end;
    deferred.vma = vma;
    deferred.kind = kind;
    if (fitsInPlace(shared, this.#mm, work, deferred)) return true;
    deferred.kind = EDIT_NONE;
    return false;
  }

  #makeUp(): boolean {
    const { deferred } = this.#work;
    const { kind, at, start, end, vma } = deferred;
    deferred.kind = EDIT_NONE;
    if (kind === EDIT_INSERT) return this.#insert(start, end, vma);
    if (kind === EDIT_ERASE) return this.#erase(start, vma);
    if (kind === EDIT_CHANGE) return this.#change(at, start, end, vma);
    return true;
  }

  #insert(start: number, end: number, vma: number): boolean {
    const work = this.#work;
    let index = 0;
    work.entryCount = 0;
    if (this.#root !== 0) index = this.#load(this.#descend(start));
    const { entries, entryCount } = work;
    const at = index * ENTRY_WORDS;
    const overlapsNext = index < entryCount && entries[at + ENTRY_START] < end;
    if (overlapsNext) throw new KernelBug("vma inserted over another", { start, end, vma });
    entries.copyWithin(at + ENTRY_WORDS, at, entryCount * ENTRY_WORDS);
    entries[at + ENTRY_START] = start;
    entries[at + ENTRY_END] = end;
    entries[at + ENTRY_GAP] = 0;
    entries[at + ENTRY_CHILD] = vma;
    work.entryCount++;
    return this.#root === 0 ? this.#plant(0) : this.#rebuild();
  }

  #erase(start: number, vma: number): boolean {
    const index = this.#load(this.#find(start, vma));
    const work = this.#work;
    work.entries.copyWithin(index * ENTRY_WORDS, (index + 1) * ENTRY_WORDS, work.entryCount * ENTRY_WORDS);
    work.entryCount--;
    return this.#rebuild();
  }

  #change(oldStart: number, start: number, end: number, vma: number): boolean {
    const index = this.#load(this.#find(oldStart, vma));
    const work = this.#work;
    work.entries[index * ENTRY_WORDS + ENTRY_START] = start;
    work.entries[index * ENTRY_WORDS + ENTRY_END] = end;
    return this.#rebuild();
  }

  commit(): void {
    const hart = this.#hart;
    const work = this.#work;
    work.isOpen = false;
    if (work.deferred.kind !== EDIT_NONE) {
      storeInPlace(hart.shared, this.#mm, work, work.deferred);
      return;
    }
    for (let i = 0; i < work.freshCount; i++) hart.shared.set(work.fresh[i] + FRESH_PLACE, 0);
    hart.shared.storeRelease(this.#mm + MM_VMA_ROOT, this.#root);
    for (let i = 0; i < work.retiredCount; i++) {
      const node = work.retired[i];
      if (MUTATIONS && hart.mutation === D_M22) kmemCacheFree(hart, POOL_VMA_NODE, node);
      else kmemCacheFreeRcu(hart, POOL_VMA_NODE, node);
    }
  }

  abort(): void {
    const work = this.#work;
    for (let i = 0; i < work.freshCount; i++) kmemCacheFree(this.#hart, POOL_VMA_NODE, work.fresh[i]);
    work.isOpen = false;
  }

  /** Index in the leaf of the entry that must be `vma`. */
  #find(start: number, vma: number): number {
    const index = this.#root === 0 ? -1 : this.#descend(start);
    const { shared } = this.#hart;
    if (index < 0 || shared.get(this.#work.pathNode[0] + VMA_NODE_CHILD + 4 * index) !== vma) {
      throw new KernelBug("vma is not in its map", { start, vma });
    }
    return index;
  }

  /** Records the path to the leaf where `vpn` belongs; returns the index of its first entry that ends above `vpn`. */
  #descend(vpn: number): number {
    const { shared } = this.#hart;
    const { pathNode, pathIndex } = this.#work;
    let node = this.#root;
    for (let level = shared.get(node + VMA_NODE_LEVEL); ; level--) {
      const count = shared.get(node + VMA_NODE_COUNT);
      let i = 0;
      while (i < count && shared.get(node + VMA_NODE_END + 4 * i) <= vpn) i++;
      if (level > 0 && i === count) i--;
      pathNode[level] = node;
      pathIndex[level] = i;
      if (level === 0) return i;
      node = shared.get(node + VMA_NODE_CHILD + 4 * i);
    }
  }

  /** Writes the entries in place of the leaf on the path, and new nodes all the way up. */
  #rebuild(): boolean {
    const work = this.#work;
    const top = this.#hart.shared.get(this.#root + VMA_NODE_LEVEL);
    for (let level = 0; level < top; level++) {
      const { parents } = work;
      let parentCount = this.#loadInto(parents, 0, work.pathNode[level + 1]);
      let low = work.pathIndex[level + 1];
      let high = low + 1;
      if (work.entryCount < ENTRIES_MIN && parentCount > 1) {
        if (high < parentCount) this.#append(parents[high++ * ENTRY_WORDS + ENTRY_CHILD]);
        else this.#prepend(parents[--low * ENTRY_WORDS + ENTRY_CHILD]);
      }
      const written = this.#write(level);
      if (written < 0) return false;
      this.#retire(work.pathNode[level]);
      parents.copyWithin((low + written) * ENTRY_WORDS, high * ENTRY_WORDS, parentCount * ENTRY_WORDS);
      for (let i = 0; i < written * ENTRY_WORDS; i++) parents[low * ENTRY_WORDS + i] = work.written[i];
      parentCount += written - (high - low);
      work.parents = work.entries;
      work.entries = parents;
      work.entryCount = parentCount;
    }
    this.#retire(this.#root);
    return this.#plant(top);
  }

  /** Makes the entries, of nodes of level `lowest`, the whole tree. */
  #plant(lowest: number): boolean {
    const work = this.#work;
    for (let level = lowest; ; level++) {
      if (level > 0 && work.entryCount === 1) {
        // One node below: it is the root.
        this.#root = work.entries[ENTRY_CHILD];
        return true;
      }
      const written = this.#write(level);
      if (written < 0) return false;
      if (written <= 1) {
        this.#root = written === 0 ? 0 : work.written[ENTRY_CHILD];
        return true;
      }
      for (let i = 0; i < written * ENTRY_WORDS; i++) work.entries[i] = work.written[i];
      work.entryCount = written;
    }
  }

  /** New nodes (none, one, or two halves) that hold the entries: how many, or NO_NODE when none can be had. */
  #write(level: number): number {
    const count = this.#work.entryCount;
    if (count === 0) return 0;
    if (count <= VMA_NODE_CAPACITY) return this.#writeNode(level, 0, count, 0) ? 1 : NO_NODE;
    // Mappings grow downward, so a split that leaves the upper node full would fill the tree better; halves are simpler
    // and never far from it.
    const half = count >>> 1;
    return this.#writeNode(level, 0, half, 0) && this.#writeNode(level, half, count, 1) ? 2 : NO_NODE;
  }

  /** One new node with entries [from, to); the entry that describes it is number `place` of the written ones. */
  #writeNode(level: number, from: number, to: number, place: number): boolean {
    const { shared } = this.#hart;
    const { entries, written } = this.#work;
    const node = kmemCacheAlloc(this.#hart, POOL_VMA_NODE);
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
    this.#noteFresh(node);
    written[place * ENTRY_WORDS + ENTRY_START] = entries[from * ENTRY_WORDS + ENTRY_START];
    written[place * ENTRY_WORDS + ENTRY_END] = entries[(to - 1) * ENTRY_WORDS + ENTRY_END];
    written[place * ENTRY_WORDS + ENTRY_GAP] = gap;
    written[place * ENTRY_WORDS + ENTRY_CHILD] = node;
    return true;
  }

  /** The entries of the right neighbour go into the node being written. */
  #append(node: number): void {
    const work = this.#work;
    work.entryCount += this.#loadInto(work.entries, work.entryCount, node);
    this.#retire(node);
  }

  /** The entries of the left neighbour go into the node being written. */
  #prepend(node: number): void {
    const work = this.#work;
    const count = this.#loadInto(work.neighbour, 0, node);
    work.entries.copyWithin(count * ENTRY_WORDS, 0, work.entryCount * ENTRY_WORDS);
    for (let i = 0; i < count * ENTRY_WORDS; i++) work.entries[i] = work.neighbour[i];
    work.entryCount += count;
    this.#retire(node);
  }

  /** Copies the leaf on the path; returns where its entry `index` is in the copy. */
  #load(index: number): number {
    const { shared } = this.#hart;
    const work = this.#work;
    const leaf = work.pathNode[0];
    work.entryCount = this.#loadInto(work.entries, 0, leaf);
    let place = 0;
    for (let i = 0; i < index; i++) if (shared.get(leaf + VMA_NODE_CHILD + 4 * i) !== 0) place++;
    return place;
  }

  /** Copies a node's entries, but those that are holes, behind the first `from`; returns how many. */
  #loadInto(entries: Int32Array, from: number, node: number): number {
    const { shared } = this.#hart;
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

  #noteFresh(node: number): void {
    const { shared } = this.#hart;
    const work = this.#work;
    work.fresh[work.freshCount++] = node;
    shared.set(node + VMA_NODE_RCU_HEAD, 0);
    shared.set(node + FRESH_PLACE, work.freshCount);
  }

  /** The node is no longer part of the tree: a fresh one goes at once, a published one when commit() replaces it. */
  #retire(node: number): void {
    const { shared } = this.#hart;
    const work = this.#work;
    const place = shared.get(node + FRESH_PLACE);
    if (place === 0) {
      work.retired[work.retiredCount++] = node;
      return;
    }
    const last = work.fresh[--work.freshCount];
    work.fresh[place - 1] = last;
    shared.set(last + FRESH_PLACE, place);
    shared.set(node + FRESH_PLACE, 0);
    kmemCacheFree(this.#hart, POOL_VMA_NODE, node);
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
