// The end of file systems, one by umount2 or all with the machine: everything in the tree goes, deepest names first.

import {
  DENTRY_CHILD_FIRST,
  DENTRY_COUNT,
  DENTRY_INODE,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  DENTRY_SUPER,
  INODE_NLINK,
  INODE_SUPER,
  MACHINE_BASE,
  MACHINE_DETACHED,
  SUPER_COUNT_MAX,
  SUPER_DETACHED,
  SUPER_INODES,
  SUPER_POINT,
  SUPER_ROOT,
  SUPER_TYPE,
} from "../../assembly/layout.ts";
import { EBUSY, EINVAL } from "../memory/errno.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryUnlink, dput } from "./dentry.ts";
import { fileType } from "./inode.ts";
import { fsReadLock, fsReadUnlock, fsWriteLock, fsWriteUnlock } from "./lock.ts";
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
 * only goes out of sight, with all that is mounted in it, and ends with its last user. No lock held. (Linux: do_umount)
 */
export function unmount(hart: Hart, superBlock: number, detaches: boolean): number {
  const { shared } = hart;
  const root = shared.get(superBlock + SUPER_ROOT);
  if (detaches) detachInside(hart, superBlock);
  fsWriteLock(hart);
  const point = shared.get(superBlock + SUPER_POINT);
  const inUse = isInUse(hart, superBlock, root);
  const goes = point !== 0 && (!inUse || detaches);
  if (goes) {
    shared.set(point + DENTRY_SUPER, 0);
    shared.set(superBlock + SUPER_POINT, 0);
    if (inUse) countDetached(hart, superBlock, 1);
  }
  fsWriteUnlock(hart);
  if (!goes) return point === 0 ? -EINVAL : -EBUSY;
  dput(hart, point);
  if (!inUse) endSuper(hart, superBlock);
  return 0;
}

/** Some reference has gone: file systems that were only waiting for that go too. No lock held. */
export function reapDetached(hart: Hart): void {
  const { shared } = hart;
  if (shared.loadAcquire(MACHINE_BASE + MACHINE_DETACHED) === 0) return;
  for (let index = 0; index < SUPER_COUNT_MAX; index++) {
    const superBlock = superAt(index);
    if (shared.loadOnce(superBlock + SUPER_DETACHED) === 0) continue;
    fsWriteLock(hart);
    const isDetached = shared.get(superBlock + SUPER_DETACHED) !== 0;
    const ends = isDetached && !isInUse(hart, superBlock, shared.get(superBlock + SUPER_ROOT));
    if (ends) countDetached(hart, superBlock, -1);
    fsWriteUnlock(hart);
    if (ends) endSuper(hart, superBlock);
  }
}

/** Requires: FS_LOCK for write. */
function countDetached(hart: Hart, superBlock: number, change: number): void {
  const { shared } = hart;
  shared.set(superBlock + SUPER_DETACHED, change > 0 ? 1 : 0);
  shared.set(MACHINE_BASE + MACHINE_DETACHED, shared.get(MACHINE_BASE + MACHINE_DETACHED) + change);
}

/** What is mounted on directories of the file system goes out of sight with it. */
function detachInside(hart: Hart, superBlock: number): void {
  const { shared } = hart;
  for (let index = 0; index < SUPER_COUNT_MAX; index++) {
    fsReadLock(hart);
    const point = shared.get(superAt(index) + SUPER_TYPE) === 0 ? 0 : shared.get(superAt(index) + SUPER_POINT);
    const inode = point === 0 ? 0 : shared.get(point + DENTRY_INODE);
    const isInside = inode !== 0 && shared.get(inode + INODE_SUPER) === superBlock;
    fsReadUnlock(hart);
    if (isInside) unmount(hart, superAt(index), true);
  }
}

/** Nobody can find anything of it any more. */
function endSuper(hart: Hart, superBlock: number): void {
  const root = hart.shared.get(superBlock + SUPER_ROOT);
  emptyTree(hart, root);
  dput(hart, root);
  fsWriteLock(hart);
  hart.shared.set(superBlock + SUPER_TYPE, 0);
  fsWriteUnlock(hart);
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
