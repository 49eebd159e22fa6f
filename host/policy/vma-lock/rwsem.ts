// rwsem, rwsem-external: a reader-writer lock for each vma, inside it or in a record of its own. A fault takes it for
// read, and only if it can have it at once. A writer, who holds mmap_lock, takes it for a moment to see the readers
// gone, and leaves MM_LOCK_SEQ in the vma: as long as that is the mm's, the vma counts as locked, so that dropping
// mmap_lock unlocks all vmas together. Freed after a grace period, because a fault may have found the vma and not
// locked it yet. (Linux 6.4, where the lock was moved out of the vma for false sharing; v9 of the series of 2025, 1-2)

import {
  COUNTER_CALL_RCU_VMA,
  COUNTER_VMA_LOCK_ABORT,
  COUNTER_VMA_LOCK_MISS,
  MM_LOCK_SEQ,
  POOL_VMA_LOCK,
  RWSEM_WORD,
  VMA_DETACHED,
  VMA_END,
  VMA_EXTERNAL_LOCK,
  VMA_LOCK_SEQ,
  VMA_RWSEM,
  VMA_START,
} from "../../../assembly/layout.ts";
import { D_M3, D_M16, MUTATIONS } from "../../memory/mutation.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { readTryLock, readUnlock, writeLock, writeUnlock } from "../../memory/rwlock.ts";
import { SCHEDULE_POINTS } from "../../memory/schedule.ts";
import { kmemCacheAlloc } from "../../memory/slab.ts";
import type { Hart } from "../hart.ts";
import type { MmFrame, VmaLock } from "../seams.ts";
import { isAttached, setAttached, setDetached } from "./detached.ts";
import { isWriteLocked, NO_SEQ } from "./sequence.ts";

/** What tryLock says; else it has the lock. */
const FAILED = 0;
const DETACHED = 1;
const LOCKED = 2;

export function makeRwsem(frame: MmFrame): VmaLock {
  return makeWithLock(frame, "rwsem", (_hart, vma) => vma + VMA_RWSEM, initInside);
}

export function makeRwsemExternal(frame: MmFrame): VmaLock {
  const lockOf = (hart: Hart, vma: number) => hart.shared.get(vma + VMA_EXTERNAL_LOCK) + RWSEM_WORD;
  return makeWithLock(frame, "rwsem-external", lockOf, initOutside);
}

type LockOf = (hart: Hart, vma: number) => number;

function makeWithLock(frame: MmFrame, name: string, lockOf: LockOf, init: VmaLock["init"]): VmaLock {
  return {
    name,
    locksVmas: true,
    speculates: false,
    init,

    startRead(hart: Hart, mm: number, vpn: number): number {
      rcuReadLock(hart);
      for (;;) {
        const vma = frame.walkVmas(hart, mm, vpn);
        const outcome = vma === 0 ? FAILED : tryLock(hart, mm, vma, lockOf(hart, vma), vpn);
        if (outcome === DETACHED) {
          hart.count(COUNTER_VMA_LOCK_MISS);
          continue; // the map has changed: look again
        }
        rcuReadUnlock(hart);
        if (outcome === LOCKED) return vma;
        hart.count(COUNTER_VMA_LOCK_ABORT);
        return 0;
      }
    },

    startReadLocked(hart: Hart, _mm: number, vma: number): boolean {
      return readTryLock(hart, lockOf(hart, vma));
    },

    endRead(hart: Hart, vma: number): void {
      if (SCHEDULE_POINTS) hart.shared.observer?.vmaReadDropped(hart.id, vma);
      readUnlock(hart, lockOf(hart, vma));
    },

    startWrite(hart: Hart, mm: number, vma: number): void {
      const { shared } = hart;
      const seq = shared.get(mm + MM_LOCK_SEQ);
      if (shared.loadOnce(vma + VMA_LOCK_SEQ) === seq) return;
      const lock = lockOf(hart, vma);
      writeLock(hart, lock);
      shared.storeOnce(vma + VMA_LOCK_SEQ, seq);
      writeUnlock(hart, lock);
    },

    attach: setAttached,
    detach: setDetached,
    isAttached,

    free(hart: Hart, vma: number): void {
      hart.count(COUNTER_CALL_RCU_VMA);
      frame.freeVmaLater(hart, vma);
    },
  };
}

function initInside(hart: Hart, vma: number): boolean {
  hart.shared.set(vma + VMA_DETACHED, 1);
  hart.shared.set(vma + VMA_RWSEM, 0);
  hart.shared.set(vma + VMA_LOCK_SEQ, NO_SEQ);
  return true;
}

function initOutside(hart: Hart, vma: number): boolean {
  const lock = kmemCacheAlloc(hart, POOL_VMA_LOCK);
  if (lock === 0) return false;
  hart.shared.set(lock + RWSEM_WORD, 0);
  hart.shared.set(vma + VMA_EXTERNAL_LOCK, lock);
  return initInside(hart, vma);
}

/** Requires: a read section in which the vma was found. */
function tryLock(hart: Hart, mm: number, vma: number, lock: number, vpn: number): number {
  const { shared } = hart;
  if (isWriteLocked(hart, mm, vma)) return FAILED;
  if (!readTryLock(hart, lock)) return FAILED;
  let outcome = LOCKED;
  // A writer may have come and gone since the first look, and then holds mmap_lock still.
  if (isWriteLocked(hart, mm, vma) && !(MUTATIONS && hart.mutation === D_M3)) outcome = FAILED;
  // Before the range: of a vma that is not in the map any more it means nothing.
  else if (MUTATIONS && hart.mutation === D_M16 && !contains(hart, vma, vpn)) outcome = FAILED;
  else if (shared.loadOnce(vma + VMA_DETACHED) !== 0) outcome = DETACHED;
  else if (!contains(hart, vma, vpn)) outcome = FAILED;
  if (outcome !== LOCKED) readUnlock(hart, lock);
  else if (SCHEDULE_POINTS) shared.observer?.vmaReadTaken(hart.id, mm, vma, vpn);
  return outcome;
}

/** Requires: the lock of the vma. */
function contains(hart: Hart, vma: number, vpn: number): boolean {
  const { shared } = hart;
  if (SCHEDULE_POINTS) shared.observer?.vmaRangeRead(hart.id, vma);
  return vpn >= shared.loadOnce(vma + VMA_START) && vpn < shared.loadOnce(vma + VMA_END);
}
