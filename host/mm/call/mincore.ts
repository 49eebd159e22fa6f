// mincore: which pages are resident. (Linux: mm/mincore.c)

import { HART_BUFFER, PAGE_BYTES, VMA_MAPPING } from "../../../assembly/layout.ts";
import { EFAULT, EINTR, EINVAL, ENOMEM } from "../../memory/errno.ts";
import { rcuQuiescent } from "../../memory/rcu.ts";
import { fatalSignalPending } from "../../memory/signal-pending.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { mappingHas } from "../mapping/page-cache.ts";
import { loadPte } from "../table/page-table.ts";
import { isMarker, isSwapPte } from "../table/pte.ts";
import { copyToUser } from "../uaccess.ts";
import { vmaEnd, vmaPgoffAt, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { isPageAligned, isUserRange, toVpn } from "./range.ts";

/** Pages reported per round; their bytes pass through the hart's bounce buffer. */
const ROUND_PAGES = 4096;

/** mincore(2): 0 or -errno; one byte per page to user `vector`. */
export function doMincore(hart: Hart, mm: number, address: number, length: number, vector: number): number {
  if (!isPageAligned(address)) return -EINVAL;
  if (!isUserRange(address, length)) return -ENOMEM;
  const pages = Math.ceil(length / PAGE_BYTES);
  if (!isUserRange(vector, pages)) return -EFAULT;
  const buffer = hart.base + HART_BUFFER;
  for (let done = 0; done < pages; ) {
    const count = Math.min(pages - done, ROUND_PAGES);
    mmapReadLock(hart, mm);
    const filled = fillVector(hart, mm, toVpn(address) + done, count, buffer);
    mmapReadUnlock(hart, mm);
    if (filled === 0) return -ENOMEM;
    if (copyToUser(hart, vector + done, buffer, filled) !== 0) return -EFAULT;
    done += filled;
    hart.pollIrq();
    rcuQuiescent(hart); // a range may take seconds
    if (fatalSignalPending(hart)) return -EINTR;
  }
  return 0;
}

/** Bytes written: up to `count`, and no further than the vma that contains `vpn`; 0 if there is none. */
function fillVector(hart: Hart, mm: number, vpn: number, count: number, buffer: number): number {
  const vma = vmaFind(hart, mm, vpn);
  if (vma === 0 || vmaStart(hart, vma) > vpn) return 0;
  const filled = Math.min(count, vmaEnd(hart, vma) - vpn);
  for (let i = 0; i < filled; i++) hart.shared.u8[buffer + i] = isResident(hart, mm, vma, vpn + i) ? 1 : 0;
  return filled;
}

function isResident(hart: Hart, mm: number, vma: number, vpn: number): boolean {
  const entry = loadPte(hart, mm, vpn);
  if (entry !== 0 && !isMarker(entry)) return !isSwapPte(entry);
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  return mapping !== 0 && mappingHas(hart, mapping, vmaPgoffAt(hart, vma, vpn));
}
