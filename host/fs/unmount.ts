// The end of file systems, one by umount2 or all with the machine: everything in the tree goes, deepest names first.

import {
  DENTRY_CHILD_FIRST,
  DENTRY_COUNT,
  DENTRY_INODE,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  DENTRY_SUPER,
  INODE_NLINK,
  SUPER_COUNT_MAX,
  SUPER_INODES,
  SUPER_POINT,
  SUPER_ROOT,
  SUPER_TYPE,
} from "../../assembly/layout.ts";
import { EBUSY, EINVAL } from "../memory/errno.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryUnlink, dput } from "./dentry.ts";
import { fileType } from "./inode.ts";
import { fsWriteLock, fsWriteUnlock } from "./lock.ts";
import { superAt } from "./super.ts";
import { S_IFDIR } from "./uapi.ts";

/** The machine ends: no process is left, so nothing is locked. */
export function unmountAll(hart: Hart): void {
  const { shared } = hart;
  for (let index = SUPER_COUNT_MAX - 1; index >= 0; index--) {
    const superBlock = superAt(index);
    if (shared.get(superBlock + SUPER_TYPE) === 0) continue;
    const root = shared.get(superBlock + SUPER_ROOT);
    const point = shared.get(superBlock + SUPER_POINT);
    emptyTree(hart, root);
    dput(hart, root);
    if (point !== 0) {
      shared.set(point + DENTRY_SUPER, 0);
      dput(hart, point);
    }
  }
}

/**
 * The file system is no longer where it was mounted: 0, or -EBUSY if somebody uses something in it. `detaches`: then it
 * only goes out of sight, and its record with it, until the machine ends. No lock held. (Linux: do_umount)
 */
export function unmount(hart: Hart, superBlock: number, detaches: boolean): number {
  const { shared } = hart;
  const root = shared.get(superBlock + SUPER_ROOT);
  fsWriteLock(hart);
  const point = shared.get(superBlock + SUPER_POINT);
  const inUse = isInUse(hart, superBlock, root);
  const goes = point !== 0 && (!inUse || detaches);
  if (goes) {
    shared.set(point + DENTRY_SUPER, 0);
    shared.set(superBlock + SUPER_POINT, 0);
  }
  fsWriteUnlock(hart);
  if (!goes) return point === 0 ? -EINVAL : -EBUSY;
  dput(hart, point);
  if (inUse) return 0;
  // Nobody can find anything of it any more.
  emptyTree(hart, root);
  dput(hart, root);
  fsWriteLock(hart);
  shared.set(superBlock + SUPER_TYPE, 0);
  fsWriteUnlock(hart);
  return 0;
}

/**
 * Is some name or inode of it referred to from outside the tree, or something mounted on it? Whoever is to find more of
 * it must have a name of it. Requires: FS_LOCK for write.
 */
function isInUse(hart: Hart, superBlock: number, root: number): boolean {
  const { shared } = hart;
  let inodes = 0;
  for (let at = root; at !== 0; at = nextInTree(hart, root, at)) {
    let references = 1; // of its parent's list, or of the super block
    for (
      let child = shared.get(at + DENTRY_CHILD_FIRST);
      child !== 0;
      child = shared.get(child + DENTRY_SIBLING_NEXT)
    ) {
      references++;
    }
    if (shared.loadAcquire(at + DENTRY_COUNT) !== references || shared.get(at + DENTRY_SUPER) !== 0) return true;
    const inode = shared.get(at + DENTRY_INODE);
    const isDirectory = inode !== 0 && fileType(hart, inode) === S_IFDIR;
    if (inode !== 0) inodes += isDirectory ? 1 : 1 / shared.get(inode + INODE_NLINK);
    hart.pollIrq();
  }
  return Math.round(inodes) !== shared.loadAcquire(superBlock + SUPER_INODES);
}

/** Depth first, parents before children; 0 at the end. */
function nextInTree(hart: Hart, root: number, from: number): number {
  const { shared } = hart;
  const child = shared.get(from + DENTRY_CHILD_FIRST);
  if (child !== 0) return child;
  for (let at = from; at !== root; at = shared.get(at + DENTRY_PARENT)) {
    const sibling = shared.get(at + DENTRY_SIBLING_NEXT);
    if (sibling !== 0) return sibling;
  }
  return 0;
}

/** Takes every entry below `root` out of the tree. The loop may be long; a directory may be deeper than any stack. */
function emptyTree(hart: Hart, root: number): void {
  const { shared } = hart;
  let at = root;
  for (;;) {
    const child = shared.get(at + DENTRY_CHILD_FIRST);
    if (child !== 0) {
      at = child;
      continue;
    }
    if (at === root) return;
    const parent = shared.get(at + DENTRY_PARENT);
    fsWriteLock(hart); // for the chains that it shares with others
    dentryUnlink(hart, at);
    fsWriteUnlock(hart);
    dput(hart, at);
    at = parent;
  }
}
