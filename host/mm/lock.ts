// mmap_lock: who may change an address space (writer) and who may rely on it (readers). See README.md, "Lock order".

import {
  COUNTER_MMAP_LOCK_READ,
  COUNTER_MMAP_LOCK_WAIT,
  COUNTER_MMAP_LOCK_WRITE,
  MM_LOCK,
  MM_LOCK_OWNER,
  MM_LOCK_SEQ,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { D_M13, MUTATIONS } from "../memory/mutation.ts";
import { downgradeWrite, readLock, readUnlock, writeLock, writeUnlock } from "../memory/rwlock.ts";
import {
  TRACE_MMAP_LOCK_ACQUIRE_RETURNED,
  TRACE_MMAP_LOCK_RELEASED,
  TRACE_MMAP_LOCK_START_LOCKING,
  trace,
} from "../memory/trace.ts";

/** What the events of mmap_lock say. */
const READ = 0;
const WRITE = 1;

export function mmapReadLock(hart: HartLocal, mm: number): void {
  hart.count(COUNTER_MMAP_LOCK_READ);
  trace(hart, TRACE_MMAP_LOCK_START_LOCKING, mm, READ);
  if (readLock(hart, mm + MM_LOCK)) hart.count(COUNTER_MMAP_LOCK_WAIT);
  trace(hart, TRACE_MMAP_LOCK_ACQUIRE_RETURNED, mm, READ);
}

export function mmapReadUnlock(hart: HartLocal, mm: number): void {
  readUnlock(hart, mm + MM_LOCK);
  trace(hart, TRACE_MMAP_LOCK_RELEASED, mm, READ);
}

/** MM_LOCK_SEQ is odd while the lock is held for write, so that a lockless reader can tell that it lost. */
export function mmapWriteLock(hart: HartLocal, mm: number): void {
  hart.count(COUNTER_MMAP_LOCK_WRITE);
  trace(hart, TRACE_MMAP_LOCK_START_LOCKING, mm, WRITE);
  if (writeLock(hart, mm + MM_LOCK)) hart.count(COUNTER_MMAP_LOCK_WAIT);
  trace(hart, TRACE_MMAP_LOCK_ACQUIRE_RETURNED, mm, WRITE);
  hart.shared.set(mm + MM_LOCK_OWNER, hart.id + 1);
  const old = hart.shared.fetchAdd(mm + MM_LOCK_SEQ, 1);
  if ((old & 1) !== 0) throw new KernelBug("mmap_lock was dropped without unlocking the vmas", { mm, sequence: old });
}

export function mmapWriteUnlock(hart: HartLocal, mm: number): void {
  endWrite(hart, mm);
  writeUnlock(hart, mm + MM_LOCK);
  trace(hart, TRACE_MMAP_LOCK_RELEASED, mm, WRITE);
}

/** From writer to reader; no other writer comes in between. */
export function mmapWriteDowngrade(hart: HartLocal, mm: number): void {
  if (!(MUTATIONS && hart.mutation === D_M13)) endWrite(hart, mm);
  downgradeWrite(hart, mm + MM_LOCK);
  trace(hart, TRACE_MMAP_LOCK_ACQUIRE_RETURNED, mm, READ);
}

/** Unlocks all vmas. Release: who sees it sees what was done to them. (Linux: vma_end_write_all) */
function endWrite(hart: HartLocal, mm: number): void {
  hart.shared.storeRelease(mm + MM_LOCK_SEQ, (hart.shared.get(mm + MM_LOCK_SEQ) + 1) | 0);
  hart.shared.set(mm + MM_LOCK_OWNER, 0);
}
