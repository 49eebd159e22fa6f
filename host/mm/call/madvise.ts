// madvise. (Linux: mm/madvise.c) Advice about what the kernel does not do (samepage merging, read-ahead,
// dumps) is accepted and changes nothing.

import {
  ACCESS_LOAD,
  ACCESS_STORE,
  MM_KHUGEPAGED,
  VM_DONTCOPY,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_SHARED,
  VM_WIPEONFORK,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import { EFAULT, EINTR, EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { FAULT_BUS, FAULT_OK, FAULT_SEGV_ACCERR } from "../fault/fault-outcome.ts";
import { POPULATE_INTERRUPTED, populateRange } from "../fault/populate.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { gatherBegin, gatherFinish } from "../table/gather.ts";
import { zapRange } from "../table/zap.ts";
import * as advice from "../uapi.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { modifyVma } from "../vma/vma-modify.ts";
import { adviseCold, adviseFree, pageOutRange } from "./madvise-age.ts";
import { collapseRange } from "./madvise-collapse.ts";
import { removeRange } from "./madvise-remove.ts";
import { sealsContents } from "./mseal.ts";
import { isPageAligned, pageAlign, toVpn } from "./range.ts";

/** madvise(2): 0 or -errno. Holes in the range give -ENOMEM, after the rest has been advised. */
export function doMadvise(hart: Hart, mm: number, address: number, length: number, behavior: number): number {
  if (!isValidAdvice(behavior)) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  const bytes = pageAlign(length);
  if ((length !== 0 && bytes === 0) || address + bytes >= 2 ** 64) return -EINVAL;
  if (bytes === 0) return 0;
  const end = Math.min(advice.TASK_BYTES_USER, address + bytes);
  const start = toVpn(Math.min(address, advice.TASK_BYTES_USER));
  const isCut = address + bytes > advice.TASK_BYTES_USER;
  const result = advise(hart, mm, start, toVpn(end), behavior);
  return result === 0 && isCut ? -ENOMEM : result;
}

function advise(hart: Hart, mm: number, start: number, end: number, behavior: number): number {
  switch (behavior) {
    case advice.MADV_POPULATE_READ:
      return populateResult(populateRange(hart, mm, start, end, ACCESS_LOAD));
    case advice.MADV_POPULATE_WRITE:
      return populateResult(populateRange(hart, mm, start, end, ACCESS_STORE));
    case advice.MADV_DONTNEED:
    case advice.MADV_DONTNEED_LOCKED:
    case advice.MADV_FREE:
    case advice.MADV_COLD:
    case advice.MADV_WILLNEED: {
      mmapReadLock(hart, mm);
      const result = walkVmas(hart, mm, start, end, behavior);
      mmapReadUnlock(hart, mm);
      return result;
    }
    case advice.MADV_PAGEOUT:
      return pageOutRange(hart, mm, start, end);
    case advice.MADV_COLLAPSE:
      return collapseRange(hart, mm, start, end);
    case advice.MADV_REMOVE:
      return removeRange(hart, mm, start, end);
    default: {
      relieveVmaPools(hart);
      mmapWriteLock(hart, mm);
      const result = walkVmas(hart, mm, start, end, behavior);
      mmapWriteUnlock(hart, mm);
      return result;
    }
  }
}

/** Applies the advice vma by vma, over holes too; the first error ends it. Requires: mmap_lock. */
function walkVmas(hart: Hart, mm: number, start: number, end: number, behavior: number): number {
  let unmapped = 0;
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) >= end) return -ENOMEM;
    if (vmaStart(hart, vma) > vpn) {
      unmapped = -ENOMEM;
      vpn = vmaStart(hart, vma);
    }
    const partEnd = Math.min(end, vmaEnd(hart, vma));
    const error = adviseVma(hart, mm, vma, vpn, partEnd, behavior);
    if (error !== 0) return error;
    vpn = partEnd;
    hart.pollIrq();
  }
  return unmapped;
}

function adviseVma(hart: Hart, mm: number, vma: number, start: number, end: number, behavior: number): number {
  const flags = vmaFlags(hart, vma);
  if (changesContents(behavior) && sealsContents(hart, vma)) return -EPERM;
  switch (behavior) {
    case advice.MADV_DONTNEED:
      if ((flags & VM_LOCKED) !== 0) return -EINVAL;
      return discard(hart, mm, vma, start, end);
    case advice.MADV_DONTNEED_LOCKED:
      return discard(hart, mm, vma, start, end);
    case advice.MADV_FREE:
      return adviseFree(hart, mm, vma, start, end);
    case advice.MADV_COLD:
      return adviseCold(hart, mm, vma, start, end);
    case advice.MADV_DONTFORK:
      return modifyVma(hart, mm, vma, start, end, flags | VM_DONTCOPY);
    case advice.MADV_DOFORK:
      return modifyVma(hart, mm, vma, start, end, flags & ~VM_DONTCOPY);
    case advice.MADV_HUGEPAGE:
      // (Linux: khugepaged_enter_vma)
      hart.shared.storeRelease(mm + MM_KHUGEPAGED, 1);
      hart.wakeKhugepaged?.();
      return modifyVma(hart, mm, vma, start, end, (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE);
    case advice.MADV_NOHUGEPAGE:
      return modifyVma(hart, mm, vma, start, end, (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE);
    case advice.MADV_WIPEONFORK:
      if ((flags & VM_SHARED) !== 0) return -EINVAL;
      return modifyVma(hart, mm, vma, start, end, flags | VM_WIPEONFORK);
    case advice.MADV_KEEPONFORK:
      return modifyVma(hart, mm, vma, start, end, flags & ~VM_WIPEONFORK);
    default:
      return 0;
  }
}

/** Private pages are gone and read again what is behind them; those of a mapping stay with it. */
function discard(hart: Hart, mm: number, vma: number, start: number, end: number): number {
  gatherBegin(hart, mm);
  zapRange(hart, mm, start, end, false, hart.shared.get(vma + VMA_MAPPING) !== 0);
  gatherFinish(hart);
  return 0;
}

/** Does the advice give pages up, so that what is read there next comes from elsewhere? */
export function removesPages(behavior: number): boolean {
  const { MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE, MADV_REMOVE } = advice;
  return [MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE, MADV_REMOVE].includes(behavior);
}

/** (is_madv_discard) */
function changesContents(behavior: number): boolean {
  return removesPages(behavior) || behavior === advice.MADV_DONTFORK || behavior === advice.MADV_WIPEONFORK;
}

function populateResult(outcome: number): number {
  if (outcome === FAULT_OK) return 0;
  if (outcome === POPULATE_INTERRUPTED) return -EINTR;
  if (outcome === FAULT_SEGV_ACCERR) return -EINVAL;
  return outcome === FAULT_BUS ? -EFAULT : -ENOMEM;
}

function isValidAdvice(behavior: number): boolean {
  if (behavior >= advice.MADV_NORMAL && behavior <= advice.MADV_DONTNEED) return true;
  if (behavior === advice.MADV_REMOVE) return true;
  if (behavior === advice.MADV_FREE || behavior === advice.MADV_DONTNEED_LOCKED) return true;
  if (behavior === advice.MADV_COLLAPSE) return true;
  return behavior >= advice.MADV_DONTFORK && behavior <= advice.MADV_POPULATE_WRITE;
}
