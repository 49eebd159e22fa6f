// msync: nothing has a file behind it yet, so only the checks are left. (Linux: mm/msync.c)

import { VM_LOCKED } from "../../../assembly/layout.ts";
import { EBUSY, EINVAL, ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC, TASK_BYTES_USER } from "../uapi.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { isPageAligned, pageAlign, toVpn } from "./range.ts";

/** msync(2): 0 or -errno. */
export function doMsync(hart: Hart, mm: number, address: number, length: number, flags: number): number {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return -EINVAL;
  const bytes = pageAlign(length);
  if (address + bytes >= 2 ** 64) return -ENOMEM;
  if (bytes === 0) return 0;
  if (address >= TASK_BYTES_USER) return -ENOMEM;
  mmapReadLock(hart, mm);
  const result = syncVmas(hart, mm, toVpn(address), toVpn(address + bytes), flags);
  mmapReadUnlock(hart, mm);
  return result;
}

/** Requires: mmap_lock for read. */
function syncVmas(hart: Hart, mm: number, start: number, end: number, flags: number): number {
  let unmapped = 0;
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0) return -ENOMEM;
    if (vmaStart(hart, vma) > vpn) {
      if (vmaStart(hart, vma) >= end) return -ENOMEM;
      unmapped = -ENOMEM;
    }
    if ((flags & MS_INVALIDATE) !== 0 && (vmaFlags(hart, vma) & VM_LOCKED) !== 0) return -EBUSY;
    vpn = vmaEnd(hart, vma);
  }
  return unmapped;
}
