// The bytes of regular files, in their address_space (host/mm/mapping/), and what they count against the size of their
// file system. No lock is held here by a caller: the host may be read.

import {
  INODE_LOCK,
  INODE_MAPPING,
  INODE_PAGES,
  INODE_SUPER,
  MAPPING_HOST,
  MAPPING_KIND,
  MAPPING_LOCK,
  MAPPING_PAGES,
  MAPPING_SHMEM,
  PAGE_BYTES,
  SUPER_PAGES,
  SUPER_PAGES_MAX,
} from "../../assembly/layout.ts";
import { ENOSPC, ENXIO } from "../memory/errno.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { mappingBytes, mappingCreate, mappingExtend, mappingPut } from "../mm/mapping/mapping.ts";
import { mappingAllocate, mappingPunch, mappingRead, mappingTruncate, mappingWrite } from "../mm/mapping/mapping-io.ts";
import { TREE_END, treeNext } from "../mm/mapping/mapping-tree.ts";
import { mappingContains } from "../mm/mapping/page-cache.ts";
import type { Hart } from "../policy/hart.ts";
import { chargePages } from "./charge.ts";

/** An inode of a file in memory gets its contents: none. False: out of memory. */
export function contentCreate(hart: Hart, inode: number): boolean {
  const mapping = mappingCreate(hart, MAPPING_SHMEM, 0);
  if (mapping === 0) return false;
  hart.shared.set(mapping + MAPPING_HOST, inode);
  hart.shared.set(inode + INODE_MAPPING, mapping);
  return true;
}

/** 0 for a file that is made up when it is read, as those of /proc are: it has no pages. */
export function contentBytes(hart: Hart, inode: number): number {
  const mapping = mappingOf(hart, inode);
  return mapping === 0 ? 0 : mappingBytes(hart, mapping);
}

/** Pages in memory. */
export function contentPages(hart: Hart, inode: number): number {
  const mapping = mappingOf(hart, inode);
  return mapping === 0 ? 0 : hart.shared.loadOnce(mapping + MAPPING_PAGES);
}

/** Copies up to `bytes` bytes at `position` to kernel memory: how many, 0 at the end, or -errno. */
export function contentRead(hart: Hart, inode: number, position: number, address: number, bytes: number): number {
  return mappingRead(hart, mappingOf(hart, inode), position, address, bytes);
}

/** Copies kernel memory to `position`: how many bytes before the space ended, or -errno. The file grows as needed. */
export function contentWrite(hart: Hart, inode: number, position: number, address: number, bytes: number): number {
  const room = roomFor(hart, inode, position, bytes);
  if (room <= 0) return -ENOSPC;
  const written = mappingWrite(hart, mappingOf(hart, inode), position, address, room);
  contentCount(hart, inode);
  return written;
}

/**
 * The place of `bytes` bytes at the end of the file, which is that much longer now: appenders that come together get
 * places behind each other.
 */
export function contentReserve(hart: Hart, inode: number, bytes: number): number {
  const mapping = mappingOf(hart, inode);
  spinLock(hart, inode + INODE_LOCK);
  const position = mappingBytes(hart, mapping);
  if (roomFor(hart, inode, position, bytes) === bytes) mappingExtend(hart, mapping, position + bytes);
  spinUnlock(hart, inode + INODE_LOCK);
  return position;
}

/** ftruncate: 0 or -errno. A file of /proc takes any length, and stays as it is. */
export function contentTruncate(hart: Hart, inode: number, bytes: number): number {
  const mapping = mappingOf(hart, inode);
  if (mapping === 0) return 0;
  const error = mappingTruncate(hart, mapping, bytes);
  contentCount(hart, inode);
  return error;
}

/** fallocate: 0 or -errno. */
export function contentAllocate(
  hart: Hart,
  inode: number,
  position: number,
  bytes: number,
  keepsLength: boolean,
): number {
  if (roomFor(hart, inode, position, bytes) < bytes) return -ENOSPC;
  const error = mappingAllocate(hart, mappingOf(hart, inode), position, bytes, keepsLength);
  contentCount(hart, inode);
  return error;
}

