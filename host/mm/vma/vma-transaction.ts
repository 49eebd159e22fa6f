// A change to an address space's vmas that happens as a whole or not at all: new, removed, resized and reflagged vmas
// are collected, and commit() writes the fields, publishes the map and settles the counters. Whoever holds mmap_lock
// sees the vmas as they were before until then. Requires: mmap_lock for write.
//
// Each vma may be touched once in a transaction. Every step returns false when memory has run out; then abort().
// Steps that make room come before steps that fill it: the map refuses overlaps at any moment.

import { MM_MAP_COUNT, VMA_FILE, VMA_FLAGS, VMA_MAPPING, VMA_UFFD } from "../../../assembly/layout.ts";
import { D_M15, D_M17, MUTATIONS } from "../../memory/mutation.ts";
import {
  RESIZED_END,
  RESIZED_GROWN,
  RESIZED_START,
  RESIZED_VMA,
  RESIZED_WORDS,
  type VmaWork,
} from "../../memory/vma-work.ts";
import type { Hart } from "../../policy/hart.ts";
import { vmStatAccount } from "../accounting.ts";
import { splitHugeAt } from "../huge/huge-split.ts";
import { rmapLink, rmapResize, rmapUnlink } from "../rmap/rmap-link.ts";
import {
  vmaAlloc,
  vmaEnd,
  vmaFlags,
  vmaFree,
  vmaGetBacking,
  vmaPgoffAt,
  vmaPutBacking,
  vmaStart,
  vmaUffd,
} from "./vma.ts";
import { VmaMapEdit } from "./vma-map-edit.ts";

export class VmaTransaction {
  readonly #hart: Hart;
  readonly #mm: number;
  readonly #map: VmaMapEdit;
  readonly #work: VmaWork;

  constructor(hart: Hart, mm: number) {
    this.#hart = hart;
    this.#mm = mm;
    this.#map = new VmaMapEdit(hart, mm);
    this.#work = hart.vmaWork;
  }

  /** A new vma; takes its own references on `mapping` and `file`. */
  insert(
    start: number,
    end: number,
    flags: number,
    mapping: number,
    file: number,
    pgoff: number,
    uffd: number,
  ): boolean {
    return this.#add(vmaAlloc(this.#hart, this.#mm, start, end, flags, mapping, file, pgoff, uffd), start, end);
  }

