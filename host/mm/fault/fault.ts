// The page-fault handler: from a faulting user address to a resolved PTE, or to the reason for a signal. The order of
// checks is Linux's (arch/riscv/mm/fault.c): vma, stack growth, permissions, then the page itself. Locks the vma for
// read (policy vma-lock), or takes mmap_lock where that is not to be had. Allocates no JavaScript object, and
// converges: whoever returns 0 may retry the access, and a fault that finds its PTE already good (another hart was
// faster, or this hart's TLB is stale) only drops the local translation.

import {
  ACCESS_FETCH,
  ACCESS_STORE,
  COUNTER_PGFAULT,
  COUNTER_SPURIOUS_FAULT,
  COUNTER_VMA_LOCK_RETRY,
  COUNTER_VMA_LOCK_SUCCESS,
  PAGE_BYTES,
  PTE_A,
  PTE_D,
  PTE_W,
  TASK_MAJ_FLT,
  TASK_MIN_FLT,
  VM_EXEC,
  VM_READ,
  VM_UFFD_WP,
  VM_WRITE,
  VMA_FLAGS,
  VMA_MAPPING,
  VMA_START,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { TRACE_MM_FAULT, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { faultOnHuge, mapHugeFrames } from "../huge/huge.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { makeRoom } from "../reclaim/make-room.ts";
import { mapSwapPage } from "../reclaim/swap-in.ts";
import { allocPte, HUGE_LEAF } from "../table/page-table.ts";
import { isGoodFor, isMarker, isSwapPte, isUffdWp, isVacant } from "../table/pte.ts";
import { isReaped } from "../table/set-pte.ts";
import { TASK_BYTES_USER } from "../uapi.ts";
import { emptyFault } from "../userfaultfd/userfaultfd-shared.ts";
import { VM_UFFD } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { mapNewFrame, mapZeroPage, wpPage } from "./anon.ts";
import {
  FAULT_BUS,
  FAULT_OK,
  FAULT_OOM,
  FAULT_RETRY,
  FAULT_SEGV_ACCERR,
  FAULT_SEGV_MAPERR,
  FAULT_USERFAULT,
} from "./fault-outcome.ts";
import { finishFaultIo, mapCachePage } from "./file-fault.ts";
import { speculativeFault } from "./speculative-fault.ts";
import { expandStack, isStackGuardHit } from "./stack.ts";

/** Resolves a fault of the current access (ACCESS_*) at user address `va`. Returns FAULT_*. */
export function handleMmFault(hart: Hart, mm: number, va: number, access: number): number {
  if (va >= 0 && va < TASK_BYTES_USER) return handlePageFault(hart, mm, (va / PAGE_BYTES) | 0, access);
  hart.count(COUNTER_PGFAULT);
  return FAULT_SEGV_MAPERR;
}

/** The same for a page of user space. */
export function handlePageFault(hart: Hart, mm: number, vpn: number, access: number): number {
  hart.count(COUNTER_PGFAULT);
  const outcome = resolveFault(hart, mm, vpn, access);
  trace(hart, TRACE_MM_FAULT, mm, vpn, access, outcome);
  return outcome;
}

function resolveFault(hart: Hart, mm: number, vpn: number, access: number): number {
  let isMajor = false; // however often it waits
  for (;;) {
    const outcome = tryFault(hart, mm, vpn, access);
    if (outcome === FAULT_OK) hart.countForTask(isMajor ? TASK_MAJ_FLT : TASK_MIN_FLT);
    if (outcome !== FAULT_RETRY && outcome !== FAULT_OOM) return outcome;
    if (outcome === FAULT_RETRY) isMajor = true;
    const finished = outcome === FAULT_OOM ? FAULT_OOM : finishFaultIo(hart);
    if (finished === FAULT_OOM && !makeRoom(hart)) return hart.waitForMemory?.(mm) ? FAULT_USERFAULT : FAULT_OOM;
    if (finished !== FAULT_OK && finished !== FAULT_OOM) return finished;
  }
}

function tryFault(hart: Hart, mm: number, vpn: number, access: number): number {
  const { vmaLock } = hart.policies;
  if (vmaLock.speculates && speculativeFault(hart, mm, vpn, access)) return FAULT_OK;
  if (vmaLock.locksVmas) {
    const vma = vmaLock.startRead(hart, mm, vpn);
    if (vma !== 0) {
      const outcome = faultInVma(hart, mm, vma, vpn, access);
      vmaLock.endRead(hart, vma);
      hart.count(outcome === FAULT_RETRY ? COUNTER_VMA_LOCK_RETRY : COUNTER_VMA_LOCK_SUCCESS);
      return outcome;
    }
  }
  return faultWithMmapLock(hart, mm, vpn, access);
}

function faultWithMmapLock(hart: Hart, mm: number, vpn: number, access: number): number {
  mmapReadLock(hart, mm);
  let vma = vmaFind(hart, mm, vpn);
  if (vma !== 0 && isStackGuardHit(hart, vma, vpn)) {
    mmapReadUnlock(hart, mm);
    if (!expandStack(hart, mm, vpn)) return FAULT_SEGV_MAPERR;
    mmapReadLock(hart, mm);
    vma = vmaFind(hart, mm, vpn);
  }
  const outcome = faultInVma(hart, mm, vma, vpn, access);
  mmapReadUnlock(hart, mm);
  return outcome;
}

/**
 * FAULT_*; on FAULT_RETRY the caller drops its locks and calls finishFaultIo. Requires: mmap_lock or the vma,
 * read-locked.
 */
export function faultInVma(hart: Hart, mm: number, vma: number, vpn: number, access: number): number {
  const { shared } = hart;
  if (vma === 0 || shared.get(vma + VMA_START) > vpn) return FAULT_SEGV_MAPERR;
  const flags = shared.get(vma + VMA_FLAGS);
  if (!isAllowed(flags, access)) return FAULT_SEGV_ACCERR;
  if (isReaped(hart, mm)) return FAULT_BUS;
  if (mapHugeFrames(hart, mm, vma, vpn)) return FAULT_OK;
  const pteAddress = allocPte(hart, mm, vpn);
  if (pteAddress === 0) return FAULT_OOM;
  if (pteAddress === HUGE_LEAF) {
    if (faultOnHuge(hart, mm, vma, vpn, access)) return FAULT_OK;
    return faultInVma(hart, mm, vma, vpn, access); // it has been split
  }
  for (;;) {
    const pte = shared.loadOnce(pteAddress);
    if (isVacant(pte)) {
      const kind = (flags & VM_UFFD) === 0 ? 0 : emptyFault(hart, vma, vpn, flags);
      if (kind !== 0) return userFault(hart, vma, vpn, pteAddress, kind, access);
      if (shared.get(vma + VMA_MAPPING) !== 0) return mapCachePage(hart, mm, vma, vpn, pteAddress, access);
      if (access !== ACCESS_STORE) return mapZeroPage(hart, pteAddress, flags);
      return mapNewFrame(hart, mm, vma, vpn, pteAddress);
    }
    if (isMarker(pte)) return FAULT_BUS; // poisoned
    if (isSwapPte(pte)) return mapSwapPage(hart, mm, vma, vpn, pteAddress, pte, access);
    if (access === ACCESS_STORE && isUffdWp(pte)) return userFault(hart, vma, vpn, pteAddress, VM_UFFD_WP, access);
    if (access === ACCESS_STORE && (pte & PTE_W) === 0) return wpPage(hart, mm, vma, vpn, pteAddress, pte);
    if (isGoodFor(pte, access)) {
      hart.count(COUNTER_SPURIOUS_FAULT);
      hart.core.flushVa(vpn * PAGE_BYTES);
      return FAULT_OK;
    }
    // Only A or D is missing (OPTION_TRAP_AD): the vma allows the access and mprotect keeps the entries in step. Set
    // them, unless the entry has just changed, and look again.
    const marks = access === ACCESS_STORE ? PTE_A | PTE_D : PTE_A;
    if (!isGoodFor(pte | marks, access)) throw new KernelBug("page-table entry disagrees with its vma", { vpn, pte });
    shared.compareExchange(pteAddress, pte, pte | marks);
  }
}

/** The page is what somebody else decides about. Requires: mmap_lock for read. */
function userFault(hart: Hart, vma: number, vpn: number, pteAddress: number, kind: number, access: number): number {
  return hart.userFault?.(hart, vma, vpn, pteAddress, kind, access) ?? FAULT_BUS;
}

/** Linux/riscv's access_error: PROT_WRITE implies reading. */
function isAllowed(flags: number, access: number): boolean {
  if (access === ACCESS_STORE) return (flags & VM_WRITE) !== 0;
  if (access === ACCESS_FETCH) return (flags & VM_EXEC) !== 0;
  return (flags & (VM_READ | VM_WRITE)) !== 0;
}
