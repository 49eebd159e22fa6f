// mremap: grow, shrink and move mappings. The order of checks is that of Linux's mm/mremap.c (check_mremap_params,
// mremap_to, remap_is_valid); MREMAP_FIXED unmaps the target before the source is checked, as there.

import {
  MM_MAP_COUNT,
  PAGE_BYTES,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_SEALED,
  VM_SHARED,
  VMA_FILE,
  VMA_MAPPING,
  VMA_UFFD,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mayExpandVm } from "../accounting.ts";
import { populateRange } from "../fault/populate.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { enoughMemory } from "../overcommit.ts";
import { mayLockPages } from "../rlimit.ts";
import { movePageTables } from "../table/move-page-tables.ts";
import { MAX_MAP_COUNT, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, TASK_BYTES_USER } from "../uapi.ts";
import { EventBatch, UFFD_EVENT_REMAP } from "../userfaultfd/userfaultfd-events.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { getUnmappedArea } from "../vma/unmapped-area.ts";
import { isAccountable, VM_UFFD, vmaEnd, vmaFlags, vmaPgoffAt, vmaStart, vmaUffd } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { addVma, modifyVma } from "../vma/vma-modify.ts";
import { unmapRange } from "./munmap.ts";
import { isPageAligned, pageAlign, toVpn } from "./range.ts";