  #add(vma: number, start: number, end: number): boolean {
    if (vma === 0) return false;
    this.#work.added[this.#work.addedCount++] = vma;
    return this.#map.insert(start, end, vma);
  }

  /** A new vma over [start, end), which `vma` (of this mm, or of one that it is a copy of) covers, but with `flags`. */
  carve(
    vma: number,
    start: number,
    end: number,
    flags: number,
    uffd: number = vmaUffd(this.#hart, vma, flags),
  ): boolean {
    const hart = this.#hart;
    const mapping = hart.shared.get(vma + VMA_MAPPING);
    const file = hart.shared.get(vma + VMA_FILE);
    const pgoff = vmaPgoffAt(hart, vma, start);
    return this.#add(vmaAlloc(hart, this.#mm, start, end, flags, mapping, file, pgoff, uffd, vma), start, end);
  }

  remove(vma: number): boolean {
    this.#startWrite(vma);
    this.#work.removed[this.#work.removedCount++] = vma;
    return this.#map.erase(vmaStart(this.#hart, vma), vma);
  }

  /** The vma covers [start, end) from now on; its pages keep their offsets. */
  resize(vma: number, start: number, end: number): boolean {
    this.#startWrite(vma);
    const { resized } = this.#work;
    const at = RESIZED_WORDS * this.#work.resizedCount++;
    resized[at + RESIZED_VMA] = vma;
    resized[at + RESIZED_START] = start;
    resized[at + RESIZED_END] = end;
    resized[at + RESIZED_GROWN] = 0;
    return this.#map.change(vmaStart(this.#hart, vma), start, end, vma);
  }

  /** No fault is at work in the vma from here on. */
  #startWrite(vma: number): void {
    if (!(MUTATIONS && this.#hart.mutation === D_M17))
      this.#hart.policies.vmaLock.startWrite(this.#hart, this.#mm, vma);
  }

  commit(): void {
    const { shared } = this.#hart;
    const work = this.#work;
    this.#splitAtEdges();
    // What grows comes before what shrinks or goes: whoever walks a reverse map meanwhile may see a page's place in two
    // vmas, never in none.
    for (let i = 0; i < work.addedCount; i++) this.#publish(work.added[i]);
    this.#account();
    this.#resizeWhat(true);
    this.#map.commit();
    this.#resizeWhat(false);
    for (let i = 0; i < work.removedCount; i++) this.#takeOut(work.removed[i]);
    if (MUTATIONS && this.#hart.mutation === D_M17) this.#startWriteLate();
    shared.set(this.#mm + MM_MAP_COUNT, shared.get(this.#mm + MM_MAP_COUNT) + work.addedCount - work.removedCount);
  }

  #publish(vma: number): void {
    const hart = this.#hart;
    const { vmaLock } = hart.policies;
    vmStatAccount(hart, this.#mm, vmaFlags(hart, vma), vmaEnd(hart, vma) - vmaStart(hart, vma));
    vmaGetBacking(hart, vma);
    rmapLink(hart, vma);
    // Write-locked from its first moment: whoever adds it may have more to do before the first fault.
    vmaLock.startWrite(hart, this.#mm, vma);
    vmaLock.attach(hart, this.#mm, vma);
  }

  #takeOut(vma: number): void {
    const hart = this.#hart;
    const { vmaLock } = hart.policies;
    vmStatAccount(hart, this.#mm, vmaFlags(hart, vma), vmaStart(hart, vma) - vmaEnd(hart, vma));
    if (MUTATIONS && hart.mutation === D_M17) vmaLock.startWrite(hart, this.#mm, vma);
    if (!(MUTATIONS && hart.mutation === D_M15)) vmaLock.detach(hart, this.#mm, vma);
    rmapUnlink(hart, vma);
    vmaPutBacking(hart, vma);
    vmaLock.free(hart, vma);
    if (MUTATIONS && hart.mutation === D_M15) vmaLock.detach(hart, this.#mm, vma);
  }

  /** Mutation D-M17: the vmas are locked only after they have changed. */
  #startWriteLate(): void {
    const { resized, resizedCount } = this.#work;
    for (let i = 0; i < resizedCount; i++) {
      this.#hart.policies.vmaLock.startWrite(this.#hart, this.#mm, resized[i * RESIZED_WORDS + RESIZED_VMA]);
    }
  }

  /** No leaf of 2 MiB lies in two vmas. */
  #splitAtEdges(): void {
    const { added, addedCount, resized, resizedCount } = this.#work;
    for (let i = 0; i < addedCount; i++) {
      splitHugeAt(this.#hart, this.#mm, vmaStart(this.#hart, added[i]));
      splitHugeAt(this.#hart, this.#mm, vmaEnd(this.#hart, added[i]));
    }
    for (let at = 0; at < resizedCount * RESIZED_WORDS; at += RESIZED_WORDS) {
      splitHugeAt(this.#hart, this.#mm, resized[at + RESIZED_START]);
      splitHugeAt(this.#hart, this.#mm, resized[at + RESIZED_END]);
    }
  }

  /** Settles the counters of the resized vmas, and finds out by how much each grows. */
  #account(): void {
    const { resized, resizedCount } = this.#work;
    for (let at = 0; at < resizedCount * RESIZED_WORDS; at += RESIZED_WORDS) {
      const vma = resized[at + RESIZED_VMA];
      const pages = vmaEnd(this.#hart, vma) - vmaStart(this.#hart, vma);
      const grown = resized[at + RESIZED_END] - resized[at + RESIZED_START] - pages;
      vmStatAccount(this.#hart, this.#mm, vmaFlags(this.#hart, vma), grown);
      resized[at + RESIZED_GROWN] = grown;
    }
  }

  #resizeWhat(grows: boolean): void {
    const { resized, resizedCount } = this.#work;
    for (let at = 0; at < resizedCount * RESIZED_WORDS; at += RESIZED_WORDS) {
      if (resized[at + RESIZED_GROWN] > 0 !== grows) continue;
      rmapResize(this.#hart, resized[at + RESIZED_VMA], resized[at + RESIZED_START], resized[at + RESIZED_END]);
    }
  }

  abort(): void {
    this.#map.abort();
    for (let i = 0; i < this.#work.addedCount; i++) vmaFree(this.#hart, this.#work.added[i]);
  }
}

/** New flags for a whole vma, and what it is registered with. Requires: mmap_lock for write. */
export function setVmaFlags(hart: Hart, mm: number, vma: number, flags: number, uffd: number): void {
  const pages = vmaEnd(hart, vma) - vmaStart(hart, vma);
  hart.policies.vmaLock.startWrite(hart, mm, vma);
  vmStatAccount(hart, mm, vmaFlags(hart, vma), -pages);
  vmStatAccount(hart, mm, flags, pages);
  hart.shared.set(vma + VMA_FLAGS, flags);
  hart.shared.set(vma + VMA_UFFD, uffd);
}

/** Commits if every step went well; 0 or the errno of a full pool. */
export function settle(transaction: VmaTransaction, done: boolean, errno: number): number {
  if (done) {
    transaction.commit();
    return 0;
  }
  transaction.abort();
  return -errno;
}
