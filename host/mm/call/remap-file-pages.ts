// remap_file_pages(2): other pages of the same file where some are mapped; nowadays only another way to say mmap.
// (Linux: mm/mmap.c)

import {
  PAGE_BYTES,
  VM_EXEC,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  VMA_FILE,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import { EINVAL } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { mappingGet, mappingPut } from "../mapping/mapping.ts";
import * as uapi from "../uapi.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { doMmap } from "./mmap.ts";
import { toVpn } from "./range.ts";

/** 0 or -errno. */
export function doRemapFilePages(
  hart: Hart,
  mm: number,
  address: number,
  length: number,
  prot: number,
  pgoff: number,
  mapFlags: number,
): number {
  const [start, bytes] = [address - (address % PAGE_BYTES), length - (length % PAGE_BYTES)];
  if (prot !== 0 || bytes === 0 || start + bytes > uapi.TASK_BYTES_USER) return -EINVAL;
  mmapReadLock(hart, mm);
  const vma = vmaFind(hart, mm, toVpn(start));
  const isCovered = vma !== 0 && isSharedRange(hart, mm, vma, toVpn(start), toVpn(start + bytes));
  const flags = isCovered ? vmaFlags(hart, vma) : 0;
  const mapping = isCovered ? hart.shared.get(vma + VMA_MAPPING) : 0;
  const file = isCovered ? hart.shared.get(vma + VMA_FILE) : 0;
  // The area goes; what it maps must not.
  mappingGet(hart, mapping);
  if (file !== 0) hart.fileHooks?.get(hart, file);
  mmapReadUnlock(hart, mm);
  if (!isCovered) return -EINVAL;
  const canWrite = (flags & VM_MAYWRITE) !== 0;
  const source = { file, mapping, canRead: true, canWrite, isAppend: false, isNoexec: false };
  const locked = (flags & VM_LOCKED) !== 0 ? uapi.MAP_LOCKED : 0;
  const kind = uapi.MAP_SHARED | uapi.MAP_FIXED | uapi.MAP_POPULATE | locked | (mapFlags & uapi.MAP_NONBLOCK);
  try {
    return Math.min(doMmap(hart, mm, start, bytes, rightsOf(flags), kind, pgoff, source), 0);
  } finally {
    if (file !== 0) hart.fileHooks?.put(hart, file);
    mappingPut(hart, mapping);
  }
}

/** Do areas like `vma` cover all of [start, end)? Requires: mmap_lock. */
function isSharedRange(hart: Hart, mm: number, vma: number, start: number, end: number): boolean {
  const { shared } = hart;
  const flags = vmaFlags(hart, vma);
  const mapping = shared.get(vma + VMA_MAPPING);
  if (vmaStart(hart, vma) > start || (flags & VM_SHARED) === 0 || mapping === 0) return false;
  for (let at = vma, vpn = vmaEnd(hart, vma); vpn < end; vpn = vmaEnd(hart, at)) {
    at = vmaFind(hart, mm, vpn);
    if (at === 0 || vmaStart(hart, at) > vpn) return false;
    if (vmaFlags(hart, at) !== flags || shared.get(at + VMA_MAPPING) !== mapping) return false;
  }
  return true;
}

function rightsOf(flags: number): number {
  return (
    ((flags & VM_READ) !== 0 ? uapi.PROT_READ : 0) |
    ((flags & VM_WRITE) !== 0 ? uapi.PROT_WRITE : 0) |
    ((flags & VM_EXEC) !== 0 ? uapi.PROT_EXEC : 0)
  );
}