/** mremap(2): the address of the mapping afterwards, or -errno. */
export function doMremap(
  hart: Hart,
  mm: number,
  address: number,
  oldLength: number,
  newLength: number,
  flags: number,
  target: number,
): number {
  if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  const newBytes = pageAlign(newLength);
  if (newBytes === 0) return -EINVAL;
  const picksTarget = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (picksTarget) {
    if (!isPageAligned(target) || (flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLength !== newLength) return -EINVAL;
    // Both ranges may be split before the move itself needs room for three more.
    if (hart.shared.get(mm + MM_MAP_COUNT) + 2 >= MAX_MAP_COUNT - 3) return -ENOMEM;
  }
  const oldBytes = pageAlign(oldLength);
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const vma = lookup(hart, mm, address);
  const isLocked = vma !== 0 && (vmaFlags(hart, vma) & VM_LOCKED) !== 0;
  let result: number;
  if (vma === 0) result = -EFAULT;
  else if ((vmaFlags(hart, vma) & VM_SEALED) !== 0) result = -EPERM;
  else if (picksTarget) result = remapTo(hart, mm, address, oldBytes, newBytes, flags, target);
  else result = remapAt(hart, mm, vma, address, oldBytes, newBytes, flags);
  mmapWriteUnlock(hart, mm);
  if (result >= 0 && isLocked && newBytes > oldBytes) {
    populateRange(hart, mm, toVpn(result + oldBytes), toVpn(result + newBytes), null);
  }
  return result;
}

/** To an address that the caller names, or that is chosen anew (MREMAP_DONTUNMAP). Requires: mmap_lock for write. */
function remapTo(
  hart: Hart,
  mm: number,
  address: number,
  oldBytes: number,
  newBytes: number,
  flags: number,
  target: number,
): number {
  if (newBytes > TASK_BYTES_USER || target > TASK_BYTES_USER - newBytes) return -EINVAL;
  if (address + oldBytes > target && target + newBytes > address) return -EINVAL;
  if ((flags & MREMAP_FIXED) !== 0) {
    const error = unmapRange(hart, mm, toVpn(target), toVpn(target + newBytes));
    if (error !== 0) return error;
  }
  let bytes = oldBytes;
  if (oldBytes > newBytes) {
    const error = shrink(hart, mm, address, oldBytes, newBytes);
    if (error !== 0) return error;
    bytes = newBytes;
  }
  const vma = lookup(hart, mm, address);
  if (vma === 0) return -EFAULT;
  const error = remapIsValid(hart, mm, vma, address, bytes, newBytes, flags);
  if (error !== 0) return error;
  const keeps = (flags & MREMAP_DONTUNMAP) !== 0;
  if (keeps && !mayExpandVm(hart, mm, vmaFlags(hart, vma), bytes / PAGE_BYTES)) return -ENOMEM;
  const va = getUnmappedArea(hart, mm, target, newBytes, (flags & MREMAP_FIXED) !== 0);
  return va < 0 ? va : moveVma(hart, mm, vma, address, bytes, newBytes, va, keeps);
}

/** Where it is if possible, else somewhere else if allowed. Requires: mmap_lock for write. */
function remapAt(
  hart: Hart,
  mm: number,
  vma: number,
  address: number,
  oldBytes: number,
  newBytes: number,
  flags: number,
): number {
  if (oldBytes === newBytes) return address;
  if (oldBytes > newBytes) {
    const error = shrink(hart, mm, address, oldBytes, newBytes);
    return error === 0 ? address : error;
  }
  const error = remapIsValid(hart, mm, vma, address, oldBytes, newBytes, flags);
  if (error !== 0) return error;
  if (canExpand(hart, mm, vma, address, oldBytes, newBytes)) {
    return expandInPlace(hart, mm, vma, newBytes - oldBytes) === 0 ? address : -ENOMEM;
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const va = getUnmappedArea(hart, mm, 0, newBytes, false);
  return va < 0 ? va : moveVma(hart, mm, vma, address, oldBytes, newBytes, va, false);
}

/** Cuts the end off; the range need not be mapped as a whole, as for munmap. */
function shrink(hart: Hart, mm: number, address: number, oldBytes: number, newBytes: number): number {
  if (oldBytes - newBytes > TASK_BYTES_USER - (address + newBytes)) return -EINVAL;
  return unmapRange(hart, mm, toVpn(address + newBytes), toVpn(address + oldBytes));
}

function remapIsValid(
  hart: Hart,
  mm: number,
  vma: number,
  address: number,
  oldBytes: number,
  newBytes: number,
  flags: number,
): number {
  const vmFlags = vmaFlags(hart, vma);
  // Length 0 asks for a second mapping of the same pages: only shared ones can have that.
  if (oldBytes === 0 && (vmFlags & VM_SHARED) === 0) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && (vmFlags & VM_DONTEXPAND) !== 0) return -EINVAL;
  if (oldBytes > vmaEnd(hart, vma) * PAGE_BYTES - address) return -EFAULT;
  if (newBytes === oldBytes) return 0;
  if ((vmFlags & VM_DONTEXPAND) !== 0) return -EFAULT;
  const isTooMuch = (vmFlags & VM_LOCKED) !== 0 && !mayLockPages(hart, mm, (newBytes - oldBytes) / PAGE_BYTES);
  if (isTooMuch) return -EAGAIN;
  return mayExpandVm(hart, mm, vmFlags, (newBytes - oldBytes) / PAGE_BYTES) ? 0 : -ENOMEM;
}

/** Is the range the end of its vma, and free what follows? */
function canExpand(hart: Hart, mm: number, vma: number, address: number, oldBytes: number, newBytes: number): boolean {
  const end = vmaEnd(hart, vma);
  if (toVpn(address + oldBytes) !== end || address + newBytes > TASK_BYTES_USER) return false;
  const above = vmaFind(hart, mm, end);
  return above === 0 || vmaStart(hart, above) >= toVpn(address + newBytes);
}

/** The new part is added as an area that continues the vma, so it merges with it, and with what follows. */
function expandInPlace(hart: Hart, mm: number, vma: number, bytes: number): number {
  const flags = vmaFlags(hart, vma);
  if (isAccountable(flags) && !enoughMemory(hart, mm, bytes / PAGE_BYTES)) return -ENOMEM;
  const end = vmaEnd(hart, vma);
  return addVma(
    hart,
    mm,
    end,
    end + bytes / PAGE_BYTES,
    flags,
    hart.shared.get(vma + VMA_MAPPING),
    hart.shared.get(vma + VMA_FILE),
    vmaPgoffAt(hart, vma, end),
    vmaUffd(hart, vma, flags),
  );
}

/** Moves `oldBytes` at `address` of `vma` to `va`, where `newBytes` are free. Returns `va` or -errno. */
function moveVma(
  hart: Hart,
  mm: number,
  vma: number,
  address: number,
  oldBytes: number,
  newBytes: number,
  va: number,
  keeps: boolean,
): number {
  // The source may be split on both sides, and the target is one more.
  if (hart.shared.get(mm + MM_MAP_COUNT) >= MAX_MAP_COUNT - 3) return -ENOMEM;
  // It stays registered if its userfaultfd will hear where it is. (mremap_userfaultfd_prep)
  const events = new EventBatch(hart);
  if (!events.add(vma, UFFD_EVENT_REMAP)) return -ENOMEM;
  const moved = movePages(hart, mm, vma, address, oldBytes, newBytes, va, keeps, events);
  if (moved < 0) events.cancel();
  else events.post(address, va, oldBytes);
  if (moved < 0 || keeps) return moved;
  // Cannot fail for the map count, which was checked; for a full pool it leaves an empty mapping behind.
  const error = unmapRange(hart, mm, toVpn(address), toVpn(address + oldBytes));
  return error === 0 ? va : error;
}

function movePages(
  hart: Hart,
  mm: number,
  vma: number,
  address: number,
  oldBytes: number,
  newBytes: number,
  va: number,
  keeps: boolean,
  events: EventBatch,
): number {
  const uffd = hart.shared.get(vma + VMA_UFFD);
  const staysRegistered = uffd !== 0 && events.find(uffd) !== 0;
  const flags = staysRegistered ? vmaFlags(hart, vma) : vmaFlags(hart, vma) & ~VM_UFFD;
  const charged = keeps ? newBytes : newBytes - oldBytes;
  if (isAccountable(flags) && !enoughMemory(hart, mm, charged / PAGE_BYTES)) return -ENOMEM;
  const from = toVpn(address);
  const to = toVpn(va);
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  const file = hart.shared.get(vma + VMA_FILE);
  const pgoff = vmaPgoffAt(hart, vma, from);
  const added = addVma(hart, mm, to, toVpn(va + newBytes), flags, mapping, file, pgoff, staysRegistered ? uffd : 0);
  if (added !== 0) return added;
  if (!movePageTables(hart, mm, lookup(hart, mm, address), from, to, oldBytes / PAGE_BYTES, staysRegistered)) {
    unmapRange(hart, mm, to, toVpn(va + newBytes), false);
    return -ENOMEM;
  }
  if (!keeps) return va;
  // The vma may have been merged with the new one, if they touch.
  const source = lookup(hart, mm, address);
  const unlocked = vmaFlags(hart, source) & ~VM_LOCKED;
  modifyVma(hart, mm, source, from, toVpn(address + oldBytes), unlocked);
  return va;
}

/** The vma that contains `address`, or 0. */
function lookup(hart: Hart, mm: number, address: number): number {
  if (address >= TASK_BYTES_USER) return 0;
  const vma = vmaFind(hart, mm, toVpn(address));
  return vma !== 0 && vmaStart(hart, vma) <= toVpn(address) ? vma : 0;
}
