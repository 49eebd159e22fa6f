// Inodes. One lives as long as somebody counts in INODE_COUNT: each dentry that names it, and whoever holds it
// otherwise. Numbers and limits belong to its super block.

import {
  INODE_ATIME,
  INODE_ATIME_NS,
  INODE_BTIME,
  INODE_BYTES,
  INODE_COUNT,
  INODE_CTIME,
  INODE_CTIME_NS,
  INODE_MODE,
  INODE_MTIME,
  INODE_NLINK,
  INODE_NUMBER,
  INODE_RDEV,
  INODE_SUPER,
  MACHINE_BASE,
  MACHINE_BOOT_REALTIME_NS,
  POOL_INODE,
  SUPER_INODE_NEXT,
  SUPER_INODES,
  SUPER_INODES_MAX,
  SUPER_TYPE,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import type { FsType } from "../memory/fs-type.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../memory/slab.ts";
import type { Hart } from "../policy/hart.ts";
import { contentRelease } from "./content.ts";
import { dropLinkText } from "./symlink.ts";
import { NS_PER_SECOND, S_IFMT } from "./uapi.ts";

export const TOUCH_ATIME = 1;
export const TOUCH_MTIME = 2;
export const TOUCH_CTIME = 4;

/** An inode of `superBlock` with one reference, no links and the time of now, or 0: out of inodes. */
export function inodeAlloc(hart: Hart, superBlock: number, mode: number, rdev: number): number {
  const { shared } = hart;
  const limit = shared.get(superBlock + SUPER_INODES_MAX);
  if (shared.fetchAdd(superBlock + SUPER_INODES, 1) >= limit && limit !== 0) {
    shared.fetchAdd(superBlock + SUPER_INODES, -1);
    return 0;
  }
  const inode = kmemCacheAlloc(hart, POOL_INODE);
  if (inode === 0) {
    shared.fetchAdd(superBlock + SUPER_INODES, -1);
    return 0;
  }
  hart.core.zeroBytes(inode, INODE_BYTES);
  shared.set(inode + INODE_SUPER, superBlock);
  shared.set(inode + INODE_MODE, mode);
  shared.set(inode + INODE_RDEV, rdev);
  shared.setF64(inode + INODE_NUMBER, shared.fetchAdd(superBlock + SUPER_INODE_NEXT, 1) + 1);
  touch(hart, inode, TOUCH_ATIME | TOUCH_MTIME | TOUCH_CTIME);
  const birthNs = shared.get(inode + INODE_CTIME_NS);
  setTime(hart, inode, INODE_BTIME, shared.getF64(inode + INODE_CTIME), birthNs);
  shared.storeRelease(inode + INODE_COUNT, 1);
  return inode;
}

/** Another reference for a caller who has one, or holds FS_LOCK and found the inode in the tree. */
export function iget(hart: Hart, inode: number): number {
  hart.shared.fetchAdd(inode + INODE_COUNT, 1);
  return inode;
}

/** The last reference takes the contents along. May be long; no lock held. */
export function iput(hart: Hart, inode: number): void {
  const { shared } = hart;
  const old = shared.fetchAdd(inode + INODE_COUNT, -1);
  if (old <= 0) throw new KernelBug("inode reference dropped twice", { inode });
  if (old !== 1) return;
  fsTypeOf(hart, inode).evict(hart, inode);
  contentRelease(hart, inode);
  dropLinkText(hart, inode);
  shared.fetchAdd(shared.get(inode + INODE_SUPER) + SUPER_INODES, -1);
  kmemCacheFree(hart, POOL_INODE, inode);
}

export function fsTypeOf(hart: Hart, inode: number): FsType {
  const type = hart.fsTypes[hart.shared.get(hart.shared.get(inode + INODE_SUPER) + SUPER_TYPE)];
  if (type === undefined) throw new KernelBug("inode of no known file system", { inode });
  return type;
}

/** S_IFMT part of the mode. */
export function fileType(hart: Hart, inode: number): number {
  return hart.shared.get(inode + INODE_MODE) & S_IFMT;
}

/** Sets the times of `which` (TOUCH_*) to now. */
export function touch(hart: Hart, inode: number, which: number): void {
  const ns = hart.clock.now() + hart.shared.getF64(MACHINE_BASE + MACHINE_BOOT_REALTIME_NS);
  const seconds = Math.floor(ns / NS_PER_SECOND);
  const rest = ns - seconds * NS_PER_SECOND;
  if ((which & TOUCH_ATIME) !== 0) setTime(hart, inode, INODE_ATIME, seconds, rest);
  if ((which & TOUCH_MTIME) !== 0) setTime(hart, inode, INODE_MTIME, seconds, rest);
  if ((which & TOUCH_CTIME) !== 0) setTime(hart, inode, INODE_CTIME, seconds, rest);
}

/** `field` is INODE_ATIME and so on. */
export function setTime(hart: Hart, inode: number, field: number, seconds: number, ns: number): void {
  hart.shared.setF64(inode + field, seconds);
  hart.shared.set(inode + timeNsField(field), ns);
}

/** Offset of the nanoseconds that go with the seconds at `field`. */
export function timeNsField(field: number): number {
  return INODE_ATIME_NS + (field - INODE_ATIME) / 2;
}

export function changeLinks(hart: Hart, inode: number, delta: number): void {
  hart.shared.set(inode + INODE_NLINK, hart.shared.get(inode + INODE_NLINK) + delta);
}
