// A vma to rely on, for whoever is no fault: read-locked if the policy locks vmas and there are not too many readers,
// else kept by mmap_lock. (Linux: uffd_lock_vma and lock_vma in mm/userfaultfd.c)

import { EAGAIN } from "../../memory/errno.ts";
import { D_M21, MUTATIONS } from "../../memory/mutation.ts";
import { SCHEDULE_POINTS } from "../../memory/schedule.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { vmaWalk } from "./vma-map.ts";

/** The vma of page `vpn`, 0: there is none, or -EAGAIN: too many have it. unlockVma gives it back. No lock held. */
export function lockVma(hart: Hart, mm: number, vpn: number): number {
  const { vmaLock } = hart.policies;
  const quick = vmaLock.locksVmas ? vmaLock.startRead(hart, mm, vpn) : 0;
  if (quick !== 0) return quick;
  mmapReadLock(hart, mm);
  const vma = vmaWalk(hart, mm, vpn);
  if (vma !== 0 && !vmaLock.locksVmas) return vma; // by mmap_lock, until unlockVma
  const refused = vma !== 0 && !vmaLock.startReadLocked(hart, mm, vma);
  if (SCHEDULE_POINTS && vma !== 0 && !refused) hart.shared.observer?.vmaReadTaken(hart.id, mm, vma, vpn);
  mmapReadUnlock(hart, mm);
  return refused && !(MUTATIONS && hart.mutation === D_M21) ? -EAGAIN : vma;
}

/** Requires: a vma that lockVma gave. */
export function unlockVma(hart: Hart, mm: number, vma: number): void {
  const { vmaLock } = hart.policies;
  if (vmaLock.locksVmas) vmaLock.endRead(hart, vma);
  else mmapReadUnlock(hart, mm);
}
