// UFFDIO_MOVE: private pages go from one place of an address space to another, without a copy. (Linux: move_pages in
// mm/userfaultfd.c) With mmap_lock held for write, a page at a time: so nobody faults meanwhile.

import {
  ACCESS_LOAD,
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MM_ANON_VMA,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PG_SWAPCACHE,
  PTE_D,
  VM_EXEC,
  VM_LOCKED,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  VMA_MAPPING,
  VMA_UFFD,
} from "../../../assembly/layout.ts";
import { EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM } from "../../memory/errno.ts";
import { UserFaultWait } from "../../memory/errors.ts";
import type { Hart } from "../../policy/hart.ts";
import { toVpn } from "../call/range.ts";
import { isExclusive } from "../fault/anon.ts";
import { handlePageFault } from "../fault/fault.ts";
import { FAULT_OK, FAULT_USERFAULT } from "../fault/fault-outcome.ts";
import { pageOf } from "../frame/page.ts";
import { putPage } from "../frame/page-refs.ts";
import { splitHuge } from "../huge/huge-split.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { makeRoom } from "../reclaim/make-room.ts";
import { swapDetach } from "../reclaim/swap-map.ts";
import { rmapLock, rmapUnlock } from "../rmap/rmap-link.ts";
import { gatherBegin, gatherFinish, gatherPte, gatherUnlock } from "../table/gather.ts";
import { allocPte, findPte } from "../table/page-table.ts";
import { isMarker, isSwapPte, leafPte, pteIsDirty, ptePfn } from "../table/pte.ts";
import { lockTwoPtes, unlockTwoPtes } from "../table/pte-lock.ts";
import { clearPte, setNewPte } from "../table/set-pte.ts";
import { vmaEnd, vmaFlags, vmaPgoffAt, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

/** The page is in swap: it has to come back before it can be moved. */
const NEEDS_PAGE = 1;

/** Moves [source, source + bytes) to `target`, where nothing is. Bytes done, or -errno if there were none. */
export function movePages(
  hart: Hart,
  mm: number,
  context: number,
  target: number,
  source: number,
  bytes: number,
  allowsHoles: boolean,
): number {
  let done = 0;
  let error = 0;
  while (done < bytes && error === 0) {
    const [to, from] = [toVpn(target + done), toVpn(source + done)];
    const pages = (bytes - done) / PAGE_BYTES;
    mmapWriteLock(hart, mm);
    error = moveOne(hart, mm, context, to, from, pages, allowsHoles);
    mmapWriteUnlock(hart, mm);
    if (error === NEEDS_PAGE) error = bringBack(hart, mm, from);
    else if (error === -ENOMEM && makeRoom(hart)) error = 0;
    else if (error === 0) done += PAGE_BYTES;
    hart.pollIrq();
  }
  return done > 0 ? done : error;
}

function bringBack(hart: Hart, mm: number, vpn: number): number {
  const fault = handlePageFault(hart, mm, vpn, ACCESS_LOAD);
  if (fault === FAULT_USERFAULT) throw UserFaultWait.thrown;
  return fault === FAULT_OK ? 0 : -EFAULT;
}

/** 0, -errno or NEEDS_PAGE. Requires: mmap_lock for write. */
function moveOne(
  hart: Hart,
  mm: number,
  context: number,
  to: number,
  from: number,
  pages: number,
  allowsHoles: boolean,
): number {
  const [source, target] = [vmaAt(hart, mm, from), vmaAt(hart, mm, to)];
  if (source === 0 || target === 0) return -ENOENT;
  if (!mayMove(hart, source, from, target, to, pages, context)) return -EINVAL;
  splitHuge(hart, mm, from);
  const sourcePte = findPte(hart, mm, from);
  const targetPte = allocPte(hart, mm, to);
  if (targetPte === 0) return -ENOMEM;
  if (hart.shared.loadOnce(targetPte) !== 0) return -EEXIST;
  const entry = sourcePte === 0 ? 0 : hart.shared.loadOnce(sourcePte);
  if (entry === 0) return allowsHoles ? 0 : -ENOENT;
  if (isMarker(entry)) return -EFAULT;
  if (isSwapPte(entry)) return NEEDS_PAGE;
  hart.policies.vmaLock.startWrite(hart, mm, source);
  hart.policies.vmaLock.startWrite(hart, mm, target);
  // A walker of the reverse map must find the page at one of the two places.
  rmapLock(hart, source);
  const error = moveEntry(hart, mm, target, sourcePte, targetPte, from, to);
  rmapUnlock(hart, source);
  return error;
}

function vmaAt(hart: Hart, mm: number, vpn: number): number {
  const vma = vmaFind(hart, mm, vpn);
  return vma !== 0 && vmaStart(hart, vma) <= vpn ? vma : 0;
}

/** (validate_move_areas, and what move_pages looks at before) */
function mayMove(
  hart: Hart,
  source: number,
  from: number,
  target: number,
  to: number,
  pages: number,
  context: number,
): boolean {
  const { shared } = hart;
  if (from + pages > vmaEnd(hart, source) || to + pages > vmaEnd(hart, target)) return false;
  const [sourceFlags, targetFlags] = [vmaFlags(hart, source), vmaFlags(hart, target)];
  if (((sourceFlags | targetFlags) & VM_SHARED) !== 0) return false;
  if (((sourceFlags ^ targetFlags) & (VM_READ | VM_WRITE | VM_EXEC | VM_LOCKED)) !== 0) return false;
  if ((sourceFlags & VM_WRITE) === 0 || shared.get(target + VMA_UFFD) !== context) return false;
  return shared.get(source + VMA_MAPPING) === 0 && shared.get(target + VMA_MAPPING) === 0;
}

/** Requires: mmap_lock for write, the reverse map locked. */
function moveEntry(
  hart: Hart,
  mm: number,
  target: number,
  sourcePte: number,
  targetPte: number,
  from: number,
  to: number,
): number {
  gatherBegin(hart, mm);
  lockTwoPtes(hart, sourcePte, targetPte);
  const entry = hart.shared.loadOnce(sourcePte);
  const refused = entry === 0 || isSwapPte(entry) ? NEEDS_PAGE : refusal(hart, entry);
  if (refused === 0) {
    const old = clearPte(hart, sourcePte);
    const pfn = ptePfn(old);
    const isZero = pfn === hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
    if (!isZero) rehome(hart, mm, target, to, pfn);
    const leaf = leafPte(pfn, vmaFlags(hart, target), !isZero);
    setNewPte(hart, targetPte, leaf | (pteIsDirty(old) ? PTE_D : 0));
    gatherPte(hart, from);
  }
  gatherUnlock(hart);
  unlockTwoPtes(hart, sourcePte, targetPte);
  gatherFinish(hart);
  return refused;
}

/** Why the page may not leave its place: somebody else has it too, for good or for a moment. */
function refusal(hart: Hart, entry: number): number {
  const { shared } = hart;
  const pfn = ptePfn(entry);
  if (pfn === shared.get(MACHINE_BASE + MACHINE_ZERO_PFN)) return 0;
  const page = pageOf(pfn);
  if ((shared.loadOnce(page + PAGE_FLAGS) & PG_SWAPCACHE) !== 0 && swapDetach(hart, pfn, 1, false)) putPage(hart, pfn);
  if (isExclusive(hart, pfn, 0)) return 0;
  return shared.loadOnce(page + PAGE_MAPCOUNT) > 1 ? -EBUSY : -EAGAIN;
}

/** The reverse map leads to the new place. (folio_move_anon_rmap) */
function rehome(hart: Hart, mm: number, vma: number, vpn: number, pfn: number): void {
  const page = pageOf(pfn);
  hart.shared.set(page + PAGE_MAPPING, hart.shared.get(mm + MM_ANON_VMA));
  hart.shared.set(page + PAGE_INDEX, vmaPgoffAt(hart, vma, vpn));
}
