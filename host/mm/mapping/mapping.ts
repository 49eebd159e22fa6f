// The contents of a file: its length, and the pages of it that are in memory. What tmpfs files, memfds, shared
// anonymous mappings, System V segments and the files of the host have in common. (Linux: struct address_space)
//
//   vma ── VMA_MAPPING ─┐                    ┌─ MAPPING_ROOT ─► node ─► ... ─► node ─► frame    mapping-tree.ts
//   inode ──────────────┼─► mapping, counted ┤                                          │ PAGE_MAPPING, PAGE_INDEX
//   SysV segment ───────┘                    └─ MAPPING_HOST ─► inode  ◄────────────────┘
//
// A page is there because somebody wrote or mapped it (page-cache.ts), until truncation, the last reference, or, if the
// host has its bytes, reclaim takes it. Each page in the tree holds one reference on its frame, each PTE another.

import {
  MAPPING_BYTES,
  MAPPING_COMMITTED,
  MAPPING_HOST_LENGTH,
  MAPPING_KIND,
  MAPPING_LENGTH,
  MAPPING_LOCK,
  MAPPING_MMAP_LOCK,
  MAPPING_REFCOUNT,
  PAGE_BYTES,
  POOL_MAPPING,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { commitPages } from "../overcommit.ts";
import { treeFreeNodes, treeRemoveFrom } from "./mapping-tree.ts";

/** Longest file: page offsets are 30 bits. */
export const MAPPING_LENGTH_MAX = 2 ** 42;
export const MAPPING_INDEX_END = MAPPING_LENGTH_MAX / PAGE_BYTES;

/** A mapping of `bytes` bytes (all holes) with one reference, or 0: out of memory. `kind`: MAPPING_SHMEM etc. */
export function mappingCreate(hart: HartLocal, kind: number, bytes: number): number {
  const mapping = kmemCacheAlloc(hart, POOL_MAPPING);
  if (mapping === 0) return 0;
  // Not the locks: whoever followed a page of an earlier life here may hold one for a moment yet.
  hart.core.zeroBytes(mapping, MAPPING_LOCK);
  hart.core.zeroBytes(mapping + MAPPING_LOCK + 4, MAPPING_MMAP_LOCK - MAPPING_LOCK - 4);
  hart.core.zeroBytes(mapping + MAPPING_MMAP_LOCK + 4, MAPPING_BYTES - MAPPING_MMAP_LOCK - 4);
  hart.shared.set(mapping + MAPPING_KIND, kind);
  hart.shared.setF64(mapping + MAPPING_LENGTH, bytes);
  hart.shared.setF64(mapping + MAPPING_HOST_LENGTH, bytes);
  hart.shared.storeRelease(mapping + MAPPING_REFCOUNT, 1);
  return mapping;
}

/** All `pages` of it are promised, until it ends. Before anybody else knows it. */
export function mappingCommit(hart: HartLocal, mapping: number, pages: number): void {
  hart.shared.set(mapping + MAPPING_COMMITTED, pages);
  commitPages(hart, pages);
}

/** Another vma, inode or segment uses `mapping` (0: none). */
export function mappingGet(hart: HartLocal, mapping: number): void {
  if (mapping !== 0) hart.shared.fetchAdd(mapping + MAPPING_REFCOUNT, 1);
}

/** Drops a reference (0: none); the last one takes the pages along, as far as no gather holds them. May be long. */
export function mappingPut(hart: HartLocal, mapping: number): void {
  if (mapping === 0) return;
  const old = hart.shared.fetchAdd(mapping + MAPPING_REFCOUNT, -1);
  if (old <= 0) throw new KernelBug("mapping reference dropped twice", { mapping });
  if (old !== 1) return;
  treeRemoveFrom(hart, mapping, 0, MAPPING_INDEX_END);
  treeFreeNodes(hart, mapping);
  commitPages(hart, -hart.shared.get(mapping + MAPPING_COMMITTED));
  kmemCacheFree(hart, POOL_MAPPING, mapping);
}

/** Its length in bytes. Exact only for who excludes writers; two harts never see half of a value. */
export function mappingBytes(hart: HartLocal, mapping: number): number {
  spinLock(hart, mapping + MAPPING_LOCK);
  const bytes = hart.shared.getF64(mapping + MAPPING_LENGTH);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  return bytes;
}

/** First page index beyond the end. Requires: MAPPING_LOCK. */
export function mappingEndLocked(hart: HartLocal, mapping: number): number {
  return Math.ceil(hart.shared.getF64(mapping + MAPPING_LENGTH) / PAGE_BYTES);
}

/** Makes the mapping at least `bytes` long. */
export function mappingExtend(hart: HartLocal, mapping: number, bytes: number): void {
  spinLock(hart, mapping + MAPPING_LOCK);
  if (bytes > hart.shared.getF64(mapping + MAPPING_LENGTH)) hart.shared.setF64(mapping + MAPPING_LENGTH, bytes);
  spinUnlock(hart, mapping + MAPPING_LOCK);
}
