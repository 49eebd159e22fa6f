// Pages of a mapping leave every address space: truncation and hole punching. (Linux: unmap_mapping_range)

import {
  MAPPING_MMAP_LOCK,
  MAPPING_MMAP_ROOT,
  VM_MAYWRITE,
  VM_SHARED,
  VMA_FLAGS,
  VMA_MM,
  VMA_PGOFF,
  VMA_RMAP_FILE,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { readLock, readUnlock } from "../../memory/rwlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { intervalNext } from "../rmap/interval-tree.ts";
import { flushRss } from "../rss.ts";
import { gatherBegin, gatherFinish } from "../table/gather.ts";
import { zapRange } from "../table/zap.ts";
import { vmaEnd, vmaStart } from "../vma/vma.ts";

const OFFSET_LAST = 0x7fffffff;

/**
 * Unmaps the page offsets [first, last] of `mapping` wherever they are mapped; `evenCows`: the private copies too. When
 * it returns no hart can reach them by a translation that was there before. Waits for flushes; no gather is open.
 */
export function unmapMappingRange(hart: Hart, mapping: number, first: number, last: number, evenCows: boolean): void {
  if (hart.shared.loadAcquire(mapping + MAPPING_MMAP_ROOT) === 0) return;
  readLock(hart, mapping + MAPPING_MMAP_LOCK);
  for (let vma = mapperAfter(hart, mapping, first, last, 0); vma !== 0; ) {
    zapOffsets(hart, vma, first, last, evenCows);
    vma = mapperAfter(hart, mapping, first, last, vma);
  }
  readUnlock(hart, mapping + MAPPING_MMAP_LOCK);
}

/** May some process write to the mapping's pages by a shared mapping? (Linux: mapping_writably_mapped) */
export function isWritablyMapped(hart: HartLocal, mapping: number): boolean {
  const writable = VM_SHARED | VM_MAYWRITE;
  readLock(hart, mapping + MAPPING_MMAP_LOCK);
  let vma = mapperAfter(hart, mapping, 0, OFFSET_LAST, 0);
  while (vma !== 0 && (hart.shared.get(vma + VMA_FLAGS) & writable) !== writable) {
    vma = mapperAfter(hart, mapping, 0, OFFSET_LAST, vma);
  }
  readUnlock(hart, mapping + MAPPING_MMAP_LOCK);
  return vma !== 0;
}

function mapperAfter(hart: HartLocal, mapping: number, first: number, last: number, previous: number): number {
  return intervalNext(hart, mapping + MAPPING_MMAP_ROOT, VMA_RMAP_FILE, first, last, previous);
}

/** Requires: the lock of the tree that holds the vma. */
function zapOffsets(hart: Hart, vma: number, first: number, last: number, evenCows: boolean): void {
  const { shared } = hart;
  const mm = shared.get(vma + VMA_MM);
  const shift = vmaStart(hart, vma) - shared.get(vma + VMA_PGOFF);
  const start = Math.max(vmaStart(hart, vma), first + shift);
  const end = Math.min(vmaEnd(hart, vma), last + 1 + shift);
  gatherBegin(hart, mm);
  zapRange(hart, mm, start, end, !evenCows, true);
  gatherFinish(hart);
  flushRss(hart); // of an mm that this hart may never meet again
}
