// MADV_COLLAPSE: huge pages now, whether the area wants them or not. (Linux: madvise_collapse in mm/khugepaged.c)

import { RUN_FRAMES } from "../../../assembly/layout.ts";
import { EAGAIN, EINVAL, ENOMEM } from "../../memory/errno.ts";
import { rcuQuiescent } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";
import {
  COLLAPSE_IS_HUGE,
  COLLAPSE_NO_RUN,
  COLLAPSE_NOT_ELIGIBLE,
  COLLAPSE_SWAPPED,
  COLLAPSED,
  collapse,
  mayCollapse,
} from "../huge/collapse.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { vmaEnd, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

/** madvise(2) on the vpns [start, end): 0 or -errno. Takes mmap_lock itself. */
export function collapseRange(hart: Hart, mm: number, start: number, end: number): number {
  let unmapped = 0;
  for (let vpn = start; vpn < end; ) {
    mmapReadLock(hart, mm);
    const vma = vmaFind(hart, mm, vpn);
    const first = vma === 0 ? end : vmaStart(hart, vma);
    const partEnd = vma === 0 ? end : Math.min(end, vmaEnd(hart, vma));
    const isEligible = vma !== 0 && mayCollapse(hart, vma);
    mmapReadUnlock(hart, mm);
    if (first >= end) return -ENOMEM;
    if (first > vpn) unmapped = -ENOMEM;
    if (!isEligible) return -EINVAL;
    const error = collapsePart(hart, mm, Math.max(first, vpn), partEnd);
    if (error !== 0) return error;
    vpn = partEnd;
  }
  return unmapped;
}

/** What lies in one vma. The last failure counts, but only some end it. */
function collapsePart(hart: Hart, mm: number, start: number, end: number): number {
  let failure = 0;
  for (let base = (start + RUN_FRAMES - 1) & -RUN_FRAMES; base + RUN_FRAMES <= end; base += RUN_FRAMES) {
    const result = collapse(hart, mm, base, false);
    if (result !== COLLAPSED && result !== COLLAPSE_IS_HUGE) failure = errnoOf(result);
    if (result === COLLAPSE_NO_RUN || result === COLLAPSE_NOT_ELIGIBLE) return failure;
    hart.pollIrq();
    rcuQuiescent(hart); // a range may take seconds
  }
  return failure;
}

function errnoOf(result: number): number {
  if (result === COLLAPSE_NO_RUN) return -ENOMEM;
  return result === COLLAPSE_SWAPPED ? -EAGAIN : -EINVAL;
}
