// What of a mapping is in memory: for smaps and pagemap of /proc. (fs/proc/task_mmu.c: smaps_account, pagemap_read)
// Page-table entries are read here, with mmap_lock held for read, and shown as numbers.

import {
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MAPPING_KIND,
  MAPPING_LOCK,
  MAPPING_SHMEM,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PG_CACHE,
  PG_DIRTY,
  PG_LAZYFREE,
  PTE_A,
  PTE_D,
  PTE_V,
  VMA_END,
  VMA_MAPPING,
  VMA_PGOFF,
  VMA_START,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { pageOf } from "./frame/page.ts";
import { TREE_END, treeLoad, treeNext } from "./mapping/mapping-tree.ts";
import { swapUsers } from "./reclaim/swap-map.ts";
import { findHuge, findPte, loadPte } from "./table/page-table.ts";
import { isMarker, isSwapPte, isUffdWp, ptePfn } from "./table/pte.ts";
import { skipMissingTable } from "./table/zap.ts";

/** Bytes, by what smaps tells apart. */
export interface VmaUsage {
  rss: number;
  pss: number;
  pssDirty: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  referenced: number;
  anonymous: number;
  anonHuge: number;
  lazyFree: number;
  swap: number;
  swapPss: number;
}

export function emptyUsage(): VmaUsage {
  return {
    rss: 0,
    pss: 0,
    pssDirty: 0,
    sharedClean: 0,
    sharedDirty: 0,
    privateClean: 0,
    privateDirty: 0,
    referenced: 0,
    anonymous: 0,
    anonHuge: 0,
    lazyFree: 0,
    swap: 0,
    swapPss: 0,
  };
}

/** Adds what of `vma` is in memory to `usage`. Requires: mmap_lock for read. */
export function addVmaUsage(hart: HartLocal, mm: number, vma: number, usage: VmaUsage): void {
  const { shared } = hart;
  usage.swap += swappedShmem(hart, mm, vma) * PAGE_BYTES;
  const zero = shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  const end = shared.get(vma + VMA_END);
  for (let vpn = shared.get(vma + VMA_START); vpn < end; ) {
    const slot = findPte(hart, mm, vpn);
    const isHuge = slot === 0 && findHuge(hart, mm, vpn) !== 0;
    if (slot === 0 && !isHuge) {
      vpn = skipMissingTable(hart, mm, vpn);
      hart.pollIrq();
      continue;
    }
    const pte = isHuge ? loadPte(hart, mm, vpn) : shared.loadOnce(slot);
    if (isHuge) usage.anonHuge += PAGE_BYTES;
    if (isSwapPte(pte) && !isMarker(pte)) {
      usage.swap += PAGE_BYTES;
      usage.swapPss += PAGE_BYTES / Math.max(swapUsers(hart, ptePfn(pte)), 1);
    }
    if ((pte & PTE_V) !== 0 && ptePfn(pte) !== zero) addPage(hart, pageOf(ptePfn(pte)), pte, usage);
    vpn++;
    if (vpn % 64 === 0) hart.pollIrq();
  }
}

/** Pages of a file in memory that are in swap, where the vma has none of its own instead. (shmem_partial_swap_usage) */
function swappedShmem(hart: HartLocal, mm: number, vma: number): number {
  const { shared } = hart;
  const mapping = shared.get(vma + VMA_MAPPING);
  if (mapping === 0 || shared.get(mapping + MAPPING_KIND) !== MAPPING_SHMEM) return 0;
  const first = shared.get(vma + VMA_PGOFF);
  const start = shared.get(vma + VMA_START);
  const end = first + shared.get(vma + VMA_END) - start;
  let pages = 0;
  for (let index = first; ; index++) {
    spinLock(hart, mapping + MAPPING_LOCK);
    index = treeNext(hart, mapping, index, end);
    const isSwapped = index !== TREE_END && treeLoad(hart, mapping, index) < 0;
    spinUnlock(hart, mapping + MAPPING_LOCK);
    if (index === TREE_END) return pages;
    if (isSwapped && loadPte(hart, mm, start + index - first) === 0) pages++;
    if (index % 64 === 0) hart.pollIrq();
  }
}

function addPage(hart: HartLocal, page: number, pte: number, usage: VmaUsage): void {
  const { shared } = hart;
  const flags = shared.loadOnce(page + PAGE_FLAGS);
  const isCache = (flags & PG_CACHE) !== 0;
  const mappers = Math.max(shared.loadOnce(page + PAGE_MAPCOUNT), 1);
  const isDirty = (pte & PTE_D) !== 0 || (flags & PG_DIRTY) !== 0;
  usage.rss += PAGE_BYTES;
  usage.pss += PAGE_BYTES / mappers;
  if (isDirty) usage.pssDirty += PAGE_BYTES / mappers;
  if ((pte & PTE_A) !== 0) usage.referenced += PAGE_BYTES;
  if (!isCache) usage.anonymous += PAGE_BYTES;
  if ((flags & PG_LAZYFREE) !== 0 && !isDirty) usage.lazyFree += PAGE_BYTES;
  if (mappers > 1 && isDirty) usage.sharedDirty += PAGE_BYTES;
  else if (mappers > 1) usage.sharedClean += PAGE_BYTES;
  else if (isDirty) usage.privateDirty += PAGE_BYTES;
  else usage.privateClean += PAGE_BYTES;
}

const PAGEMAP_PRESENT = 1 << 31; // bits 63, 61, 57 and 56, in the upper word
const PAGEMAP_SWAP = 1 << 30; // bit 62: then the lower bits are type (5) and offset of the slot
const PAGEMAP_SWAP_TYPE_BITS = 5;
const PAGEMAP_FILE = 1 << 29;
const PAGEMAP_UFFD_WP = 1 << 25; // bit 57
const PAGEMAP_EXCLUSIVE = 1 << 24;

/** Writes the pagemap entry (u64) of `vpn` at `address`. Requires: mmap_lock for read. */
export function writePagemapEntry(hart: HartLocal, mm: number, vpn: number, address: number): void {
  const { shared } = hart;
  const pte = loadPte(hart, mm, vpn);
  const isPresent = (pte & PTE_V) !== 0;
  let high = 0;
  if (isPresent && ptePfn(pte) !== shared.get(MACHINE_BASE + MACHINE_ZERO_PFN)) {
    const page = pageOf(ptePfn(pte));
    const isCache = (shared.loadOnce(page + PAGE_FLAGS) & PG_CACHE) !== 0;
    const mappers = shared.loadOnce(page + PAGE_MAPCOUNT);
    high = (isCache ? PAGEMAP_FILE : 0) | (mappers === 1 ? PAGEMAP_EXCLUSIVE : 0);
  }
  if (isSwapPte(pte)) {
    shared.set(address, ptePfn(pte) << PAGEMAP_SWAP_TYPE_BITS);
    shared.set(address + 4, PAGEMAP_SWAP | (isUffdWp(pte) ? PAGEMAP_UFFD_WP : 0));
    return;
  }
  if (isUffdWp(pte)) high |= PAGEMAP_UFFD_WP;
  shared.set(address, isPresent ? ptePfn(pte) : 0);
  shared.set(address + 4, isPresent ? PAGEMAP_PRESENT | high : 0);
}
