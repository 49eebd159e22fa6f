// Where a mapping goes. (Linux: __get_unmapped_area, arch_get_unmapped_area_topdown in mm/mmap.c)

import { MM_MMAP_BASE, PAGE_BYTES } from "../../../assembly/layout.ts";
import { EINVAL, ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { isPageAligned, pageAlign, toVpn } from "../call/range.ts";
import { MMAP_MIN_ADDR, TASK_BYTES_USER, TASK_UNMAPPED_BASE } from "../uapi.ts";
import { vmaEnd, vmaStartGap } from "./vma.ts";
import { gapBelow, NO_GAP, vmaFind, vmaFindBelow } from "./vma-map.ts";

/**
 * Address for `length` bytes (whole pages) or -errno: `hint` itself if `fixed`, else `hint` when it is free, else the
 * highest hole below the mmap base. Requires: mmap_lock for write.
 */
export function getUnmappedArea(hart: Hart, mm: number, hint: number, length: number, fixed: boolean): number {
  if (length > TASK_BYTES_USER - MMAP_MIN_ADDR) return -ENOMEM;
  if (fixed) {
    if (hint > TASK_BYTES_USER - length) return -ENOMEM;
    return isPageAligned(hint) ? hint : -EINVAL;
  }
  if (hint !== 0) {
    const wish = pageAlign(hint);
    if (wish >= MMAP_MIN_ADDR && wish <= TASK_BYTES_USER - length && isHole(hart, mm, wish, length)) return wish;
  }
  const low = toVpn(MMAP_MIN_ADDR);
  const base = toVpn(hart.shared.getF64(mm + MM_MMAP_BASE));
  const below = searchTopDown(hart, mm, low, base, toVpn(length));
  if (below !== NO_GAP) return below * PAGE_BYTES;
  // Full below the base: anywhere between a third of user space and its end. (Linux searches this part upward.)
  const above = searchTopDown(hart, mm, toVpn(TASK_UNMAPPED_BASE), toVpn(TASK_BYTES_USER), toVpn(length));
  return above === NO_GAP ? -ENOMEM : above * PAGE_BYTES;
}

/** Is [address, address + length) free, and not in the guard gap of a stack above it? */
function isHole(hart: Hart, mm: number, address: number, length: number): boolean {
  const start = toVpn(address);
  const above = vmaFind(hart, mm, start);
  if (above !== 0 && toVpn(address + length) > vmaStartGap(hart, above)) return false;
  const below = vmaFindBelow(hart, mm, start);
  return below === 0 || vmaEnd(hart, below) <= start;
}

/** gapBelow, kept clear of the guard gap of a stack that lies above the hole. */
function searchTopDown(hart: Hart, mm: number, low: number, top: number, pages: number): number {
  for (let high = top; ; ) {
    const start = gapBelow(hart, mm, low, high, pages);
    if (start === NO_GAP) return NO_GAP;
    const above = vmaFind(hart, mm, start);
    const limit = above === 0 ? high : vmaStartGap(hart, above);
    if (start + pages <= limit) return start;
    high = limit;
  }
}
