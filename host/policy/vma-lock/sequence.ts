// The two numbers by which all write locks of vmas are dropped at once: a vma is write-locked while VMA_LOCK_SEQ is the
// MM_LOCK_SEQ of its mm, which is odd while mmap_lock is held for write. After 2^31 write locks the numbers come round:
// then a vma may look locked that is not, and the fault takes mmap_lock. (Linux: mm_lock_seq, vm_lock_seq)

import { MM_LOCK_SEQ, VMA_LOCK_SEQ } from "../../../assembly/layout.ts";
import { D_M19, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";

/** Of a vma that no writer has locked yet: even, so no writer's. */
export const NO_SEQ = -2;

/** By the caller's mm, which is alive, and never by that in the vma: it may be another's by now. */
export function isWriteLocked(hart: Hart, mm: number, vma: number): boolean {
  const { shared } = hart;
  const ofVma = shared.loadOnce(vma + VMA_LOCK_SEQ);
  const ofMm = shared.loadAcquire(mm + MM_LOCK_SEQ);
  if (MUTATIONS && hart.mutation === D_M19 && ofMm < 0) return false;
  return ofVma === ofMm;
}
