// FS_LOCK guards the tree of names: which dentry is whose child, and which inode it names. A path is walked with it
// held for read, so that no reference is taken on the way; whatever changes the tree holds it for write. It is a
// hart-wait lock: nothing that may wait, touch user memory or read the host is done under it.

import { MACHINE_BASE, MACHINE_FS_LOCK } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { readLock, readUnlock, writeLock, writeUnlock } from "../memory/rwlock.ts";

const FS_LOCK = MACHINE_BASE + MACHINE_FS_LOCK;

export function fsReadLock(hart: HartLocal): void {
  readLock(hart, FS_LOCK);
}

export function fsReadUnlock(hart: HartLocal): void {
  readUnlock(hart, FS_LOCK);
}

export function fsWriteLock(hart: HartLocal): void {
  writeLock(hart, FS_LOCK);
}

export function fsWriteUnlock(hart: HartLocal): void {
  writeUnlock(hart, FS_LOCK);
}
