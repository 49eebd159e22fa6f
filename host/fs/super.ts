// Mounted file systems: super block and mount in one record, since each is mounted at one place. A table of fixed size.

import {
  DENTRY_COMPLETE,
  DENTRY_FLAGS,
  SUPER_BASE,
  SUPER_BYTES,
  SUPER_COUNT_MAX,
  SUPER_DEVICE,
  SUPER_FLAGS,
  SUPER_INODES_MAX,
  SUPER_PAGES_MAX,
  SUPER_ROOT,
  SUPER_TYPE,
} from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryAlloc } from "./dentry.ts";
import { changeLinks, inodeAlloc, iput } from "./inode.ts";
import { S_IFDIR } from "./uapi.ts";

// f_flags of statfs (include/linux/statfs.h)
export const ST_RDONLY = 1;
export const ST_NOSUID = 2;
export const ST_NODEV = 4;
export const ST_NOEXEC = 8;
export const ST_VALID = 0x20;
export const ST_RELATIME = 0x1000;

/** First device number of file systems without a device (major 0). */
const DEVICE_FIRST = 20;

/**
 * A file system whose root is an empty directory, not mounted yet, or 0. Limits 0: none. Requires: FS_LOCK for write,
 * or that no other hart runs.
 */
export function superAlloc(hart: Hart, type: number, mode: number, pagesMax: number, inodesMax: number): number {
  const { shared } = hart;
  let index = 0;
  while (index < SUPER_COUNT_MAX && shared.get(superAt(index) + SUPER_TYPE) !== 0) index++;
  if (index === SUPER_COUNT_MAX) return 0;
  const superBlock = superAt(index);
  hart.core.zeroBytes(superBlock, SUPER_BYTES);
  shared.set(superBlock + SUPER_TYPE, type);
  shared.set(superBlock + SUPER_DEVICE, DEVICE_FIRST + index);
  shared.set(superBlock + SUPER_PAGES_MAX, pagesMax);
  shared.set(superBlock + SUPER_INODES_MAX, inodesMax);
  const inode = inodeAlloc(hart, superBlock, S_IFDIR | mode, 0);
  const root = inode === 0 ? 0 : dentryAlloc(hart, 0, 0, 0, inode);
  if (root === 0) {
    if (inode !== 0) iput(hart, inode);
    shared.set(superBlock + SUPER_TYPE, 0);
    return 0;
  }
  changeLinks(hart, inode, 2);
  hart.fsTypes[type]?.initRoot?.(hart, inode);
  if (hart.fsTypes[type]?.hasBacking !== true) shared.set(root + DENTRY_FLAGS, DENTRY_COMPLETE);
  shared.set(superBlock + SUPER_ROOT, root);
  return superBlock;
}

export function superAt(index: number): number {
  return SUPER_BASE + index * SUPER_BYTES;
}

export function isWritable(hart: Hart, superBlock: number): boolean {
  return (hart.shared.get(superBlock + SUPER_FLAGS) & ST_RDONLY) === 0;
}
