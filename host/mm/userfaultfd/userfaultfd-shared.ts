// userfaultfd on shared memory: whether a page is missing is a question to the mapping, not to the entry; what fills a
// hole fills it for all who map it; and a page that is there, but not in this address space yet, may be somebody's to
// announce too (a minor fault). (Linux: mm/userfaultfd.c, shmem_get_folio_gfp in mm/shmem.c)

import {
  MAPPING_KIND,
  MAPPING_SHMEM,
  PAGE_BYTES,
  PTE_D,
  VM_SHARED,
  VM_UFFD_MINOR,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
  VMA_MAPPING,
  VMA_UFFD,
} from "../../../assembly/layout.ts";
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM } from "../../memory/errno.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { Hart } from "../../policy/hart.ts";
import { toVpn } from "../call/range.ts";
import { mapCacheFrame } from "../fault/file-fault.ts";
import { markDirty, pageOf } from "../frame/page.ts";
import { getPage, putPage } from "../frame/page-refs.ts";
import { mappingBytes, mappingGet, mappingPut } from "../mapping/mapping.ts";
import { mappingContains, mappingFrame, mappingInsert, mappingPeek } from "../mapping/page-cache.ts";
import { flushRss } from "../rss.ts";
import { allocPte } from "../table/page-table.ts";
import { isMarker, PTE_UFFD_WP } from "../table/pte.ts";
import { lockPte, unlockPte } from "../table/pte-lock.ts";
import { clearPte } from "../table/set-pte.ts";
import { vmaEnd, vmaFlags, vmaPgoffAt } from "../vma/vma.ts";
import { lockVma, unlockVma } from "../vma/vma-lock.ts";

/** Does the vma map memory that has a mapping, shared or private? (Linux: vma_is_shmem) */
export function isShmemVma(hart: HartLocal, vma: number): boolean {
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  return mapping !== 0 && hart.shared.get(mapping + MAPPING_KIND) === MAPPING_SHMEM;
}

/** Does what fills a page of the vma fill a hole of its mapping? */
export function fillsMapping(hart: HartLocal, vma: number): boolean {
  return (vmaFlags(hart, vma) & VM_SHARED) !== 0 && isShmemVma(hart, vma);
}

/** Why a fault on an empty entry of a registered vma is userfaultfd's (VM_UFFD_*), or 0. Requires: the vma locked. */
export function emptyFault(hart: HartLocal, vma: number, vpn: number, flags: number): number {
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  if (mapping === 0) return flags & VM_UFFD_MISSING;
  if (isBeyond(hart, vma, vpn)) return 0;
  return flags & (mappingContains(hart, mapping, vmaPgoffAt(hart, vma, vpn)) ? VM_UFFD_MINOR : VM_UFFD_MISSING);
}

/** Is the page of a vma with a mapping beyond the end of that? (Linux: mfill_file_over_size) */
export function isBeyond(hart: HartLocal, vma: number, vpn: number): boolean {
  return vmaPgoffAt(hart, vma, vpn) >= Math.ceil(mappingBytes(hart, hart.shared.get(vma + VMA_MAPPING)) / PAGE_BYTES);
}

/**
 * The frame fills the hole behind `vpn`, and is mapped there. 0, and it is no longer the caller's, or -errno. Requires:
 * a locked vma. (Linux: shmem_mfill_atomic_pte)
 */
export function installShared(
  hart: Hart,
  mm: number,
  vma: number,
  vpn: number,
  pfn: number,
  protects: boolean,
): number {
  const pteAddress = allocPte(hart, mm, vpn);
  if (pteAddress === 0) return -ENOMEM;
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  const error = mappingInsert(hart, mapping, vmaPgoffAt(hart, vma, vpn), pfn);
  // If a fault was quicker to map the page, it has mapped this one.
  if (error === 0) mapCacheFrame(hart, mm, vma, withoutMarker(hart, pteAddress), pfn, marksOf(true, protects));
  return error;
}

