// What read(2), write(2), truncate and fallocate do to a mapping. Positions and lengths are numbers; memory is the
// kernel's, not the guest's. Two writers of one file are kept apart by the caller (the inode's lock).
// (Linux: generic_file_read_iter and its kin, shmem_setattr, shmem_fallocate)

import {
  MAPPING_FLAGS,
  MAPPING_HOST_LENGTH,
  MAPPING_KIND,
  MAPPING_LENGTH,
  MAPPING_LOCK,
  MAPPING_SHMEM,
  PAGE_BYTES,
} from "../../../assembly/layout.ts";
import { EFBIG, ENOMEM, EPERM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { frameAddress, markDirty, pageOf } from "../frame/page.ts";
import { putPage } from "../frame/page-refs.ts";
import { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_WRITE } from "../uapi.ts";
import { MAPPING_INDEX_END, MAPPING_LENGTH_MAX, mappingBytes, mappingExtend } from "./mapping.ts";
import { treeRemoveFrom } from "./mapping-tree.ts";
import { BEYOND_MAPPING, mappingContains, mappingFrame } from "./page-cache.ts";
import { unmapMappingRange } from "./unmap-mapping.ts";

/**
 * Copies up to `bytes` bytes from `position` to kernel memory: how many, 0 at the end, or -errno if there are none.
 * No lock held; may read from the host.
 */
export function mappingRead(hart: Hart, mapping: number, position: number, address: number, bytes: number): number {
  const wanted = Math.min(bytes, mappingBytes(hart, mapping) - position);
  for (let done = 0; done < wanted; ) {
    const offset = (position + done) % PAGE_BYTES;
    const piece = Math.min(wanted - done, PAGE_BYTES - offset);
    const error = readPiece(hart, mapping, Math.floor((position + done) / PAGE_BYTES), offset, address + done, piece);
    if (error === BEYOND_MAPPING) return done; // truncated meanwhile
    if (error !== 0) return done === 0 ? error : done;
    done += piece;
    hart.pollIrq();
  }
  return Math.max(0, wanted);
}

/**
 * Copies `bytes` bytes of kernel memory to `position`, past the end if need be: how many, or -errno if there are none.
 * No lock held; may read from the host.
 */
export function mappingWrite(hart: Hart, mapping: number, position: number, address: number, bytes: number): number {
  const seals = hart.shared.loadOnce(mapping + MAPPING_FLAGS);
  if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
  if ((seals & F_SEAL_GROW) !== 0 && position + bytes > mappingBytes(hart, mapping)) return -EPERM;
  if (bytes > 0 && position >= MAPPING_LENGTH_MAX) return -EFBIG;
  const wanted = Math.min(bytes, MAPPING_LENGTH_MAX - position);
  for (let done = 0; done < wanted; ) {
    const offset = (position + done) % PAGE_BYTES;
    const piece = Math.min(wanted - done, PAGE_BYTES - offset);
    const pfn = mappingFrame(hart, mapping, Math.floor((position + done) / PAGE_BYTES), true);
    if (pfn <= 0) return done === 0 ? (pfn === 0 ? -ENOMEM : pfn) : done;
    markDirty(hart, pageOf(pfn));
    hart.core.copyBytes(frameAddress(pfn) + offset, address + done, piece);
    done += piece;
    // The page came before the length: whoever sees the new length finds the bytes.
    mappingExtend(hart, mapping, position + done);
    putPage(hart, pfn);
    hart.pollIrq();
  }
  return wanted;
}

/** ftruncate: 0 or -errno. No lock held; may read from the host. */
export function mappingTruncate(hart: Hart, mapping: number, bytes: number): number {
  const { shared } = hart;
  if (bytes > MAPPING_LENGTH_MAX) return -EFBIG;
  const old = mappingBytes(hart, mapping);
  const seals = shared.loadOnce(mapping + MAPPING_FLAGS);
  if (bytes < old && (seals & F_SEAL_SHRINK) !== 0) return -EPERM;
  if (bytes > old && (seals & F_SEAL_GROW) !== 0) return -EPERM;
  if (bytes < old && bytes % PAGE_BYTES !== 0) {
    const error = zeroPiece(hart, mapping, Math.floor(bytes / PAGE_BYTES), bytes % PAGE_BYTES, PAGE_BYTES);
    if (error !== 0) return error;
  }
  spinLock(hart, mapping + MAPPING_LOCK);
  shared.setF64(mapping + MAPPING_LENGTH, bytes);
  if (bytes < shared.getF64(mapping + MAPPING_HOST_LENGTH)) shared.setF64(mapping + MAPPING_HOST_LENGTH, bytes);
  spinUnlock(hart, mapping + MAPPING_LOCK);
  if (bytes < old) removePages(hart, mapping, Math.ceil(bytes / PAGE_BYTES), MAPPING_INDEX_END, true);
  return 0;
}

/** FALLOC_FL_PUNCH_HOLE: [position, position + bytes) reads as zeroes; the length stays. 0 or -errno. No lock held. */
export function mappingPunch(hart: Hart, mapping: number, position: number, bytes: number): number {
  if ((hart.shared.loadOnce(mapping + MAPPING_FLAGS) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
  const end = Math.min(position + bytes, mappingBytes(hart, mapping));
  const isShmem = hart.shared.get(mapping + MAPPING_KIND) === MAPPING_SHMEM;
  for (let at = position; at < end; ) {
    const index = Math.floor(at / PAGE_BYTES);
    const offset = at % PAGE_BYTES;
    const pieceEnd = Math.min(PAGE_BYTES, offset + end - at);
    // Of the host's pages the zeroes must be kept: without a page here, its bytes would come back.
    const isWhole = offset === 0 && pieceEnd === PAGE_BYTES && isShmem;
    const last = isWhole ? Math.floor(end / PAGE_BYTES) : index + 1;
    if (isWhole) removePages(hart, mapping, index, last, false);
    else if (zeroPiece(hart, mapping, index, offset, pieceEnd) !== 0) return -ENOMEM;
    at = isWhole ? last * PAGE_BYTES : index * PAGE_BYTES + pieceEnd;
    hart.pollIrq();
  }
  return 0;
}

/** fallocate without punching: the pages are there afterwards. 0 or -errno. No lock held. */
export function mappingAllocate(
  hart: Hart,
  mapping: number,
  position: number,
  bytes: number,
  keepsLength: boolean,
): number {
  if (position + bytes > MAPPING_LENGTH_MAX) return -EFBIG;
  const grows = position + bytes > mappingBytes(hart, mapping);
  if (grows && (hart.shared.loadOnce(mapping + MAPPING_FLAGS) & F_SEAL_GROW) !== 0) return -EPERM;
  for (let index = Math.floor(position / PAGE_BYTES); index * PAGE_BYTES < position + bytes; index++) {
    const pfn = mappingFrame(hart, mapping, index, true);
    if (pfn <= 0) return pfn === 0 ? -ENOMEM : pfn;
    putPage(hart, pfn);
    hart.pollIrq();
  }
  if (!keepsLength) mappingExtend(hart, mapping, position + bytes);
  return 0;
}

/**
 * Out of the tree first, then out of every address space: a fault that found the page before sees under its PTL that it
 * has left the tree, or its entry is found here. `evenCows`: private copies go too.
 */
function removePages(hart: Hart, mapping: number, first: number, end: number, evenCows: boolean): void {
  treeRemoveFrom(hart, mapping, first, end);
  unmapMappingRange(hart, mapping, first, end - 1, evenCows);
}

/** 0, -errno or BEYOND_MAPPING. */
function readPiece(hart: Hart, mapping: number, index: number, offset: number, address: number, bytes: number): number {
  // A hole of memory is read without making a page of it.
  if (isHole(hart, mapping, index)) {
    hart.core.zeroBytes(address, bytes);
    return 0;
  }
  const pfn = mappingFrame(hart, mapping, index);
  if (pfn <= 0) return pfn === 0 ? -ENOMEM : pfn;
  hart.core.copyBytes(address, frameAddress(pfn) + offset, bytes);
  putPage(hart, pfn);
  return 0;
}

/** Zeroes, and no page of them. */
function isHole(hart: Hart, mapping: number, index: number): boolean {
  const isShmem = hart.shared.get(mapping + MAPPING_KIND) === MAPPING_SHMEM;
  return isShmem && !mappingContains(hart, mapping, index);
}

/** Zeroes bytes [offset, end) of a page that is there, or that the host has. 0 or -errno. */
function zeroPiece(hart: Hart, mapping: number, index: number, offset: number, end: number): number {
  if (isHole(hart, mapping, index)) return 0;
  const pfn = mappingFrame(hart, mapping, index);
  if (pfn === BEYOND_MAPPING) return 0;
  if (pfn <= 0) return pfn === 0 ? -ENOMEM : pfn;
  markDirty(hart, pageOf(pfn));
  hart.core.zeroBytes(frameAddress(pfn) + offset, end - offset);
  putPage(hart, pfn);
  return 0;
}
