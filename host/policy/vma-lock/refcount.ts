// refcount, refcount-typesafe: one word in the vma says who has it.
//
//   0             detached: in no map                       WRITER + 1 + r   a writer waits for r readers
//   1             attached; perhaps write-locked            WRITER + 1       a writer has seen the last of them go
//   1 + r         attached, r readers                       WRITER + r       being detached, with r late readers
//
// As with rwsem, a writer keeps the vma by leaving MM_LOCK_SEQ in it and drops all vmas together with mmap_lock.
//
// refcount frees a vma after a grace period. refcount-typesafe gives the record back at once, and it may become another
// vma while somebody still looks at the old one: of another place, or of another mm. It stays a vma, so the word can be
// counted up, and once that is done nothing of the vma changes any more; each check after it is for one of the lives
// that the record may have begun meanwhile. (Linux 6.15: vma_start_read, vma_start_write, with the fix of July 2025)

import {
  COUNTER_CALL_RCU_VMA,
  COUNTER_VMA_LOCK_ABORT,
  COUNTER_VMA_LOCK_MISS,
  COUNTER_VMA_REUSE_IN_GP,
  MM_LOCK_SEQ,
  VMA_END,
  VMA_FREED_GP,
  VMA_LOCK_SEQ,
  VMA_MM,
  VMA_REFCNT,
  VMA_START,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { D_M1, D_M2, D_M3, D_M4, D_M5A, D_M6, D_M9, D_M10, D_M11, D_M23, MUTATIONS } from "../../memory/mutation.ts";
import { rcuHasPassed, rcuReadLock, rcuReadUnlock, rcuStamp } from "../../memory/rcu.ts";
import { SCHEDULE_POINTS } from "../../memory/schedule.ts";
import {
  WARN_VMA_NOT_DETACHED,
  WARN_VMA_NOT_LOCKED,
  WARN_VMA_REATTACH,
  WARN_VMA_REDETACH,
  warnOnce,
} from "../../memory/warn.ts";
import type { Hart } from "../hart.ts";
import { addMmCount } from "../lazy-tlb/mm-count.ts";
import type { MmFrame, VmaLock } from "../seams.ts";
import { dumpVma } from "./dump.ts";
import { isWriteLocked, NO_SEQ } from "./sequence.ts";
import {
  dropWriter,
  GOT,
  putReader,
  tryAddWriter,
  tryGetReader,
  VMA_WRITER,
  WAS_DETACHED,
  waitForReaders,
} from "./vm-refcnt.ts";

export function makeRefcount(frame: MmFrame): VmaLock {
  return {
    ...makeLock(frame),
    name: "refcount",

    free(hart: Hart, vma: number): void {
      hart.count(COUNTER_CALL_RCU_VMA);
      frame.freeVmaLater(hart, vma);
    },
  };
}

export function makeRefcountTypesafe(frame: MmFrame): VmaLock {
  return makeLock(frame);
}

function makeLock(frame: MmFrame): VmaLock {
  return {
    name: "refcount-typesafe",
    locksVmas: true,
    speculates: false,

    /** The count is left alone: it is 0, and somebody who found an earlier vma here may be looking at it. */
    init(hart: Hart, vma: number, source: number): boolean {
      const { shared } = hart;
      shared.storeOnce(vma + VMA_LOCK_SEQ, NO_SEQ);
      if (!rcuHasPassed(hart, shared.get(vma + VMA_FREED_GP))) hart.count(COUNTER_VMA_REUSE_IN_GP);
      if (MUTATIONS && hart.mutation === D_M6 && source !== 0) {
        shared.storeOnce(vma + VMA_REFCNT, shared.loadOnce(source + VMA_REFCNT));
      }
      return true;
    },

    startRead(hart: Hart, mm: number, vpn: number): number {
      rcuReadLock(hart);
      for (;;) {
        const vma = frame.walkVmas(hart, mm, vpn);
        if (vma === 0 || looksLocked(hart, mm, vma)) break;
        const got = tryGetReader(hart, vma);
        if (got === WAS_DETACHED) {
          hart.count(COUNTER_VMA_LOCK_MISS);
          continue; // the map has changed: look again
        }
        if (got !== GOT) break;
        const owner = hart.shared.loadOnce(vma + VMA_MM);
        if (owner !== mm && !(MUTATIONS && (hart.mutation === D_M2 || hart.mutation === D_M4))) {
          rcuReadUnlock(hart);
          return putForeign(hart, frame, owner, vma, vpn);
        }
        if (!isStillIt(hart, mm, vma, vpn)) {
          putReader(hart, vma);
          break;
        }
        rcuReadUnlock(hart);
        if (SCHEDULE_POINTS) hart.shared.observer?.vmaReadTaken(hart.id, mm, vma, vpn);
        return vma;
      }
      rcuReadUnlock(hart);
      hart.count(COUNTER_VMA_LOCK_ABORT);
      return 0;
    },

    startReadLocked(hart: Hart, _mm: number, vma: number): boolean {
      return tryGetReader(hart, vma) === GOT;
    },

    endRead(hart: Hart, vma: number): void {
      if (SCHEDULE_POINTS) hart.shared.observer?.vmaReadDropped(hart.id, vma);
      putReader(hart, vma);
    },

    startWrite(hart: Hart, mm: number, vma: number): void {
      const { shared } = hart;
      const seq = shared.get(mm + MM_LOCK_SEQ);
      if (shared.loadOnce(vma + VMA_LOCK_SEQ) === seq) return;
      // A vma that is not attached has no readers.
      const counted = tryAddWriter(hart, vma);
      if (counted) waitForReaders(hart, mm, vma, VMA_WRITER + 1);
      shared.storeOnce(vma + VMA_LOCK_SEQ, seq);
      if (counted && dropWriter(hart, vma) === 0) throw new KernelBug("a vma was detached while write-locked", { vma });
    },

    attach(hart: Hart, mm: number, vma: number): boolean {
      const { shared } = hart;
      const isLocked = assertWriteLocked(hart, mm, vma);
      const wasDetached = shared.loadOnce(vma + VMA_REFCNT) === 0;
      if (!wasDetached) warnOnce(hart, WARN_VMA_REATTACH, `attached twice: ${dumpVma(hart, vma)}`);
      // Release: whoever counts himself in sees all of this vma, and nothing of the one before it.
      else if (MUTATIONS && hart.mutation === D_M5A) shared.storeOnce(vma + VMA_REFCNT, 1);
      else shared.storeRelease(vma + VMA_REFCNT, 1);
      return isLocked && wasDetached;
    },

    detach(hart: Hart, mm: number, vma: number): boolean {
      const isLocked = assertWriteLocked(hart, mm, vma);
      if (hart.shared.loadOnce(vma + VMA_REFCNT) === 0) {
        return warnOnce(hart, WARN_VMA_REDETACH, `detached twice: ${dumpVma(hart, vma)}`);
      }
      if (putReader(hart, vma) === 0) return isLocked;
      // Readers that found the vma before it left the map are on their way out: they see that it is locked, or
      // another's. If the last one leaves in between, there is nobody to wait for.
      if (MUTATIONS && hart.mutation === D_M11) return isLocked;
      const counted = tryAddWriter(hart, vma);
      if (!counted && !(MUTATIONS && hart.mutation === D_M23)) return isLocked;
      waitForReaders(hart, mm, vma, VMA_WRITER);
      if (dropWriter(hart, vma) !== 0) throw new KernelBug("a detached vma has readers", { vma });
      return isLocked;
    },

    isAttached(hart: Hart, vma: number): boolean {
      return (hart.shared.loadOnce(vma + VMA_REFCNT) & (VMA_WRITER - 1)) !== 0;
    },

    free(hart: Hart, vma: number): void {
      const { shared } = hart;
      if (shared.loadOnce(vma + VMA_REFCNT) !== 0) {
        warnOnce(hart, WARN_VMA_NOT_DETACHED, `freed while attached: ${dumpVma(hart, vma)}`);
      }
      shared.set(vma + VMA_FREED_GP, rcuStamp(hart));
      frame.freeVma(hart, vma);
    },
  };
}

/** The cheap look before the count is touched; it decides nothing. */
function looksLocked(hart: Hart, mm: number, vma: number): boolean {
  if (MUTATIONS && hart.mutation === D_M4) return isLockedInItsMm(hart, vma);
  return isWriteLocked(hart, mm, vma);
}

/** Requires: counted in. False: a writer came before the count, or the record is a vma of another place by now. */
function isStillIt(hart: Hart, mm: number, vma: number, vpn: number): boolean {
  const { shared } = hart;
  if (MUTATIONS && hart.mutation === D_M4) {
    if (isLockedInItsMm(hart, vma) || shared.loadOnce(vma + VMA_MM) !== mm) return false;
  } else if (isWriteLocked(hart, mm, vma) && !(MUTATIONS && hart.mutation === D_M3)) {
    return false;
  }
  if (MUTATIONS && hart.mutation === D_M1) return true;
  return vpn >= shared.loadOnce(vma + VMA_START) && vpn < shared.loadOnce(vma + VMA_END);
}

/** D-M4: as in version 9 of the series, whose mm may be gone. */
function isLockedInItsMm(hart: Hart, vma: number): boolean {
  const { shared } = hart;
  const owner = shared.loadOnce(vma + VMA_MM);
  return shared.loadOnce(vma + VMA_LOCK_SEQ) === shared.loadAcquire(owner + MM_LOCK_SEQ);
}

/**
 * The record is a vma of `owner` now. Its exit may wait for this very count, and be over as soon as that is gone: a
 * reference keeps the mm until its waiter is woken. No read section any more, because the last reference may wait;
 * from here on the vma is nobody's business. (Linux: "mm: fix a UAF when vma->mm is freed after vma->vm_refcnt got
 * dropped", July 2025)
 */
function putForeign(hart: Hart, frame: MmFrame, owner: number, vma: number, vpn: number): number {
  const holds = !(MUTATIONS && hart.mutation === D_M9);
  if (holds) addMmCount(hart, owner, 1);
  putReader(hart, vma);
  if (holds) frame.dropMm(hart, owner);
  if (MUTATIONS && hart.mutation === D_M10) {
    const { shared } = hart;
    if (vpn < shared.loadOnce(vma + VMA_END) && tryGetReader(hart, vma) === GOT) putReader(hart, vma);
  }
  hart.count(COUNTER_VMA_LOCK_ABORT);
  return 0;
}

function assertWriteLocked(hart: Hart, mm: number, vma: number): boolean {
  if (isWriteLocked(hart, mm, vma)) return true;
  return warnOnce(hart, WARN_VMA_NOT_LOCKED, `attached or detached without a lock: ${dumpVma(hart, vma)}`);
}
