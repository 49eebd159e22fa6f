// mseal(2): areas that stay where they are, with the rights they have, until the program ends. (Linux: mm/mseal.c)

import { VM_SEALED, VM_SHARED, VM_WRITE, VMA_MAPPING } from "../../../assembly/layout.ts";
import { EINVAL, ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { TASK_BYTES_USER } from "../uapi.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { vmaEnd, vmaFlags } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { modifyVma } from "../vma/vma-modify.ts";
import { mappedPages } from "./mmap.ts";
import { isPageAligned, pageAlign, toVpn } from "./range.ts";

/** 0 or -errno; nothing is sealed unless all of it is mapped. */
export function doMseal(hart: Hart, mm: number, address: number, length: number, flags: number): number {
  const bytes = pageAlign(length);
  if (flags !== 0 || !isPageAligned(address) || (length !== 0 && bytes === 0)) return -EINVAL;
  if (address + bytes >= 2 ** 64) return -EINVAL;
  if (bytes === 0) return 0;
  if (address + bytes > TASK_BYTES_USER) return -ENOMEM;
  const [start, end] = [toVpn(address), toVpn(address + bytes)];
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const result = mappedPages(hart, mm, start, end) === end - start ? sealRange(hart, mm, start, end) : -ENOMEM;
  mmapWriteUnlock(hart, mm);
  return result;
}

/** Requires: mmap_lock for write. */
function sealRange(hart: Hart, mm: number, start: number, end: number): number {
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    const last = Math.min(end, vmaEnd(hart, vma));
    const error = modifyVma(hart, mm, vma, vpn, last, vmaFlags(hart, vma) | VM_SEALED);
    if (error !== 0) return error;
    vpn = last;
    hart.pollIrq();
  }
  return 0;
}

/** Would giving up pages change what a sealed area shows, which nobody may write? (Linux: can_modify_vma_madv) */
export function sealsContents(hart: Hart, vma: number): boolean {
  const flags = vmaFlags(hart, vma);
  const isPrivate = (flags & VM_SHARED) === 0 && hart.shared.get(vma + VMA_MAPPING) === 0;
  return (flags & VM_SEALED) !== 0 && isPrivate && (flags & VM_WRITE) === 0;
}
