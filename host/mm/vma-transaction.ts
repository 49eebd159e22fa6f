// A change to an address space's vmas that happens as a whole or not at all: new, removed, resized and reflagged vmas
// are collected, and commit() writes the fields, publishes the map and settles the counters. Whoever holds mmap_lock
// sees the vmas as they were before until then. Requires: mmap_lock for write.
//
// Each vma may be touched once in a transaction. Every step returns false when memory has run out; then abort().
// Steps that make room come before steps that fill it: the map refuses overlaps at any moment.

import { MM_MAP_COUNT, VMA_FILE, VMA_FLAGS, VMA_MAPPING, VMA_UFFD } from "../../assembly/layout.ts";
import { D_M15, D_M17, MUTATIONS } from "../memory/mutation.ts";
import type { Hart } from "../policy/hart.ts";
import { vmStatAccount } from "./accounting.ts";
import { splitHugeAt } from "./huge-split.ts";
import { rmapLink, rmapResize, rmapUnlink } from "./rmap-link.ts";
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

interface Resized {
  readonly vma: number;
  readonly start: number;
  readonly end: number;
}

export class VmaTransaction {
  readonly #hart: Hart;
  readonly #mm: number;
  readonly #map: VmaMapEdit;
  readonly #added: number[] = [];
  readonly #removed: number[] = [];
  readonly #resized: Resized[] = [];

  constructor(hart: Hart, mm: number) {
    this.#hart = hart;
    this.#mm = mm;
    this.#map = new VmaMapEdit(hart, mm);
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
    this.#added.push(vma);
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
    this.#removed.push(vma);
    return this.#map.erase(vmaStart(this.#hart, vma), vma);
  }

  /** The vma covers [start, end) from now on; its pages keep their offsets. */
  resize(vma: number, start: number, end: number): boolean {
    this.#startWrite(vma);
    this.#resized.push({ vma, start, end });
    return this.#map.change(vmaStart(this.#hart, vma), start, end, vma);
  }

  /** No fault is at work in the vma from here on. */
  #startWrite(vma: number): void {
    if (!(MUTATIONS && this.#hart.mutation === D_M17))
      this.#hart.policies.vmaLock.startWrite(this.#hart, this.#mm, vma);
  }

  commit(): void {
    const hart = this.#hart;
    const { shared } = hart;
    const { vmaLock } = hart.policies;
    this.#splitAtEdges();
    // What grows comes before what shrinks or goes: whoever walks a reverse map meanwhile may see a page's place in two
    // vmas, never in none.
    for (const vma of this.#added) {
      vmStatAccount(hart, this.#mm, vmaFlags(hart, vma), vmaEnd(hart, vma) - vmaStart(hart, vma));
      vmaGetBacking(hart, vma);
      rmapLink(hart, vma);
      // Write-locked from its first moment: whoever adds it may have more to do before the first fault.
      vmaLock.startWrite(hart, this.#mm, vma);
      vmaLock.attach(hart, this.#mm, vma);
    }
    const [growing, shrinking] = this.#account();
    for (const { vma, start, end } of growing) rmapResize(hart, vma, start, end);
    this.#map.commit();
    for (const { vma, start, end } of shrinking) rmapResize(hart, vma, start, end);
    for (const vma of this.#removed) {
      vmStatAccount(hart, this.#mm, vmaFlags(hart, vma), vmaStart(hart, vma) - vmaEnd(hart, vma));
      if (MUTATIONS && hart.mutation === D_M17) vmaLock.startWrite(hart, this.#mm, vma);
      if (!(MUTATIONS && hart.mutation === D_M15)) vmaLock.detach(hart, this.#mm, vma);
      rmapUnlink(hart, vma);
      vmaPutBacking(hart, vma);
      vmaLock.free(hart, vma);
      if (MUTATIONS && hart.mutation === D_M15) vmaLock.detach(hart, this.#mm, vma);
    }
    if (MUTATIONS && hart.mutation === D_M17)
      for (const { vma } of this.#resized) vmaLock.startWrite(hart, this.#mm, vma);
    const count = shared.get(this.#mm + MM_MAP_COUNT) + this.#added.length - this.#removed.length;
    shared.set(this.#mm + MM_MAP_COUNT, count);
  }

  /** No leaf of 2 MiB lies in two vmas. */
  #splitAtEdges(): void {
    for (const vma of this.#added) {
      splitHugeAt(this.#hart, this.#mm, vmaStart(this.#hart, vma));
      splitHugeAt(this.#hart, this.#mm, vmaEnd(this.#hart, vma));
    }
    for (const { start, end } of this.#resized) {
      splitHugeAt(this.#hart, this.#mm, start);
      splitHugeAt(this.#hart, this.#mm, end);
    }
  }

  /** Settles the counters of the resized vmas, and tells those that grow from those that shrink. */
  #account(): [Resized[], Resized[]] {
    const growing: Resized[] = [];
    const shrinking: Resized[] = [];
    for (const resized of this.#resized) {
      const { vma, start, end } = resized;
      const grown = end - start - (vmaEnd(this.#hart, vma) - vmaStart(this.#hart, vma));
      vmStatAccount(this.#hart, this.#mm, vmaFlags(this.#hart, vma), grown);
      (grown > 0 ? growing : shrinking).push(resized);
    }
    return [growing, shrinking];
  }

  abort(): void {
    this.#map.abort();
    for (const vma of this.#added) vmaFree(this.#hart, vma);
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
