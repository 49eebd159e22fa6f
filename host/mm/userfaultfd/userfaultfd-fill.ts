// What userfaultfd puts into entries that are empty. Who is told of faults, and waits for these, is in
// kernel/memory/userfaultfd.ts. (Linux: mm/userfaultfd.c)

import {
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  PAGE_BYTES,
  PTE_D,
  VM_UFFD_WP,
  VMA_MAPPING,
  VMA_UFFD,
} from "../../../assembly/layout.ts";
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, ESTALE } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { toVpn } from "../call/range.ts";
import { makeAnon } from "../fault/anon.ts";
import { allocUserFrame } from "../frame/frames.ts";
import { frameAddress } from "../frame/page.ts";
import { freeFrame } from "../frame/page-refs.ts";
import { makeRoom } from "../reclaim/make-room.ts";
import { addRss, flushRss } from "../rss.ts";
import { allocPte } from "../table/page-table.ts";
import { isMarker, leafPte, POISON_MARKER, setUffdWp } from "../table/pte.ts";
import { lockPte, unlockPte } from "../table/pte-lock.ts";
import { clearPte, setNewPte } from "../table/set-pte.ts";
import { copyFromUser } from "../uaccess.ts";
import { vmaEnd, vmaFlags } from "../vma/vma.ts";
import { lockVma, unlockVma } from "../vma/vma-lock.ts";
import { fillsMapping, installShared, isBeyond, isShmemVma } from "./userfaultfd-shared.ts";

/** What a page is filled with: a frame that is a hole's of the mapping, one of its own, or the zero page. */
const FILL_MAPPING = 1;
const FILL_PRIVATE = 2;
const FILL_ZERO_PAGE = 3;

/**
 * Fills the empty pages [start, start + bytes) of `mm` with what the current task has at `source`, or with zeros if
 * that is null; write-protected if `protects`. Bytes done, or -errno if there were none. No lock held. (mfill_atomic)
 */
export function fillPages(
  hart: Hart,
  mm: number,
  start: number,
  source: number | null,
  bytes: number,
  protects: boolean,
): number {
  const end = toVpn(start + bytes);
  let done = 0;
  let error = 0;
  while (done < bytes && error === 0) {
    error = fillPage(hart, mm, toVpn(start + done), end, source === null ? null : source + done, protects);
    if (error === 0) done += PAGE_BYTES;
    flushRss(hart); // of an mm that this hart may never meet again
    hart.pollIrq();
  }
  return done > 0 ? done : error;
}

/** One page; `end` is where the whole request ends, which one vma must cover. 0 or -errno. */
function fillPage(hart: Hart, mm: number, vpn: number, end: number, source: number | null, protects: boolean): number {
  // Looked at twice: whoever may not be given pages learns that before the source is read.
  for (;;) {
    const kind = locked(hart, mm, vpn, (vma) => refusal(hart, vma, vpn, end, protects) || kindOf(hart, vma, source));
    if (kind < 0) return kind;
    const pfn = contents(hart, kind, source);
    if (pfn < 0) return pfn;
    const result =
      pfn === 0 ? -ENOMEM : locked(hart, mm, vpn, (vma) => installPage(hart, mm, vma, vpn, end, pfn, kind, protects));
    if (result !== 0 && pfn > 0 && kind !== FILL_ZERO_PAGE) freeFrame(hart, pfn);
    const isAgain = result === -ESTALE || (result === -ENOMEM && makeRoom(hart));
    if (!isAgain) return result;
  }
}

function locked(hart: Hart, mm: number, vpn: number, work: (vma: number) => number): number {
  const vma = lockVma(hart, mm, vpn);
  if (vma <= 0) return vma === 0 ? -ENOENT : vma;
  const result = work(vma);
  unlockVma(hart, mm, vma);
  return result;
}

function kindOf(hart: Hart, vma: number, source: number | null): number {
  if (fillsMapping(hart, vma)) return FILL_MAPPING;
  return source === null ? FILL_ZERO_PAGE : FILL_PRIVATE;
}

/** The frame to install, 0 or -EFAULT. */
function contents(hart: Hart, kind: number, source: number | null): number {
  if (kind === FILL_ZERO_PAGE) return hart.shared.get(MACHINE_BASE + MACHINE_ZERO_PFN);
  if (source !== null) return copySource(hart, source);
  const pfn = allocUserFrame(hart);
  if (pfn !== 0) hart.core.zeroPage(frameAddress(pfn));
  return pfn;
}

