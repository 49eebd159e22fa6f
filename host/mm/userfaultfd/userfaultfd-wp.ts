// Write protection by userfaultfd: takes the right to write from pages, and gives it back. An entry that is empty may
// get a marker, so that what comes there is protected too. (Linux: mm/userfaultfd.c mwriteprotect_range)

import { UFFD_FEATURES, VM_UFFD_WP, VMA_MAPPING, VMA_UFFD } from "../../../assembly/layout.ts";
import { ENOENT, ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { isExclusive } from "../fault/anon.ts";
import { splitHuge } from "../huge/huge-split.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { gatherBegin, gatherFinish, gatherPte, gatherUnlock } from "../table/gather.ts";
import { allocPte, findPte } from "../table/page-table.ts";
import {
  clearUffdWp,
  isSwapPte,
  isUffdWp,
  POISON_MARKER,
  PTE_BYTES,
  pteModify,
  ptePfn,
  setUffdWp,
  WP_MARKER,
} from "../table/pte.ts";
import { chunkEnd, lockPte, unlockPte } from "../table/pte-lock.ts";
import { clearPte, setNewPte } from "../table/set-pte.ts";
import { skipMissingTable } from "../table/zap.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

/** In UFFD_FEATURES: pages that are not there can be write-protected too. */
export const UFFD_FEATURE_WP_UNPOPULATED = 1 << 13;

/**
 * Takes the right to write from the pages that the vpns [start, end) have, or gives it back: all their vmas must be
 * registered for that. 0 or -errno. (mwriteprotect_range)
 */
export function writeProtectPages(hart: Hart, mm: number, start: number, end: number, protects: boolean): number {
  let result = -ENOENT;
  mmapReadLock(hart, mm);
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) >= end) break;
    result = (vmaFlags(hart, vma) & VM_UFFD_WP) === 0 ? -ENOENT : 0;
    if (result !== 0) break;
    const partEnd = Math.min(end, vmaEnd(hart, vma));
    result = markRange(hart, mm, vma, Math.max(vpn, vmaStart(hart, vma)), partEnd, protects);
    if (result !== 0) break;
    vpn = partEnd;
  }
  mmapReadUnlock(hart, mm);
  return result;
}

/**
 * Sets or clears the marks of [start, end) of one vma: 0, or -ENOMEM if there is no table for a mark. Requires:
 * mmap_lock. (uffd_wp_range)
 */
export function markRange(hart: Hart, mm: number, vma: number, start: number, end: number, protects: boolean): number {
  const usesMarkers = protects && marksVacant(hart, vma);
  let result = 0;
  gatherBegin(hart, mm);
  for (let vpn = start; vpn < end; ) {
    splitHuge(hart, mm, vpn); // of the time before userfaultfd: there are no more
    const pte = usesMarkers ? allocPte(hart, mm, vpn) : findPte(hart, mm, vpn);
    if (pte === 0 && usesMarkers) {
      result = -ENOMEM;
      break;
    }
    if (pte === 0) {
      vpn = skipMissingTable(hart, mm, vpn);
      continue;
    }
    const next = chunkEnd(vpn, end);
    markChunk(hart, vma, pte, vpn, next, protects, usesMarkers);
    vpn = next;
    hart.pollIrq();
  }
  gatherFinish(hart);
  return result;
}

/** Is the protection of what is not there remembered? (userfaultfd_wp_use_markers) */
function marksVacant(hart: Hart, vma: number): boolean {
  const { shared } = hart;
  if (shared.get(vma + VMA_MAPPING) !== 0) return true;
  const context = shared.get(vma + VMA_UFFD);
  return context !== 0 && (shared.loadOnce(context + UFFD_FEATURES) & UFFD_FEATURE_WP_UNPOPULATED) !== 0;
}

function markChunk(
  hart: Hart,
  vma: number,
  first: number,
  start: number,
  end: number,
  protects: boolean,
  usesMarkers: boolean,
): void {
  const { shared } = hart;
  const flags = vmaFlags(hart, vma);
  lockPte(hart, first);
  for (let vpn = start, pte = first; vpn < end; vpn++, pte += PTE_BYTES) {
    for (;;) {
      const old = shared.loadOnce(pte);
      if (old === 0 && usesMarkers) setNewPte(hart, pte, WP_MARKER);
      if (old === 0 || old === POISON_MARKER || isUffdWp(old) === protects) break;
      if (old === WP_MARKER) {
        clearPte(hart, pte);
        break;
      }
      // A walker may set A or D in between: then look again.
      if (shared.compareExchange(pte, old, marked(hart, old, flags, protects)) !== old) continue;
      if (protects && !isSwapPte(old)) gatherPte(hart, vpn);
      break;
    }
  }
  gatherUnlock(hart);
  unlockPte(hart, first);
}

/** The entry with or without the mark. Requires: its lock. */
function marked(hart: Hart, pte: number, flags: number, protects: boolean): number {
  if (protects) return setUffdWp(pte);
  const clean = clearUffdWp(pte);
  return isSwapPte(clean) ? clean : pteModify(clean, flags, isExclusive(hart, ptePfn(clean), flags));
}
