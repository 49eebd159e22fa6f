// mmap. (Linux: do_mmap and mmap_region in mm/mmap.c, mm/vma.c)

import {
  MAPPING_SHMEM,
  MM_FLAGS,
  MM_MAP_COUNT,
  PAGE_BYTES,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
} from "../../../assembly/layout.ts";
import { EAGAIN, EEXIST, EINVAL, ENOMEM, EOVERFLOW, EPERM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mayExpandVm } from "../accounting.ts";
import { populateRange } from "../fault/populate.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { fileVmFlags, type MappedFile, sealedVmFlags } from "../mapping/mapped-file.ts";
import { MAPPING_INDEX_END, mappingCommit, mappingCreate, mappingPut } from "../mapping/mapping.ts";
import { enoughMemory, OVERCOMMIT_NEVER, overcommitMode } from "../overcommit.ts";
import { mayLock, mayLockPages } from "../rlimit.ts";
import {
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_TYPE,
  MAX_MAP_COUNT,
  MMAP_MIN_ADDR,
} from "../uapi.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { getUnmappedArea } from "../vma/unmapped-area.ts";
import { isAccountable, protFlags, vmaEnd, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { addVma } from "../vma/vma-modify.ts";
import { unmapRange } from "./munmap.ts";
import { pageAlign, toVpn } from "./range.ts";

const PGOFF_END = 2 ** 52; // page offsets of 64-bit byte offsets

/**
 * mmap(2): the address or -errno. `source`: the file, null with MAP_ANONYMOUS; `pgoff` in pages. May wait for flushes,
 * and for the host where it populates. The caller holds a reference on the file, and no lock.
 */
export function doMmap(
  hart: Hart,
  mm: number,
  address: number,
  length: number,
  prot: number,
  mapFlags: number,
  pgoff: number,
  source: MappedFile | null = null,
): number {
  // No hugetlbfs: no huge page size is known.
  if ((mapFlags & MAP_HUGETLB) !== 0) return -EINVAL;
  if (length === 0) return -EINVAL;
  const bytes = pageAlign(length);
  if (bytes === 0) return -ENOMEM;
  if (pgoff + bytes / PAGE_BYTES > (source === null ? PGOFF_END : MAPPING_INDEX_END)) return -EOVERFLOW;
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const result = mmapLocked(hart, mm, address, bytes, prot, mapFlags, pgoff, source);
  const populates =
    (mapFlags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE ||
    ((mapFlags & MAP_LOCKED) | (hart.shared.get(mm + MM_FLAGS) & VM_LOCKED)) !== 0;
  mmapWriteUnlock(hart, mm);
  // What can not be populated is faulted in later: mmap has succeeded.
  if (result >= 0 && populates) populateRange(hart, mm, toVpn(result), toVpn(result + bytes), null);
  return result;
}

/** Requires: mmap_lock for write. */
function mmapLocked(
  hart: Hart,
  mm: number,
  address: number,
  bytes: number,
  prot: number,
  mapFlags: number,
  pgoff: number,
  source: MappedFile | null,
): number {
  if (hart.shared.get(mm + MM_MAP_COUNT) > MAX_MAP_COUNT) return -ENOMEM;
  const fixed = (mapFlags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  const va = getUnmappedArea(hart, mm, fixed ? address : hintAddress(address), bytes, fixed);
  if (va < 0) return va;
  const start = toVpn(va);
  const end = toVpn(va + bytes);
  if ((mapFlags & MAP_FIXED_NOREPLACE) !== 0 && mappedPages(hart, mm, start, end) !== 0) return -EEXIST;
  const wanted = vmFlagsOf(hart, prot, mapFlags) | hart.shared.get(mm + MM_FLAGS);
  const flags = source === null ? anonymousVmFlags(mapFlags, wanted) : fileVmFlags(source, prot, mapFlags, wanted);
  if (flags < 0) return flags;
  if ((mapFlags & MAP_LOCKED) !== 0 && !mayLock(hart)) return -EPERM;
  if ((flags & VM_LOCKED) !== 0 && !mayLockPages(hart, mm, end - start)) return -EAGAIN;
  const error = mmapRegion(hart, mm, start, end, flags, pgoff, source);
  return error === 0 ? va : error;
}

/** Replaces whatever lies in [start, end) by a new mapping. 0 or -errno. Requires: mmap_lock for write. */
export function mmapRegion(
  hart: Hart,
  mm: number,
  start: number,
  end: number,
  flags: number,
  pgoff = 0,
  source: MappedFile | null = null,
): number {
  const pages = end - start;
  if (!mayExpandVm(hart, mm, flags, pages - mappedPages(hart, mm, start, end))) return -ENOMEM;
  const error = unmapRange(hart, mm, start, end);
  if (error !== 0) return error;
  const isSharedMemory = source === null && (flags & (VM_SHARED | VM_NORESERVE)) === VM_SHARED;
  if ((isAccountable(flags) || isSharedMemory) && !enoughMemory(hart, mm, pages)) return -ENOMEM;
  if (source !== null) {
    const allowed = sealedVmFlags(hart, source.mapping, flags);
    return allowed < 0 ? allowed : addVma(hart, mm, start, end, allowed, source.mapping, source.file, pgoff);
  }
  // Private anonymous pages are numbered by their first address, so that what is adjacent can merge.
  if ((flags & VM_SHARED) === 0) return addVma(hart, mm, start, end, flags, 0, 0, start);
  const mapping = mappingCreate(hart, MAPPING_SHMEM, pages * PAGE_BYTES);
  if (mapping === 0) return -ENOMEM;
  if (isSharedMemory) mappingCommit(hart, mapping, pages);
  const result = addVma(hart, mm, start, end, flags, mapping, 0, 0);
  mappingPut(hart, mapping); // the vma has its own
  return result;
}

/** Pages of [start, end) that some vma covers. */
export function mappedPages(hart: Hart, mm: number, start: number, end: number): number {
  let pages = 0;
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) >= end) break;
    vpn = Math.min(end, vmaEnd(hart, vma));
    pages += vpn - Math.max(start, vmaStart(hart, vma));
  }
  return pages;
}

/** A hint below vm.mmap_min_addr means the lowest address allowed. (Linux: round_hint_to_min) */
function hintAddress(address: number): number {
  const page = toVpn(address) * PAGE_BYTES;
  return page !== 0 && page < MMAP_MIN_ADDR ? MMAP_MIN_ADDR : page;
}

/** `flags` with VM_SHARED as the call asks for, or -EINVAL. */
function anonymousVmFlags(mapFlags: number, flags: number): number {
  const kind = mapFlags & MAP_TYPE;
  if (kind === MAP_PRIVATE) return flags;
  if (kind !== MAP_SHARED || (mapFlags & MAP_GROWSDOWN) !== 0) return -EINVAL;
  return flags | VM_SHARED | VM_MAYSHARE;
}

function vmFlagsOf(hart: Hart, prot: number, mapFlags: number): number {
  let flags = protFlags(prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  if ((mapFlags & MAP_GROWSDOWN) !== 0) flags |= VM_GROWSDOWN;
  if ((mapFlags & MAP_LOCKED) !== 0) flags |= VM_LOCKED;
  if ((mapFlags & MAP_NORESERVE) !== 0 && overcommitMode(hart.shared) !== OVERCOMMIT_NEVER) flags |= VM_NORESERVE;
  return flags;
}
