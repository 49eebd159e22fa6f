// What a fault puts into an empty or write-protected entry of an anonymous mapping: the shared zero page, a new zeroed
// frame, or a private copy. (Linux: do_anonymous_page, do_wp_page in mm/memory.c)

import {
  COUNTER_COW_FAULT,
  COUNTER_ZERO_PAGE_FAULT,
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MM_ANON_VMA,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_PT_MM,
  PAGE_REFCOUNT,
  PG_ANON,
  PG_SWAPCACHE,
  PTE_D,
  PTE_W,
  VM_EXEC,
  VM_SHARED,
  VMA_FLAGS,
  VMA_MM,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { allocUserFrame } from "../frame/frames.ts";
import { frameAddress, noteExecutable, pageOf } from "../frame/page.ts";
import { freeFrame, getPage, putPage } from "../frame/page-refs.ts";
import { lruAdd } from "../reclaim/lru.ts";
import { putSwapPage, swapDetach } from "../reclaim/swap-map.ts";
import { addRss, addRssKind } from "../rss.ts";
import { tablePageOf } from "../table/page-table.ts";
import { isUffdWp, leafPte, ptePfn } from "../table/pte.ts";
import { lockPte, unlockPte } from "../table/pte-lock.ts";
import { clearPte, fillPte, flushPte, isReaped, setNewPte } from "../table/set-pte.ts";
import { vmaPgoffAt } from "../vma/vma.ts";
import { FAULT_OK, FAULT_OOM } from "./fault-outcome.ts";

/** First read of a private page. Requires: mmap_lock for read. */
export function mapZeroPage(hart: Hart, pteAddress: number, flags: number): number {
  const pfn = hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  if ((flags & VM_EXEC) !== 0) noteExecutable(hart, pfn);
  install(hart, pteAddress, leafPte(pfn, flags, false));
  hart.count(COUNTER_ZERO_PAGE_FAULT);
  return FAULT_OK;
}

/** First write to a private page. Requires: mmap_lock for read. */
export function mapNewFrame(hart: Hart, mm: number, vma: number, vpn: number, pteAddress: number): number {
  const pfn = allocAnonFrame(hart, vma, vpn);
  if (pfn === 0) return FAULT_OOM;
  hart.core.zeroPage(frameAddress(pfn));
  const pte = leafPte(pfn, hart.shared.get(vma + VMA_FLAGS), true) | PTE_D;
  if (install(hart, pteAddress, pte)) addRss(hart, mm, 1);
  else freeFrame(hart, pfn);
  return FAULT_OK;
}

/** A store to a page whose entry `pte` lacks W although the vma is writable. Requires: mmap_lock for read. */
export function wpPage(hart: Hart, mm: number, vma: number, vpn: number, pteAddress: number, pte: number): number {
  const old = ptePfn(pte);
  // In the swap cache for nobody else any more: then it may leave it, and need not be copied.
  if (isSwapCached(hart, old) && swapDetach(hart, old, 1, false)) putPage(hart, old);
  if (isExclusive(hart, old, hart.shared.get(vma + VMA_FLAGS))) return reusePage(hart, vpn, pteAddress, pte);
  return copyPage(hart, mm, vma, vpn, pteAddress, old);
}

function isSwapCached(hart: Hart, pfn: number): boolean {
  return (hart.shared.loadOnce(pageOf(pfn) + PAGE_FLAGS) & PG_SWAPCACHE) !== 0;
}

/** May the frame be made writable in place? Shared mappings always may; private pages when nobody else holds them. */
export function isExclusive(hart: Hart, pfn: number, flags: number): boolean {
  if (pfn === hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN)) return false;
  if ((flags & VM_SHARED) !== 0) return true;
  const page = pageOf(pfn);
  const isAnon = (hart.shared.loadOnce(page + PAGE_FLAGS) & PG_ANON) !== 0;
  return isAnon && hart.shared.loadAcquire(page + PAGE_REFCOUNT) === 1;
}

