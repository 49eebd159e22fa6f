// Private pages and who may have them mapped. Linux of today gives each vma a chain of anon_vmas; here, as in its first
// version, all that came of one ancestor by fork shares a single one. It belongs to the mm and not to the vma, so it
// costs a fault nothing, and merging need not ask for it. A page knows it by PAGE_MAPPING; its tree holds the vmas of
// all mms of the lineage by page offset, so a page of one process is looked for in those of its relatives too, at the
// same offset: wasted steps, never wrong ones, because an entry counts only if it maps the frame.

import {
  ANON_VMA_REFCOUNT,
  ANON_VMA_ROOT,
  ANON_VMA_SEQ,
  MM_ANON_VMA,
  POOL_ANON_VMA,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";

/** A new lineage for `mm`; false: out of memory. */
export function anonVmaCreate(hart: HartLocal, mm: number): boolean {
  const { shared } = hart;
  const anonVma = kmemCacheAlloc(hart, POOL_ANON_VMA);
  if (anonVma === 0) return false;
  // Not the lock: whoever followed a page of an earlier life here may hold it for a moment yet, and finds nothing.
  shared.set(anonVma + ANON_VMA_ROOT, 0);
  shared.set(anonVma + ANON_VMA_SEQ, 0);
  shared.storeRelease(anonVma + ANON_VMA_REFCOUNT, 1);
  shared.set(mm + MM_ANON_VMA, anonVma);
  return true;
}

/** `child`, which has no vma yet, joins the lineage of `parent`. (Linux: anon_vma_fork) */
export function anonVmaFork(hart: HartLocal, parent: number, child: number): void {
  const { shared } = hart;
  anonVmaPut(hart, child);
  const anonVma = shared.get(parent + MM_ANON_VMA);
  shared.fetchAdd(anonVma + ANON_VMA_REFCOUNT, 1);
  shared.set(child + MM_ANON_VMA, anonVma);
}

/** The mm has no vma any more, or never had one. */
export function anonVmaPut(hart: HartLocal, mm: number): void {
  const anonVma = hart.shared.get(mm + MM_ANON_VMA);
  const old = hart.shared.fetchAdd(anonVma + ANON_VMA_REFCOUNT, -1);
  if (old <= 0) throw new KernelBug("anon_vma dropped twice", { mm });
  if (old === 1) kmemCacheFree(hart, POOL_ANON_VMA, anonVma);
  hart.shared.set(mm + MM_ANON_VMA, 0);
}
