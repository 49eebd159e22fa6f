// mmap_lock: who may change an address space (writer) and who may rely on it (readers). See README.md, "Lock order".

import {
  COUNTER_MMAP_LOCK_READ,
  COUNTER_MMAP_LOCK_WRITE,
  MM_LOCK,
  MM_LOCK_OWNER,
  MM_LOCK_SEQ,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { downgradeWrite, readLock, readUnlock, writeLock, writeUnlock } from "../memory/rwlock.ts";

export function mmapReadLock(hart: HartLocal, mm: number): void {
  hart.count(COUNTER_MMAP_LOCK_READ);
  readLock(hart, mm + MM_LOCK);
}

export function mmapReadUnlock(hart: HartLocal, mm: number): void {
  readUnlock(hart, mm + MM_LOCK);
}

/** MM_LOCK_SEQ is odd while the lock is held for write, so that a lockless reader can tell that it lost. */
export function mmapWriteLock(hart: HartLocal, mm: number): void {
  hart.count(COUNTER_MMAP_LOCK_WRITE);
  writeLock(hart, mm + MM_LOCK);
  hart.shared.set(mm + MM_LOCK_OWNER, hart.id + 1);
  hart.shared.fetchAdd(mm + MM_LOCK_SEQ, 1);
}

export function mmapWriteUnlock(hart: HartLocal, mm: number): void {
  endWrite(hart, mm);
  writeUnlock(hart, mm + MM_LOCK);
}

/** From writer to reader; no other writer comes in between. */
export function mmapWriteDowngrade(hart: HartLocal, mm: number): void {
  endWrite(hart, mm);
  downgradeWrite(hart, mm + MM_LOCK);
}

function endWrite(hart: HartLocal, mm: number): void {
  hart.shared.fetchAdd(mm + MM_LOCK_SEQ, 1);
  hart.shared.set(mm + MM_LOCK_OWNER, 0);
}