/** FALLOC_FL_PUNCH_HOLE: 0 or -errno. */
export function contentPunch(hart: Hart, inode: number, position: number, bytes: number): number {
  const error = mappingPunch(hart, mappingOf(hart, inode), position, bytes);
  contentCount(hart, inode);
  return error;
}

/** SEEK_DATA: the first byte from `position` on that is no hole, or -ENXIO. Of the host's files all is data. */
export function contentData(hart: Hart, inode: number, position: number): number {
  const mapping = mappingOf(hart, inode);
  const bytes = mappingBytes(hart, mapping);
  if (position >= bytes) return -ENXIO;
  if (hart.shared.get(mapping + MAPPING_KIND) !== MAPPING_SHMEM) return position;
  spinLock(hart, mapping + MAPPING_LOCK);
  const index = treeNext(hart, mapping, Math.floor(position / PAGE_BYTES), Math.ceil(bytes / PAGE_BYTES));
  spinUnlock(hart, mapping + MAPPING_LOCK);
  return index === TREE_END ? -ENXIO : Math.max(position, index * PAGE_BYTES);
}

/** SEEK_HOLE: the first byte from `position` on that is in a hole or at the end, or -ENXIO. */
export function contentHole(hart: Hart, inode: number, position: number): number {
  const mapping = mappingOf(hart, inode);
  const bytes = mappingBytes(hart, mapping);
  if (position >= bytes) return -ENXIO;
  if (hart.shared.get(mapping + MAPPING_KIND) !== MAPPING_SHMEM) return bytes;
  let index = Math.floor(position / PAGE_BYTES);
  for (; index * PAGE_BYTES < bytes && mappingContains(hart, mapping, index); index++) hart.pollIrq();
  return Math.min(Math.max(position, index * PAGE_BYTES), bytes);
}

/** The inode goes. */
export function contentRelease(hart: Hart, inode: number): void {
  const { shared } = hart;
  const mapping = mappingOf(hart, inode);
  if (mapping === 0) return;
  shared.fetchAdd(shared.get(inode + INODE_SUPER) + SUPER_PAGES, -shared.get(inode + INODE_PAGES));
  mappingPut(hart, mapping);
}

/** Pages come and go with writes and truncation, which are counted after each call; those of faults before. */
export function contentCount(hart: Hart, inode: number): void {
  const { shared } = hart;
  spinLock(hart, inode + INODE_LOCK);
  const pages = contentPages(hart, inode);
  const delta = pages - shared.get(inode + INODE_PAGES);
  shared.set(inode + INODE_PAGES, pages);
  spinUnlock(hart, inode + INODE_LOCK);
  if (delta !== 0) shared.fetchAdd(shared.get(inode + INODE_SUPER) + SUPER_PAGES, delta);
}

/** A fault fills a hole: its page is counted, unless there is no room for it. (Linux: shmem_inode_acct_blocks) */
export function contentCharge(hart: Hart, inode: number): boolean {
  const { shared } = hart;
  if (!chargePages(hart, shared.get(inode + INODE_SUPER), 1)) return false;
  spinLock(hart, inode + INODE_LOCK);
  shared.set(inode + INODE_PAGES, shared.get(inode + INODE_PAGES) + 1);
  spinUnlock(hart, inode + INODE_LOCK);
  return true;
}

/** How many of `bytes` bytes at `position` the file system has room for. */
function roomFor(hart: Hart, inode: number, position: number, bytes: number): number {
  const { shared } = hart;
  const superBlock = shared.get(inode + INODE_SUPER);
  const limit = shared.get(superBlock + SUPER_PAGES_MAX);
  if (limit === 0) return bytes;
  let free = limit - shared.loadOnce(superBlock + SUPER_PAGES);
  const first = Math.floor(position / PAGE_BYTES);
  const end = Math.ceil((position + bytes) / PAGE_BYTES);
  if (end - first <= free) return bytes;
  const mapping = mappingOf(hart, inode);
  for (let index = first; index < end; index++) {
    if (mappingContains(hart, mapping, index)) continue;
    if (free <= 0) return Math.max(index * PAGE_BYTES - position, 0);
    free--;
  }
  return bytes;
}

function mappingOf(hart: Hart, inode: number): number {
  return hart.shared.get(inode + INODE_MAPPING);
}
