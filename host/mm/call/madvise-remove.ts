// MADV_REMOVE: a hole where shared pages were, in the mapping itself. (Linux: madvise_remove)

import { PAGE_BYTES, VM_LOCKED, VM_SHARED, VM_WRITE, VMA_MAPPING } from "../../../assembly/layout.ts";
import { EACCES, EINVAL, ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { mappingGet, mappingPut } from "../mapping/mapping.ts";
import { mappingPunch } from "../mapping/mapping-io.ts";
import { vmaEnd, vmaFlags, vmaPgoffAt, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

/** 0 or -errno; mmap_lock is dropped around each hole, so the vmas may change meanwhile, as in Linux. */
export function removeRange(hart: Hart, mm: number, start: number, end: number): number {
  let unmapped = 0;
  for (let vpn = start; vpn < end; ) {
    mmapReadLock(hart, mm);
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) >= end) {
      mmapReadUnlock(hart, mm);
      return -ENOMEM;
    }
    if (vmaStart(hart, vma) > vpn) {
      unmapped = -ENOMEM;
      vpn = vmaStart(hart, vma);
    }
    const partEnd = Math.min(end, vmaEnd(hart, vma));
    const error = mayRemove(hart, vma);
    const mapping = hart.shared.get(vma + VMA_MAPPING);
    const position = vmaPgoffAt(hart, vma, vpn) * PAGE_BYTES;
    if (error === 0) mappingGet(hart, mapping);
    mmapReadUnlock(hart, mm);
    if (error !== 0) return error;
    const punched = mappingPunch(hart, mapping, position, (partEnd - vpn) * PAGE_BYTES);
    mappingPut(hart, mapping);
    if (punched !== 0) return punched;
    vpn = partEnd;
    hart.pollIrq();
  }
  return unmapped;
}

function mayRemove(hart: Hart, vma: number): number {
  const flags = vmaFlags(hart, vma);
  if ((flags & VM_LOCKED) !== 0 || hart.shared.get(vma + VMA_MAPPING) === 0) return -EINVAL;
  return (flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE) ? 0 : -EACCES;
}
