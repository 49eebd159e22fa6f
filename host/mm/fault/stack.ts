// Stacks grow down on a fault below them, as far as RLIMIT_STACK and the guard gap allow. (Linux: expand_downwards)

import { PAGE_BYTES, VM_GROWSDOWN, VM_LOCKED } from "../../../assembly/layout.ts";
import { ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mayExpandVm } from "../accounting.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { enoughMemory } from "../overcommit.ts";
import { mayLockPages, rlimitBytes } from "../rlimit.ts";
import { MMAP_MIN_ADDR, RLIMIT_STACK, STACK_GUARD_GAP_PAGES } from "../uapi.ts";
import { isAccountable, VM_ACCESS_FLAGS, vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind, vmaFindBelow } from "../vma/vma-map.ts";
import { settle, VmaTransaction } from "../vma/vma-transaction.ts";

/** Does a fault at `vpn`, for which the map found `vma`, ask a stack to grow? */
export function isStackGuardHit(hart: Hart, vma: number, vpn: number): boolean {
  return vmaStart(hart, vma) > vpn && (vmaFlags(hart, vma) & VM_GROWSDOWN) !== 0;
}

/** Grows the stack above `vpn` down to it. False: it may not. Takes mmap_lock for write. */
export function expandStack(hart: Hart, mm: number, vpn: number): boolean {
  mmapWriteLock(hart, mm);
  const vma = vmaFind(hart, mm, vpn);
  // Somebody may have grown, moved or unmapped it since the caller looked.
  let grown = vma !== 0;
  if (grown && isStackGuardHit(hart, vma, vpn)) grown = expandDownwards(hart, mm, vma, vpn);
  mmapWriteUnlock(hart, mm);
  return grown;
}

/** Requires: mmap_lock for write. */
function expandDownwards(hart: Hart, mm: number, vma: number, vpn: number): boolean {
  const start = vmaStart(hart, vma);
  if (vpn * PAGE_BYTES < MMAP_MIN_ADDR) return false;
  const below = vmaFindBelow(hart, mm, start);
  // Two stacks may touch; an area without any rights is itself a guard.
  if (below !== 0 && (vmaFlags(hart, below) & VM_GROWSDOWN) === 0) {
    const needsGap = (vmaFlags(hart, below) & VM_ACCESS_FLAGS) !== 0;
    if (needsGap && vpn - vmaEnd(hart, below) < STACK_GUARD_GAP_PAGES) return false;
  }
  if (!mayExpandVm(hart, mm, vmaFlags(hart, vma), start - vpn)) return false;
  if ((vmaEnd(hart, vma) - vpn) * PAGE_BYTES > rlimitBytes(hart, RLIMIT_STACK)) return false;
  const flags = vmaFlags(hart, vma);
  if ((flags & VM_LOCKED) !== 0 && !mayLockPages(hart, mm, start - vpn)) return false;
  if (isAccountable(flags) && !enoughMemory(hart, mm, start - vpn)) return false;
  const change = new VmaTransaction(hart, mm);
  return settle(change, change.resize(vma, vpn, vmaEnd(hart, vma)), ENOMEM) === 0;
}
