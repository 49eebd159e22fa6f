// From a page to the entries that map it: has it been used, and away with them. (Linux: folio_referenced and
// try_to_unmap in mm/rmap.c)
//
// The vmas come from the tree of the page's mapping or lineage, under its lock for read: as long as a vma is in a tree,
// the page tables that translate it stay. An entry counts only if it maps the frame, seen under its PTL.

import {
  ANON_VMA_LOCK,
  ANON_VMA_ROOT,
  MAPPING_MMAP_LOCK,
  MAPPING_MMAP_ROOT,
  MM_SWAP,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_PRIVATE,
  PG_ANON,
  PG_LAZYFREE,
  PG_SWAPCACHE,
  PTE_A,
  RUN_FRAMES,
  VM_LOCKED,
  VMA_FLAGS,
  VMA_MM,
  VMA_PGOFF,
  VMA_RMAP_ANON,
  VMA_RMAP_FILE,
} from "../../../assembly/layout.ts";
import { readLock, readUnlock } from "../../memory/rwlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { markDirty, pageOf } from "../frame/page.ts";
import { putPage } from "../frame/page-refs.ts";
import { splitHuge } from "../huge/huge-split.ts";
import { swapDup } from "../reclaim/swap-map.ts";
import { addRss, addRssKind, flushRss } from "../rss.ts";
import { findHuge, findPte, tablePageOf } from "../table/page-table.ts";
import { isHugePte, isSwapPte, isUffdWp, pteIsDirty, ptePfn, smallPte, swapPte, WP_MARKER } from "../table/pte.ts";
import { lockPte, lockTable, unlockPte, unlockTable } from "../table/pte-lock.ts";
import { clearPte, flushPte, flushPteLater, setNewPte } from "../table/set-pte.ts";
import { vmaStart } from "../vma/vma.ts";
import { intervalNext } from "./interval-tree.ts";

/** pageReferenced: some vma that maps the page is locked in memory. */
export const PAGE_MLOCKED = -1;
/** The page was given up, but somebody has written to it since. */
const STAYS = -2;

/** How many entries have been used since they were last looked at (and are now unused), or PAGE_MLOCKED. */
export function pageReferenced(hart: Hart, pfn: number): number {
  return walk(hart, pfn, false);
}

/**
 * Replaces every entry that maps the page: by the slot of a page in the swap cache, else by nothing. Writes through
 * translations are over when it returns. Requires: the page lock and a reference.
 */
export function tryToUnmap(hart: Hart, pfn: number): void {
  walk(hart, pfn, true);
  hart.policies.tlbFlush.flushPending(hart); // one flush for all mms that mapped it, if the policy can do that
}

/** Unmaps or ages every entry: how many were there or in use, or PAGE_MLOCKED. Requires: a reference on the page. */
function walk(hart: Hart, pfn: number, unmaps: boolean): number {
  const { shared } = hart;
  const page = pageOf(pfn);
  const isAnon = (shared.loadOnce(page + PAGE_FLAGS) & PG_ANON) !== 0;
  const owner = shared.loadAcquire(page + PAGE_MAPPING);
  const index = shared.get(page + PAGE_INDEX);
  if (owner === 0) return 0;
  const lock = owner + (isAnon ? ANON_VMA_LOCK : MAPPING_MMAP_LOCK);
  const root = owner + (isAnon ? ANON_VMA_ROOT : MAPPING_MMAP_ROOT);
  const link = isAnon ? VMA_RMAP_ANON : VMA_RMAP_FILE;
  let sum = 0;
  readLock(hart, lock);
  for (let vma = intervalNext(hart, root, link, index, index, 0); vma !== 0; ) {
    const vpn = vmaStart(hart, vma) + (index - shared.get(vma + VMA_PGOFF));
    const result = unmaps ? unmapEntry(hart, vma, vpn, pfn) : ageEntry(hart, vma, vpn, pfn);
    if (result < 0) {
      sum = result;
      break;
    }
    sum += result;
    vma = intervalNext(hart, root, link, index, index, vma);
  }
  readUnlock(hart, lock);
  return sum;
}

function ageEntry(hart: Hart, vma: number, vpn: number, pfn: number): number {
  const { shared } = hart;
  const mm = shared.get(vma + VMA_MM);
  const address = findPte(hart, mm, vpn);
  if (address === 0) return ageHuge(hart, vma, mm, vpn, pfn);
  if (!maps(shared.loadOnce(address), pfn)) return 0;
  if ((shared.get(vma + VMA_FLAGS) & VM_LOCKED) !== 0) return PAGE_MLOCKED;
  let isUsed = false;
  lockPte(hart, address);
  if (maps(shared.loadOnce(address), pfn)) {
    isUsed = (shared.fetchAnd(address, ~PTE_A) & PTE_A) !== 0;
    // Without the flush a page that is in some TLB would look unused for ever.
    if (isUsed) flushPte(hart, mm, vpn);
  }
  unlockPte(hart, address);
  return isUsed ? 1 : 0;
}

