// munmap: vmas first, then their pages, then the page tables that are empty now. (Linux: do_vmi_munmap in mm/vma.c)

import { MM_MAP_COUNT, PAGE_BYTES, VM_SEALED, VMA_UFFD } from "../../../assembly/layout.ts";
import { EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadUnlock, mmapWriteDowngrade, mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { gatherBegin, gatherClose, gatherFinish, gatherSettle } from "../table/gather.ts";
import { levelPages } from "../table/page-table.ts";
import { freeEmptyTables, zapRange } from "../table/zap.ts";
import { MAX_MAP_COUNT, TASK_BYTES_USER } from "../uapi.ts";
import { EventBatch, UFFD_EVENT_UNMAP } from "../userfaultfd/userfaultfd-events.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { settle, VmaTransaction } from "../vma/vma-transaction.ts";
import { isPageAligned, pageAlign, toVpn } from "./range.ts";

/** munmap(2): 0 or -errno. When it returns 0, no hart can reach the pages any more. */
export function doMunmap(hart: Hart, mm: number, address: number, length: number): number {
  if (!isPageAligned(address) || address > TASK_BYTES_USER || length > TASK_BYTES_USER - address) return -EINVAL;
  if (length === 0) return -EINVAL;
  relieveVmaPools(hart);
  const start = toVpn(address);
  const end = toVpn(address + pageAlign(length));
  mmapWriteLock(hart, mm);
  const cut = cutRange(hart, mm, start, end);
  if (cut <= 0) {
    mmapWriteUnlock(hart, mm);
    return cut;
  }
  // The vmas are gone: faults there find nothing, and a new mapping needs the lock for write. So the pages, which are
  // most of the work, can go while others fault elsewhere.
  const tablesStay = eachTableIsUsed(hart, mm, start, end);
  mmapWriteDowngrade(hart, mm);
  gatherBegin(hart, mm);
  zapRange(hart, mm, start, end);
  gatherSettle(hart);
  mmapReadUnlock(hart, mm);
  gatherClose(hart);
  if (!tablesStay) freeTables(hart, mm, start, end);
  return 0;
}

/** Does each table that translates part of [start, end) translate part of a vma that is left? Requires: mmap_lock. */
function eachTableIsUsed(hart: Hart, mm: number, start: number, end: number): boolean {
  const pages = levelPages(1);
  for (let first = start & -pages; first < end; first += pages) {
    const vma = vmaFind(hart, mm, first);
    if (vma === 0 || vmaStart(hart, vma) >= first + pages) return false;
  }
  return true;
}

/** Tables need the lock for write: a fault next door may be about to fill an entry of one that is still empty. */
function freeTables(hart: Hart, mm: number, start: number, end: number): void {
  mmapWriteLock(hart, mm);
  gatherBegin(hart, mm);
  freeEmptyTables(hart, mm, start, end);
  gatherFinish(hart);
  mmapWriteUnlock(hart, mm);
}

/**
 * Unmaps the vpns [start, end): 0, or -ENOMEM or -EPERM with nothing changed. `tells`: userfaultfds hear of it, and the
 * caller's call is one that waits for that (afterEvents). Requires: mmap_lock for write. Waits.
 */
export function unmapRange(hart: Hart, mm: number, start: number, end: number, tells = true): number {
  const cut = cutRange(hart, mm, start, end, tells);
  if (cut <= 0) return cut;
  gatherBegin(hart, mm);
  zapRange(hart, mm, start, end);
  freeEmptyTables(hart, mm, start, end);
  gatherFinish(hart);
  return 0;
}

/** Takes [start, end) out of the vmas: 1, 0 if nothing was there, or -errno. Requires: mmap_lock for write. */
function cutRange(hart: Hart, mm: number, start: number, end: number, tells = true): number {
  if (start === end) return 0; // mremap of length 0 has nothing to take away
  const first = vmaFind(hart, mm, start);
  if (first === 0 || vmaStart(hart, first) >= end) return 0;
  // The only case that makes a vma more: AAAA -> A..A. (Linux lets the other splits pass the limit.)
  const splits = vmaStart(hart, first) < start && vmaEnd(hart, first) > end;
  if (splits && hart.shared.get(mm + MM_MAP_COUNT) >= MAX_MAP_COUNT) return -ENOMEM;
  const change = new VmaTransaction(hart, mm);
  let events: EventBatch | null = null;
  let done = true;
  let sealed = false;
  for (let vma = first; done && vma !== 0 && vmaStart(hart, vma) < end; vma = vmaFind(hart, mm, vmaEnd(hart, vma))) {
    if ((vmaFlags(hart, vma) & VM_SEALED) !== 0) sealed = true;
    if (tells && hart.shared.get(vma + VMA_UFFD) !== 0) {
      events ??= new EventBatch(hart);
      done = events.add(vma, UFFD_EVENT_UNMAP);
    }
    done &&= !sealed && cutOut(hart, change, vma, start, end);
    hart.pollIrq();
  }
  const error = settle(change, done, sealed ? EPERM : ENOMEM);
  if (error === 0) events?.post(start * PAGE_BYTES, end * PAGE_BYTES);
  else events?.cancel();
  return error !== 0 ? error : 1;
}

/** Removes from `vma` what lies in [start, end). */
function cutOut(hart: Hart, change: VmaTransaction, vma: number, start: number, end: number): boolean {
  const first = vmaStart(hart, vma);
  const last = vmaEnd(hart, vma);
  if (first >= start && last <= end) return change.remove(vma);
  if (first >= start) return change.resize(vma, end, last);
  if (last <= end) return change.resize(vma, first, start);
  return change.resize(vma, first, start) && change.carve(vma, end, last, vmaFlags(hart, vma));
}
