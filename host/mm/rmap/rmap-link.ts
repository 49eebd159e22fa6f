// A vma's places in the reverse maps: the tree of its mapping, and the tree of its lineage if its pages can be private.
// (Linux: vma_link_file and anon_vma_interval_tree_insert, and their opposites)

import {
  ANON_VMA_LOCK,
  ANON_VMA_ROOT,
  ANON_VMA_SEQ,
  MAPPING_MMAP_LOCK,
  MAPPING_MMAP_ROOT,
  MAPPING_MMAP_SEQ,
  MM_ANON_VMA,
  RMAP_SEQ,
  VM_SHARED,
  VMA_END,
  VMA_FLAGS,
  VMA_MAPPING,
  VMA_MM,
  VMA_PGOFF,
  VMA_RMAP_ANON,
  VMA_RMAP_FILE,
  VMA_START,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { writeLock, writeUnlock } from "../../memory/rwlock.ts";
import { intervalInsert, intervalRemove } from "./interval-tree.ts";

/** Before the vma can have pages. Requires: mmap_lock for write. */
export function rmapLink(hart: HartLocal, vma: number): void {
  rmapLock(hart, vma);
  insert(hart, vma);
  rmapUnlock(hart, vma);
}

/** Before the page tables that only it uses can go. Requires: mmap_lock for write. */
export function rmapUnlink(hart: HartLocal, vma: number): void {
  rmapLock(hart, vma);
  remove(hart, vma);
  rmapUnlock(hart, vma);
}

/** Covers [start, end) from now on; its pages keep their offsets. Requires: mmap_lock for write. */
export function rmapResize(hart: HartLocal, vma: number, start: number, end: number): void {
  const { shared } = hart;
  rmapLock(hart, vma);
  remove(hart, vma);
  shared.set(vma + VMA_PGOFF, shared.get(vma + VMA_PGOFF) + (start - shared.get(vma + VMA_START)));
  shared.set(vma + VMA_START, start);
  shared.set(vma + VMA_END, end);
  insert(hart, vma);
  rmapUnlock(hart, vma);
}

/** Keeps walkers of both trees out: pages of the vma are on the move. Lock order: i_mmap, then anon_vma. */
export function rmapLock(hart: HartLocal, vma: number): void {
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  if (mapping !== 0) writeLock(hart, mapping + MAPPING_MMAP_LOCK);
  if (isPrivate(hart, vma)) writeLock(hart, anonVmaOf(hart, vma) + ANON_VMA_LOCK);
}

export function rmapUnlock(hart: HartLocal, vma: number): void {
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  if (isPrivate(hart, vma)) writeUnlock(hart, anonVmaOf(hart, vma) + ANON_VMA_LOCK);
  if (mapping !== 0) writeUnlock(hart, mapping + MAPPING_MMAP_LOCK);
}

function insert(hart: HartLocal, vma: number): void {
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  if (mapping !== 0) {
    const seq = nextSeq(hart, mapping + MAPPING_MMAP_SEQ);
    intervalInsert(hart, mapping + MAPPING_MMAP_ROOT, VMA_RMAP_FILE, vma, seq);
  }
  if (isPrivate(hart, vma)) {
    const anonVma = anonVmaOf(hart, vma);
    intervalInsert(hart, anonVma + ANON_VMA_ROOT, VMA_RMAP_ANON, vma, nextSeq(hart, anonVma + ANON_VMA_SEQ));
  }
}

function remove(hart: HartLocal, vma: number): void {
  const { shared } = hart;
  const mapping = shared.get(vma + VMA_MAPPING);
  if (shared.get(vma + VMA_RMAP_FILE + RMAP_SEQ) !== 0) {
    intervalRemove(hart, mapping + MAPPING_MMAP_ROOT, VMA_RMAP_FILE, vma);
  }
  if (shared.get(vma + VMA_RMAP_ANON + RMAP_SEQ) !== 0) {
    intervalRemove(hart, anonVmaOf(hart, vma) + ANON_VMA_ROOT, VMA_RMAP_ANON, vma);
  }
}

/** VM_SHARED never changes in the life of a vma. */
function isPrivate(hart: HartLocal, vma: number): boolean {
  return (hart.shared.get(vma + VMA_FLAGS) & VM_SHARED) === 0;
}

function anonVmaOf(hart: HartLocal, vma: number): number {
  return hart.shared.get(hart.shared.get(vma + VMA_MM) + MM_ANON_VMA);
}

/** Numbers wrap after 2^31 insertions: then order among equals is lost, and with it only a rare race with fork. */
function nextSeq(hart: HartLocal, counter: number): number {
  const seq = (hart.shared.get(counter) + 1) & 0x7fffffff;
  hart.shared.set(counter, seq === 0 ? 1 : seq);
  return hart.shared.get(counter);
}
