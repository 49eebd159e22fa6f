// A page comes back from the swap store. (Linux: do_swap_page in mm/memory.c, shmem_swapin_folio)

import {
  ACCESS_STORE,
  COUNTER_PGMAJFAULT,
  COUNTER_PSWPIN,
  MM_ANON_VMA,
  MM_SWAP,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PG_ANON,
  PG_LOCKED,
  PG_UPTODATE,
  PTE_D,
  VM_EXEC,
  VMA_FLAGS,
} from "../../../assembly/layout.ts";
import { EIO } from "../../memory/errno.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { beginHostIo, endHostIo } from "../../memory/host-io.ts";
import type { Hart } from "../../policy/hart.ts";
import { FAULT_BUS, FAULT_OK, FAULT_OOM, FAULT_RETRY } from "../fault/fault-outcome.ts";
import { allocUserFrame } from "../frame/frames.ts";
import { frameAddress, noteExecutable, pageOf } from "../frame/page.ts";
import { putPage } from "../frame/page-refs.ts";
import { unlockPage, waitForPage } from "../mapping/page-lock.ts";
import { addRss } from "../rss.ts";
import { isUffdWp, leafPte, ptePfn, setUffdWp } from "../table/pte.ts";
import { lockPte, unlockPte } from "../table/pte-lock.ts";
import { vmaPgoffAt } from "../vma/vma.ts";
import { lruAdd } from "./lru.ts";
import {
  putSwapPage,
  swapCacheAdd,
  swapCacheDelete,
  swapCacheGet,
  swapDup,
  swapPut,
  swapTakeOver,
} from "./swap-map.ts";

/** A fault on the swap entry `pte`: maps the page if it is in the swap cache. Requires: mmap_lock for read. */
export function mapSwapPage(
  hart: Hart,
  mm: number,
  vma: number,
  vpn: number,
  pteAddress: number,
  pte: number,
  access: number,
): number {
  const { shared } = hart;
  const slot = ptePfn(pte);
  const pfn = swapCacheGet(hart, slot);
  const flags = pfn === 0 ? 0 : shared.loadAcquire(pageOf(pfn) + PAGE_FLAGS);
  if ((flags & (PG_UPTODATE | PG_LOCKED)) !== PG_UPTODATE) {
    if (pfn !== 0) putSwapPage(hart, pfn);
    return retryLater(hart, pteAddress, pte, slot);
  }
  lockPte(hart, pteAddress);
  const isThere = shared.loadOnce(pteAddress) === pte;
  const isMine = isThere && swapTakeOver(hart, slot, pfn);
  if (isThere) setEntry(hart, mm, vma, vpn, pteAddress, pte, pfn, isMine, access);
  unlockPte(hart, pteAddress);
  if (!isThere) {
    putSwapPage(hart, pfn);
    return FAULT_OK; // another hart was faster: the access finds out
  }
  addRss(hart, mm, 1);
  if (isMine)
    putPage(hart, pfn); // the swap cache's; the entry has the one of this fault
  else dropSlot(hart, slot);
  return FAULT_OK;
}

/** After FAULT_RETRY with hart.faultSlot: reads the slot into the swap cache, or waits for who does. No lock held. */
export function finishSwapIn(hart: Hart): number {
  const slot = hart.faultSlot;
  hart.faultSlot = 0;
  hart.count(COUNTER_PGMAJFAULT);
  const there = swapCacheGet(hart, slot);
  let outcome = FAULT_OK;
  if (there !== 0) {
    waitForPage(hart, pageOf(there));
    putSwapPage(hart, there);
  } else {
    outcome = readIntoCache(hart, slot);
  }
  dropSlot(hart, slot);
  return outcome;
}

/** Reads `slot`, which the caller counts, to the frame: 0 or -EIO. No lock held but that of the page. */
export function readSlot(hart: HartLocal, slot: number, pfn: number): number {
  const { swapStore } = hart;
  if (swapStore === null) return -EIO;
  hart.count(COUNTER_PSWPIN);
  beginHostIo(hart);
  const error = swapStore.read(slot, frameAddress(pfn));
  endHostIo(hart);
  return error === 0 ? 0 : -EIO;
}

/** A user of the slot is gone; where frames may be freed. */
export function dropSlot(hart: HartLocal, slot: number): void {
  const due = swapPut(hart, slot);
  if (due !== 0) putPage(hart, due);
}

/** Requires: the entry for `slot` is there, which the PTL makes sure of. */
function retryLater(hart: Hart, pteAddress: number, pte: number, slot: number): number {
  lockPte(hart, pteAddress);
  const isThere = hart.shared.loadOnce(pteAddress) === pte;
  if (isThere) swapDup(hart, slot);
  unlockPte(hart, pteAddress);
  if (!isThere) return FAULT_OK;
  hart.faultSlot = slot;
  return FAULT_RETRY;
}

/** Requires: PTL. The page is written to in place only if it has left the swap cache. */
function setEntry(
  hart: Hart,
  mm: number,
  vma: number,
  vpn: number,
  pteAddress: number,
  pte: number,
  pfn: number,
  isMine: boolean,
  access: number,
): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  const flags = shared.get(vma + VMA_FLAGS);
  if ((flags & VM_EXEC) !== 0) noteExecutable(hart, pfn);
  // The same in all mms that share the slot: they are of one lineage.
  shared.set(page + PAGE_INDEX, vmaPgoffAt(hart, vma, vpn));
  shared.storeRelease(page + PAGE_MAPPING, shared.get(mm + MM_ANON_VMA));
  shared.fetchAdd(page + PAGE_MAPCOUNT, 1);
  shared.fetchAdd(mm + MM_SWAP, -1);
  const leaf = leafPte(pfn, flags, isMine) | (isMine && access === ACCESS_STORE ? PTE_D : 0);
  shared.storeRelease(pteAddress, isUffdWp(pte) ? setUffdWp(leaf) : leaf);
}

/** A page that could not be read does not stay: who waits for it, and every later fault, tries to read it again. */
function readIntoCache(hart: Hart, slot: number): number {
  const { shared } = hart;
  const pfn = allocUserFrame(hart);
  if (pfn === 0) return FAULT_OOM;
  const page = pageOf(pfn);
  shared.set(page + PAGE_MAPPING, 0);
  shared.storeRelease(page + PAGE_FLAGS, PG_ANON | PG_LOCKED);
  lruAdd(hart, pfn);
  let outcome = FAULT_OK;
  if (swapCacheAdd(hart, slot, pfn)) {
    if (readSlot(hart, slot, pfn) === 0) shared.fetchOr(page + PAGE_FLAGS, PG_UPTODATE);
    else {
      swapCacheDelete(hart, slot, pfn);
      outcome = FAULT_BUS;
    }
  }
  unlockPage(hart, page);
  putSwapPage(hart, pfn);
  return outcome;
}
