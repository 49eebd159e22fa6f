// mlock and its family: what is locked stays in memory. RLIMIT_MEMLOCK binds everybody but root. (Linux: mm/mlock.c)

import {
  MM_FLAGS,
  MM_TOTAL_VM,
  PAGE_BYTES,
  USER_VPN_END,
  VM_LOCKED,
  VM_LOCKONFAULT,
} from "../../../assembly/layout.ts";
import { EAGAIN, EINTR, EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { FAULT_OK, FAULT_OOM } from "../fault/fault-outcome.ts";
import { POPULATE_INTERRUPTED, populateRange } from "../fault/populate.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { isPrivileged, mayLock, mayLockPages, rlimitBytes } from "../rlimit.ts";
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT, RLIMIT_MEMLOCK, TASK_BYTES_USER } from "../uapi.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { modifyVma } from "../vma/vma-modify.ts";
import { pageAlign, toVpn } from "./range.ts";

const LOCK_FLAGS = VM_LOCKED | VM_LOCKONFAULT;

/** mlock2(2), and mlock(2) with flags 0: 0 or -errno. The range grows to whole pages. */
export function doMlock(hart: Hart, mm: number, address: number, length: number, flags: number): number {
  if ((flags & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
  if (!mayLock(hart)) return -EPERM;
  const locked = (flags & MLOCK_ONFAULT) !== 0 ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED;
  const error = lockRange(hart, mm, address, length, locked);
  if (error !== 0 || (flags & MLOCK_ONFAULT) !== 0) return error;
  const start = toVpn(address);
  const outcome = populateRange(hart, mm, start, start + lockedBytes(address, length) / PAGE_BYTES, null);
  if (outcome === FAULT_OK) return 0;
  if (outcome === POPULATE_INTERRUPTED) return -EINTR;
  return outcome === FAULT_OOM ? -EAGAIN : -ENOMEM;
}

/** munlock(2): 0 or -errno. */
export function doMunlock(hart: Hart, mm: number, address: number, length: number): number {
  return lockRange(hart, mm, address, length, 0);
}

/** mlockall(2): 0 or -errno. */
export function doMlockall(hart: Hart, mm: number, flags: number): number {
  const known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
  if (flags === 0 || (flags & ~known) !== 0 || flags === MCL_ONFAULT) return -EINVAL;
  if (!mayLock(hart)) return -EPERM;
  const totalBytes = hart.shared.get(mm + MM_TOTAL_VM) * PAGE_BYTES;
  const isCurrent = (flags & MCL_CURRENT) !== 0;
  if (isCurrent && totalBytes > rlimitBytes(hart, RLIMIT_MEMLOCK) && !isPrivileged(hart)) return -ENOMEM;
  const locked = (flags & MCL_ONFAULT) !== 0 ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED;
  lockAll(hart, mm, (flags & MCL_FUTURE) !== 0 ? locked : 0, isCurrent ? locked : null);
  if ((flags & MCL_CURRENT) !== 0 && (flags & MCL_ONFAULT) === 0) populateAll(hart, mm);
  return 0;
}

/** munlockall(2): 0. */
export function doMunlockall(hart: Hart, mm: number): number {
  lockAll(hart, mm, 0, 0);
  return 0;
}

/** Sets or clears VM_LOCKED in a range without holes. (Linux: apply_vma_lock_flags) */
function lockRange(hart: Hart, mm: number, address: number, length: number, locked: number): number {
  const first = address - (address % PAGE_BYTES);
  const bytes = lockedBytes(address, length);
  if (first + bytes >= 2 ** 64) return -EINVAL;
  if (bytes === 0) return 0;
  if (first + bytes > TASK_BYTES_USER) return -ENOMEM;
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const [start, end] = [toVpn(first), toVpn(first + bytes)];
  const isTooMuch = locked !== 0 && !mayLockPages(hart, mm, end - start - lockedPages(hart, mm, start, end));
  const result = isTooMuch ? -ENOMEM : lockVmas(hart, mm, start, end, locked);
  mmapWriteUnlock(hart, mm);
  return result;
}

/** Whole pages that the range touches; 0 for lengths that wrap, as in 64-bit arithmetic. */
function lockedBytes(address: number, length: number): number {
  return pageAlign(length + (address % PAGE_BYTES));
}

/** Pages of [start, end) that are locked already. Requires: mmap_lock. (count_mm_mlocked_page_nr) */
function lockedPages(hart: Hart, mm: number, start: number, end: number): number {
  let pages = 0;
  for (let vma = vmaFind(hart, mm, start); vma !== 0 && vmaStart(hart, vma) < end; ) {
    const part = Math.min(end, vmaEnd(hart, vma)) - Math.max(start, vmaStart(hart, vma));
    if ((vmaFlags(hart, vma) & VM_LOCKED) !== 0) pages += part;
    vma = vmaFind(hart, mm, vmaEnd(hart, vma));
    hart.pollIrq();
  }
  return pages;
}

/** Requires: mmap_lock for write. */
function lockVmas(hart: Hart, mm: number, start: number, end: number, locked: number): number {
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) > vpn) return -ENOMEM;
    const partEnd = Math.min(end, vmaEnd(hart, vma));
    const error = modifyVma(hart, mm, vma, vpn, partEnd, (vmaFlags(hart, vma) & ~LOCK_FLAGS) | locked);
    if (error !== 0) return error;
    vpn = partEnd;
    hart.pollIrq();
  }
  return 0;
}

/** `future`: flag of mappings to come; `current`: of those that exist, null = as they are. (apply_mlockall_flags) */
function lockAll(hart: Hart, mm: number, future: number, current: number | null): void {
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  hart.shared.set(mm + MM_FLAGS, future);
  for (let vma = vmaFind(hart, mm, 0); current !== null && vma !== 0; ) {
    const end = vmaEnd(hart, vma);
    modifyVma(hart, mm, vma, vmaStart(hart, vma), end, (vmaFlags(hart, vma) & ~LOCK_FLAGS) | current);
    vma = vmaFind(hart, mm, end);
    hart.pollIrq();
  }
  mmapWriteUnlock(hart, mm);
}

function populateAll(hart: Hart, mm: number): void {
  for (let vpn = 0; vpn < USER_VPN_END; ) {
    mmapReadLock(hart, mm);
    const vma = vmaFind(hart, mm, vpn);
    const start = vma === 0 ? USER_VPN_END : Math.max(vpn, vmaStart(hart, vma));
    vpn = vma === 0 ? USER_VPN_END : vmaEnd(hart, vma);
    mmapReadUnlock(hart, mm);
    // What can not be populated (no rights, no memory) stays as it is.
    populateRange(hart, mm, start, vpn, null);
  }
}
