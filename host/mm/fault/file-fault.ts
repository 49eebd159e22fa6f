// Faults in areas that map a file or shared memory. A page that must be read from the host first is read with no lock
// held, and the fault is taken again. (Linux: do_read_fault, do_cow_fault and do_shared_fault in mm/memory.c)

import {
  ACCESS_STORE,
  COUNTER_PGMAJFAULT,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PTE_D,
  VM_EXEC,
  VM_SHARED,
  VMA_FLAGS,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { frameAddress, noteExecutable, pageOf } from "../frame/page.ts";
import { freeFrame, putPage } from "../frame/page-refs.ts";
import { mappingGet, mappingPut } from "../mapping/mapping.ts";
import { mappingFrame, mappingFrameNowait, NEEDS_IO } from "../mapping/page-cache.ts";
import { finishSwapIn } from "../reclaim/swap-in.ts";
import { addRss, addRssKind } from "../rss.ts";
import { leafPte, PTE_UFFD_WP, setUffdWp } from "../table/pte.ts";
import { lockPte, unlockPte } from "../table/pte-lock.ts";
import { fillPte } from "../table/set-pte.ts";
import { vmaPgoffAt } from "../vma/vma.ts";
import { allocAnonFrame, dropMapping } from "./anon.ts";
import { FAULT_BUS, FAULT_OK, FAULT_OOM, FAULT_RETRY } from "./fault-outcome.ts";

/** First access to a page of an area with a mapping. Requires: mmap_lock for read. */
export function mapCachePage(
  hart: Hart,
  mm: number,
  vma: number,
  vpn: number,
  pteAddress: number,
  access: number,
): number {
  const { shared } = hart;
  const mapping = shared.get(vma + VMA_MAPPING);
  const index = vmaPgoffAt(hart, vma, vpn);
  const pfn = mappingFrameNowait(hart, mapping, index);
  if (pfn <= 0) return withoutPage(hart, mapping, index, pfn);
  const flags = shared.get(vma + VMA_FLAGS);
  const isShared = (flags & VM_SHARED) !== 0;
  if (!isShared && access === ACCESS_STORE) return mapPrivateCopy(hart, mm, vma, vpn, pteAddress, pfn);
  mapCacheFrame(hart, mm, vma, pteAddress, pfn, access === ACCESS_STORE ? PTE_D : 0);
  return FAULT_OK;
}

/**
 * Fills an empty entry with page `pfn` of the vma's mapping, with `marks` (PTE_D, PTE_UFFD_WP); the caller's reference
 * goes to the entry. False: somebody was faster, or the page has left the mapping. Requires: the vma locked for read.
 */
export function mapCacheFrame(
  hart: Hart,
  mm: number,
  vma: number,
  pteAddress: number,
  pfn: number,
  marks: number,
): boolean {
  const { shared } = hart;
  const flags = shared.get(vma + VMA_FLAGS);
  if ((flags & VM_EXEC) !== 0) noteExecutable(hart, pfn);
  // Before the entry is visible: whoever clears it may count down at once.
  shared.fetchAdd(pageOf(pfn) + PAGE_MAPCOUNT, 1);
  const leaf = leafPte(pfn, flags, (flags & VM_SHARED) !== 0) | marks;
  const pte = (marks & PTE_UFFD_WP) !== 0 ? setUffdWp(leaf) : leaf;
  const done = install(hart, pteAddress, pte, shared.get(vma + VMA_MAPPING), pfn);
  if (done) {
    addRssKind(hart, mm, pageOf(pfn), 1);
    addRss(hart, mm, 1);
  } else dropMapping(hart, pfn);
  return done;
}

/** After FAULT_RETRY: gets the page into memory. FAULT_OK: take the fault again. No lock held; may wait for a disk. */
export function finishFaultIo(hart: Hart): number {
  if (hart.faultSlot !== 0) return finishSwapIn(hart);
  hart.count(COUNTER_PGMAJFAULT);
  const mapping = hart.faultMapping;
  hart.faultMapping = 0;
  const pfn = mappingFrame(hart, mapping, hart.faultIndex);
  if (pfn > 0) putPage(hart, pfn);
  mappingPut(hart, mapping);
  if (pfn === 0) return FAULT_OOM;
  // BEYOND_MAPPING: the vma may be another by now, so the fault itself finds out.
  return pfn < NEEDS_IO ? FAULT_BUS : FAULT_OK;
}

/** No page to be had at once: why. */
function withoutPage(hart: Hart, mapping: number, index: number, pfn: number): number {
  if (pfn === 0) return FAULT_OOM;
  if (pfn !== NEEDS_IO) return FAULT_BUS;
  mappingGet(hart, mapping);
  hart.faultMapping = mapping;
  hart.faultIndex = index;
  return FAULT_RETRY;
}

/** First access to a private page is a write: a copy of the cache page `source`, whose reference is dropped. */
function mapPrivateCopy(hart: Hart, mm: number, vma: number, vpn: number, pteAddress: number, source: number): number {
  const pfn = allocAnonFrame(hart, vma, vpn);
  if (pfn !== 0) {
    hart.core.copyPage(frameAddress(pfn), frameAddress(source));
    const pte = leafPte(pfn, hart.shared.get(vma + VMA_FLAGS), true) | PTE_D;
    if (install(hart, pteAddress, pte, hart.shared.get(vma + VMA_MAPPING), source)) addRss(hart, mm, 1);
    else freeFrame(hart, pfn);
  }
  putPage(hart, source);
  return pfn === 0 ? FAULT_OOM : FAULT_OK;
}

/**
 * Fills an empty entry; false if another hart was faster, or if page `source` has left its mapping: who took it out
 * looks for entries afterwards, so either it finds this one, or the page is seen gone here.
 */
function install(hart: Hart, pteAddress: number, pte: number, mapping: number, source: number): boolean {
  const { shared } = hart;
  lockPte(hart, pteAddress);
  const isThere = shared.loadAcquire(pageOf(source) + PAGE_MAPPING) === mapping;
  const done = isThere && fillPte(hart, pteAddress, pte);
  unlockPte(hart, pteAddress);
  return done;
}
