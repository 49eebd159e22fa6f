// A fault without any lock on its vma (policy vma-lock=speculative): what it needs is read under RCU, the page is made
// ready, and with the page-table lock held one look at MM_LOCK_SEQ tells whether anybody has taken mmap_lock for write
// since the beginning. If not, the entry is in place before a writer can be: he takes the same page-table lock for it
// later. Only the common case: a first touch of private anonymous memory whose page table is there.

import {
  ACCESS_STORE,
  COUNTER_VMA_LOCK_ABORT,
  COUNTER_VMA_LOCK_SUCCESS,
  MM_LOCK_SEQ,
  PTE_D,
  VM_SHARED,
  VM_WRITE,
  VMA_FLAGS,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";
import { frameAddress } from "../frame/page.ts";
import { freeFrame } from "../frame/page-refs.ts";
import { addRss } from "../rss.ts";
import { findPte } from "../table/page-table.ts";
import { leafPte } from "../table/pte.ts";
import { lockPte, unlockPte } from "../table/pte-lock.ts";
import { isReaped, setNewPte } from "../table/set-pte.ts";
import { VM_UFFD } from "../vma/vma.ts";
import { vmaWalk } from "../vma/vma-map.ts";
import { allocAnonFrame } from "./anon.ts";

/** True: resolved. False: nothing has changed, take mmap_lock. */
export function speculativeFault(hart: Hart, mm: number, vpn: number, access: number): boolean {
  const seq = hart.shared.loadAcquire(mm + MM_LOCK_SEQ);
  // The table may be gone at any moment, but not freed within the section.
  rcuReadLock(hart);
  const done = access === ACCESS_STORE && (seq & 1) === 0 && trySpeculate(hart, mm, vpn, seq);
  rcuReadUnlock(hart);
  hart.count(done ? COUNTER_VMA_LOCK_SUCCESS : COUNTER_VMA_LOCK_ABORT);
  if (done) addRss(hart, mm, 1);
  return done;
}

/** Requires: an RCU read section. */
function trySpeculate(hart: Hart, mm: number, vpn: number, seq: number): boolean {
  const { shared } = hart;
  const vma = vmaWalk(hart, mm, vpn);
  if (vma === 0) return false;
  const flags = shared.loadOnce(vma + VMA_FLAGS);
  if ((flags & (VM_WRITE | VM_SHARED | VM_UFFD)) !== VM_WRITE || shared.loadOnce(vma + VMA_MAPPING) !== 0) return false;
  const pteAddress = findPte(hart, mm, vpn);
  if (pteAddress === 0 || shared.loadOnce(pteAddress) !== 0) return false;
  const pfn = allocAnonFrame(hart, vma, vpn);
  if (pfn === 0) return false;
  hart.core.zeroPage(frameAddress(pfn));
  lockPte(hart, pteAddress);
  const isSame = shared.loadAcquire(mm + MM_LOCK_SEQ) === seq;
  const isValid = isSame && shared.loadOnce(pteAddress) === 0 && !isReaped(hart, mm);
  if (isValid) setNewPte(hart, pteAddress, leafPte(pfn, flags, true) | PTE_D);
  unlockPte(hart, pteAddress);
  if (!isValid) freeFrame(hart, pfn);
  return isValid;
}
