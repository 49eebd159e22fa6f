// Changes to the vma map (vma-map.ts). One VmaMapEdit is one transaction: any number of inserts, erasures and changes
// on an unpublished copy, then commit() makes them visible at once, or abort() forgets them. A change that comes alone
// may need no copy (vma-map-in-place.ts); the nodes of the copy are vma-map-nodes.ts's. Requires: mmap_lock for write.
//
// Every operation returns false when no node can be had; the edit can then only be aborted.

import { MM_VMA_ROOT, VMA_NODE_CHILD, VMA_NODE_COUNT, VMA_NODE_END, VMA_NODE_LEVEL } from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
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
import {
  appendNode,
  freeFreshNodes,
  freeRetiredNodes,
  keepFreshNodes,
  loadEntries,
  loadLeaf,
  prependNode,
  retireNode,
  writeNodes,
} from "./vma-map-nodes.ts";

/** A node with fewer entries takes those of a neighbour along when it is rewritten. */
const ENTRIES_MIN = 5;

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
    if (this.#root !== 0) index = loadLeaf(this.#hart, this.#descend(start));
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
    const index = loadLeaf(this.#hart, this.#find(start, vma));
    const work = this.#work;
    work.entries.copyWithin(index * ENTRY_WORDS, (index + 1) * ENTRY_WORDS, work.entryCount * ENTRY_WORDS);
    work.entryCount--;
    return this.#rebuild();
  }

  #change(oldStart: number, start: number, end: number, vma: number): boolean {
    const index = loadLeaf(this.#hart, this.#find(oldStart, vma));
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
    keepFreshNodes(hart);
    hart.shared.storeRelease(this.#mm + MM_VMA_ROOT, this.#root);
    freeRetiredNodes(hart);
  }

  abort(): void {
    freeFreshNodes(this.#hart);
    this.#work.isOpen = false;
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
    const hart = this.#hart;
    const work = this.#work;
    const top = hart.shared.get(this.#root + VMA_NODE_LEVEL);
    for (let level = 0; level < top; level++) {
      const { parents } = work;
      let parentCount = loadEntries(hart.shared, parents, 0, work.pathNode[level + 1]);
      let low = work.pathIndex[level + 1];
      let high = low + 1;
      if (work.entryCount < ENTRIES_MIN && parentCount > 1) {
        if (high < parentCount) appendNode(hart, parents[high++ * ENTRY_WORDS + ENTRY_CHILD]);
        else prependNode(hart, parents[--low * ENTRY_WORDS + ENTRY_CHILD]);
      }
      const written = writeNodes(hart, level);
      if (written < 0) return false;
      retireNode(hart, work.pathNode[level]);
      parents.copyWithin((low + written) * ENTRY_WORDS, high * ENTRY_WORDS, parentCount * ENTRY_WORDS);
      for (let i = 0; i < written * ENTRY_WORDS; i++) parents[low * ENTRY_WORDS + i] = work.written[i];
      parentCount += written - (high - low);
      work.parents = work.entries;
      work.entries = parents;
      work.entryCount = parentCount;
    }
    retireNode(hart, this.#root);
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
      const written = writeNodes(this.#hart, level);
      if (written < 0) return false;
      if (written <= 1) {
        this.#root = written === 0 ? 0 : work.written[ENTRY_CHILD];
        return true;
      }
      for (let i = 0; i < written * ENTRY_WORDS; i++) work.entries[i] = work.written[i];
      work.entryCount = written;
    }
  }
}