/** Another address space maps the private frame too (fork); false for the zero page, which nobody counts. */
export function sharePage(hart: Hart, pfn: number): boolean {
  if (pfn === hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN)) return false;
  getPage(hart, pfn);
  hart.shared.fetchAdd(pageOf(pfn) + PAGE_MAPCOUNT, 1);
  return true;
}

/** Fills an empty entry; false if another hart was faster, or the address space is lost. */
function install(hart: Hart, pteAddress: number, pte: number): boolean {
  const mm = hart.shared.get(tablePageOf(pteAddress) + PAGE_PT_MM);
  lockPte(hart, pteAddress);
  const done = !isReaped(hart, mm) && fillPte(hart, pteAddress, pte);
  unlockPte(hart, pteAddress);
  return done;
}

function reusePage(hart: Hart, vpn: number, pteAddress: number, pte: number): number {
  // If the entry changed meanwhile, the access faults again and finds what it is now.
  hart.shared.compareExchange(pteAddress, pte, pte | PTE_W | PTE_D);
  hart.core.flushVa(vpn * 4096);
  return FAULT_OK;
}

function copyPage(hart: Hart, mm: number, vma: number, vpn: number, pteAddress: number, old: number): number {
  const { shared } = hart;
  const isZeroPage = old === shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  const pfn = allocAnonFrame(hart, vma, vpn);
  if (pfn === 0) return FAULT_OOM;
  if (isZeroPage) hart.core.zeroPage(frameAddress(pfn));
  lockPte(hart, pteAddress);
  const now = shared.loadOnce(pteAddress);
  const raced = ptePfn(now) !== old || isUffdWp(now);
  if (!raced) {
    clearPte(hart, pteAddress);
    // Every hart must have lost the old page before one of them can write the new one: a thread that saw the write must
    // not read the old page afterwards. (Linux: ptep_clear_flush)
    flushPte(hart, mm, vpn);
    // Copied after the flush, under the PTL: no hart can still write through an old translation.
    if (!isZeroPage) hart.core.copyPage(frameAddress(pfn), frameAddress(old));
    setNewPte(hart, pteAddress, leafPte(pfn, shared.get(vma + VMA_FLAGS), true) | PTE_D);
  }
  unlockPte(hart, pteAddress);
  hart.count(COUNTER_COW_FAULT);
  if (raced) freeFrame(hart, pfn);
  else if (isZeroPage) addRss(hart, mm, 1);
  else {
    addRssKind(hart, mm, pageOf(old), -1); // of a file's page there is a private one now
    dropMapping(hart, old);
  }
  return FAULT_OK;
}

/** A frame mapped once, for page `vpn` of the vma; 0 = out of memory. */
export function allocAnonFrame(hart: Hart, vma: number, vpn: number): number {
  const pfn = allocUserFrame(hart);
  if (pfn !== 0) makeAnon(hart, vma, vpn, pfn);
  return pfn;
}

/** The new frame is a private page of the vma, mapped once, for page `vpn`. */
export function makeAnon(hart: Hart, vma: number, vpn: number, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  shared.set(page + PAGE_FLAGS, PG_ANON);
  shared.set(page + PAGE_MAPCOUNT, 1);
  shared.set(page + PAGE_MAPPING, shared.get(shared.get(vma + VMA_MM) + MM_ANON_VMA));
  shared.set(page + PAGE_INDEX, vmaPgoffAt(hart, vma, vpn));
  if ((shared.get(vma + VMA_FLAGS) & VM_EXEC) !== 0) noteExecutable(hart, pfn);
  lruAdd(hart, pfn);
}

export function dropMapping(hart: Hart, pfn: number): void {
  hart.shared.fetchAdd(pageOf(pfn) + PAGE_MAPCOUNT, -1);
  putSwapPage(hart, pfn);
}