/** The entry, in whose place a page comes now: the caller says whether it is write-protected. */
function withoutMarker(hart: Hart, pteAddress: number): number {
  lockPte(hart, pteAddress);
  if (isMarker(hart.shared.loadOnce(pteAddress))) clearPte(hart, pteAddress);
  unlockPte(hart, pteAddress);
  return pteAddress;
}

function marksOf(isShared: boolean, protects: boolean): number {
  return (isShared ? PTE_D : 0) | (protects ? PTE_UFFD_WP : 0);
}

/**
 * UFFDIO_CONTINUE: the pages that the mapping has for [start, start + bytes) are mapped. Bytes done, or -errno if there
 * were none. No lock held. (Linux: mfill_atomic_pte_continue)
 */
export function continuePages(hart: Hart, mm: number, start: number, bytes: number, protects: boolean): number {
  const end = toVpn(start + bytes);
  let done = 0;
  let error = 0;
  while (done < bytes && error === 0) {
    error = continuePage(hart, mm, toVpn(start + done), end, protects);
    if (error === 0) done += PAGE_BYTES;
    flushRss(hart);
    hart.pollIrq();
  }
  return done > 0 ? done : error;
}

function continuePage(hart: Hart, mm: number, vpn: number, end: number, protects: boolean): number {
  for (;;) {
    const vma = lockVma(hart, mm, vpn);
    if (vma <= 0) return vma === 0 ? -ENOENT : vma;
    const refused = continueRefusal(hart, vma, vpn, end, protects);
    const mapping = hart.shared.get(vma + VMA_MAPPING);
    const index = refused === 0 ? vmaPgoffAt(hart, vma, vpn) : 0;
    const pfn = refused === 0 ? mappingPeek(hart, mapping, index) : 0;
    const result = pfn !== 0 ? mapThere(hart, mm, vma, vpn, pfn, protects) : refused;
    if (pfn === 0 && refused === 0) mappingGet(hart, mapping);
    unlockVma(hart, mm, vma);
    if (pfn !== 0 || refused !== 0) return result;
    const error = bringIn(hart, mapping, index);
    if (error !== 0) return error;
  }
}

/** Brings a page that is in swap back, and drops the caller's reference on the mapping. 0 or -errno. No lock held. */
function bringIn(hart: Hart, mapping: number, index: number): number {
  const isHole = !mappingContains(hart, mapping, index);
  const pfn = isHole ? -EFAULT : mappingFrame(hart, mapping, index);
  if (pfn > 0) putPage(hart, pfn);
  mappingPut(hart, mapping);
  if (pfn === 0) return -ENOMEM;
  return pfn > 0 ? 0 : -EFAULT;
}

function continueRefusal(hart: Hart, vma: number, vpn: number, end: number, protects: boolean): number {
  if (vmaEnd(hart, vma) < end || hart.shared.get(vma + VMA_UFFD) === 0) return -ENOENT;
  if (protects && (vmaFlags(hart, vma) & VM_UFFD_WP) === 0) return -EINVAL;
  if (!isShmemVma(hart, vma)) return -EINVAL;
  return isBeyond(hart, vma, vpn) ? -EFAULT : 0;
}

/** Maps page `pfn` of the vma's mapping, whose reference is the caller's, and drops that. Requires: the vma locked. */
function mapThere(hart: Hart, mm: number, vma: number, vpn: number, pfn: number, protects: boolean): number {
  const pteAddress = allocPte(hart, mm, vpn);
  if (pteAddress !== 0) withoutMarker(hart, pteAddress);
  if (pteAddress === 0 || hart.shared.loadOnce(pteAddress) !== 0) {
    putPage(hart, pfn);
    return pteAddress === 0 ? -ENOMEM : -EEXIST;
  }
  const isShared = (vmaFlags(hart, vma) & VM_SHARED) !== 0;
  if (isShared) markDirty(hart, pageOf(pfn));
  getPage(hart, pfn);
  const done = mapCacheFrame(hart, mm, vma, pteAddress, pfn, marksOf(isShared, protects));
  putPage(hart, pfn);
  return done ? 0 : -EEXIST;
}