/** The same for a leaf of level 1, whose one accessed bit is that of all its pages: it goes with the last of them. */
function ageHuge(hart: Hart, vma: number, mm: number, vpn: number, pfn: number): number {
  const { shared } = hart;
  const pmd = findHuge(hart, mm, vpn);
  if (pmd === 0 || !mapsHuge(shared.loadOnce(pmd), vpn, pfn)) return 0;
  if ((shared.get(vma + VMA_FLAGS) & VM_LOCKED) !== 0) return PAGE_MLOCKED;
  const parent = tablePageOf(pmd);
  let isUsed = false;
  lockTable(hart, parent);
  const pte = shared.loadOnce(pmd);
  if (mapsHuge(pte, vpn, pfn)) {
    isUsed = (pte & PTE_A) !== 0;
    if (isUsed && vpn % RUN_FRAMES === RUN_FRAMES - 1) {
      shared.fetchAnd(pmd, ~PTE_A);
      flushPte(hart, mm, vpn);
    }
  }
  unlockTable(hart, parent);
  return isUsed ? 1 : 0;
}

function unmapEntry(hart: Hart, vma: number, vpn: number, pfn: number): number {
  const { shared } = hart;
  const page = pageOf(pfn);
  const mm = shared.get(vma + VMA_MM);
  const flags = shared.loadOnce(page + PAGE_FLAGS);
  // What is in the swap cache must go for all that, or its entry could write to it there.
  if ((shared.get(vma + VMA_FLAGS) & VM_LOCKED) !== 0 && (flags & PG_SWAPCACHE) === 0) return 0;
  const pmd = findHuge(hart, mm, vpn);
  if (pmd !== 0 && mapsHuge(shared.loadOnce(pmd), vpn, pfn)) splitHuge(hart, mm, vpn);
  const address = findPte(hart, mm, vpn);
  if (address === 0) return 0;
  lockPte(hart, address);
  const found = maps(shared.loadOnce(address), pfn);
  const isGone = found && replaceEntry(hart, mm, vpn, page, address);
  unlockPte(hart, address);
  if (!isGone) return found ? STAYS : 0;
  shared.fetchAdd(page + PAGE_MAPCOUNT, -1);
  addRssKind(hart, mm, page, -1);
  addRss(hart, mm, -1);
  flushRss(hart); // of an mm that this hart may never meet again
  putPage(hart, pfn); // never the last: the caller has one
  return 1;
}

/**
 * False: the page was given up, but has been written to since. Then it is one like any other, and has no slot: its
 * other entries must be left alone. Requires: the locks of entry and page.
 */
function replaceEntry(hart: Hart, mm: number, vpn: number, page: number, address: number): boolean {
  const { shared } = hart;
  const flags = shared.loadOnce(page + PAGE_FLAGS);
  // In the swap cache it has been taken for a page like any other.
  if ((flags & (PG_LAZYFREE | PG_SWAPCACHE)) === PG_LAZYFREE) {
    const old = clearPte(hart, address);
    if (pteIsDirty(old)) {
      setNewPte(hart, address, old);
      shared.fetchAnd(page + PAGE_FLAGS, ~PG_LAZYFREE);
      return false;
    }
  } else if ((flags & PG_ANON) !== 0) {
    const slot = shared.get(page + PAGE_PRIVATE);
    swapDup(hart, slot);
    // Only A and D can change meanwhile.
    shared.exchange(address, swapPte(slot, shared.loadOnce(address)));
    shared.fetchAnd(page + PAGE_FLAGS, ~PG_LAZYFREE);
    shared.fetchAdd(mm + MM_SWAP, 1);
  } else {
    const old = clearPte(hart, address);
    if (pteIsDirty(old)) markDirty(hart, page);
    // The page comes back from its mapping, which knows nothing of it. (Linux: pte_install_uffd_wp_if_needed)
    if (isUffdWp(old)) setNewPte(hart, address, WP_MARKER);
  }
  flushPteLater(hart, mm, vpn);
  return true;
}

/** Does the entry of level 1 map the frame at `vpn`? */
function mapsHuge(entry: number, vpn: number, pfn: number): boolean {
  return isHugePte(entry) && ptePfn(smallPte(entry, vpn)) === pfn;
}

function maps(pte: number, pfn: number): boolean {
  return pte !== 0 && !isSwapPte(pte) && ptePfn(pte) === pfn;
}