/** A frame with a copy of the page at `va` of the current task, 0, or -EFAULT. */
function copySource(hart: Hart, va: number): number {
  const pfn = allocUserFrame(hart);
  if (pfn === 0) return 0;
  let error = -EFAULT;
  try {
    error = copyFromUser(hart, frameAddress(pfn), va, PAGE_BYTES);
  } finally {
    if (error !== 0) freeFrame(hart, pfn);
  }
  return error === 0 ? pfn : -EFAULT;
}

/** Why [vpn, end) may not be filled, or 0. Requires: a locked vma. (find_dst_vma and what follows it) */
function refusal(hart: Hart, vma: number, vpn: number, end: number, protects: boolean): number {
  if (vmaEnd(hart, vma) < end) return -ENOENT;
  if (hart.shared.get(vma + VMA_UFFD) === 0) return -ENOENT;
  if (protects && (vmaFlags(hart, vma) & VM_UFFD_WP) === 0) return -EINVAL;
  if (hart.shared.get(vma + VMA_MAPPING) === 0) return 0;
  if (!isShmemVma(hart, vma)) return -EINVAL;
  return isBeyond(hart, vma, vpn) ? -EFAULT : 0;
}

/** The frame becomes the page of `vpn`. 0 or -errno: then it is still the caller's. Requires: a locked vma. */
function installPage(
  hart: Hart,
  mm: number,
  vma: number,
  vpn: number,
  end: number,
  pfn: number,
  kind: number,
  protects: boolean,
): number {
  const refused = refusal(hart, vma, vpn, end, protects);
  if (refused !== 0) return refused;
  if (fillsMapping(hart, vma) !== (kind === FILL_MAPPING)) return -ESTALE;
  if (kind === FILL_MAPPING) return installShared(hart, mm, vma, vpn, pfn, protects);
  const pteAddress = allocPte(hart, mm, vpn);
  if (pteAddress === 0) return -ENOMEM;
  const flags = vmaFlags(hart, vma);
  const isPrivate = kind === FILL_PRIVATE;
  if (isPrivate) makeAnon(hart, vma, vpn, pfn);
  const leaf = leafPte(pfn, flags, isPrivate) | (isPrivate ? PTE_D : 0);
  lockPte(hart, pteAddress);
  if (isPrivate) dropMarker(hart, pteAddress);
  const isEmpty = hart.shared.loadOnce(pteAddress) === 0;
  if (isEmpty) setNewPte(hart, pteAddress, protects ? setUffdWp(leaf) : leaf);
  unlockPte(hart, pteAddress);
  if (!isEmpty) return -EEXIST;
  if (isPrivate) addRss(hart, mm, 1);
  return 0;
}

/** What takes the place of a marker needs none. Requires: its lock. */
function dropMarker(hart: Hart, address: number): void {
  if (isMarker(hart.shared.loadOnce(address))) clearPte(hart, address);
}

/**
 * UFFDIO_POISON: the empty pages [start, start + bytes) can not be touched any more. Bytes done, or -errno if there
 * were none. No lock held. (mfill_atomic_pte_poison)
 */
export function poisonPages(hart: Hart, mm: number, start: number, bytes: number): number {
  const end = toVpn(start + bytes);
  let done = 0;
  let error = 0;
  while (done < bytes && error === 0) {
    const vpn = toVpn(start + done);
    error = locked(hart, mm, vpn, (vma) => refusal(hart, vma, vpn, end, false) || poison(hart, mm, vpn));
    if (error === -ENOMEM && makeRoom(hart)) error = 0;
    else if (error === 0) done += PAGE_BYTES;
    hart.pollIrq();
  }
  return done > 0 ? done : error;
}

/** Requires: a locked vma. */
function poison(hart: Hart, mm: number, vpn: number): number {
  const pteAddress = allocPte(hart, mm, vpn);
  if (pteAddress === 0) return -ENOMEM;
  lockPte(hart, pteAddress);
  const isEmpty = hart.shared.loadOnce(pteAddress) === 0;
  if (isEmpty) setNewPte(hart, pteAddress, POISON_MARKER);
  unlockPte(hart, pteAddress);
  return isEmpty ? 0 : -EEXIST;
}
