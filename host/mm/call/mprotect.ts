// mprotect: rights of vmas, and of the pages that are mapped already. (Linux: mm/mprotect.c)

import { PTE_X, VM_GROWSDOWN, VM_SEALED, VM_WRITE } from "../../../assembly/layout.ts";
import { EACCES, EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import { B_M14, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../../policy/hart.ts";
import { mayExpandVm } from "../accounting.ts";
import { isExclusive } from "../fault/anon.ts";
import { noteExecutable } from "../frame/page.ts";
import { protectHuge } from "../huge/huge-entries.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { enoughMemory } from "../overcommit.ts";
import { gatherBegin, gatherFinish, gatherPte, gatherUnlock } from "../table/gather.ts";
import { findHuge, findPte } from "../table/page-table.ts";
import { isSwapPte, PTE_BYTES, pteLosesRights, pteModify, ptePfn } from "../table/pte.ts";
import { chunkEnd, lockPte, unlockPte } from "../table/pte-lock.ts";
import { skipMissingTable } from "../table/zap.ts";
import { PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE, TASK_BYTES_USER } from "../uapi.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { isAccountable, protFlags, VM_ACCESS_FLAGS, vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { modifyVma } from "../vma/vma-modify.ts";
import { isPageAligned, pageAlign, toVpn } from "./range.ts";

const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM;
/** VM_MAYREAD and its companions stand this far above VM_READ. */
const VM_MAY_SHIFT = 4;

/** mprotect(2): 0 or -errno; on an error the vmas before the one that failed are changed, as in Linux. */
export function doMprotect(hart: Hart, mm: number, address: number, length: number, protAndGrows: number): number {
  const grows = protAndGrows & (PROT_GROWSDOWN | PROT_GROWSUP);
  const prot = protAndGrows & ~(PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP)) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  if (length === 0) return 0;
  const bytes = pageAlign(length);
  if (bytes === 0 || address + bytes >= 2 ** 64) return -ENOMEM;
  if ((prot & ~PROT_ALL) !== 0) return -EINVAL;
  if (address >= TASK_BYTES_USER) return -ENOMEM;
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const result = protectRange(hart, mm, toVpn(address), toVpn(address + bytes), prot, grows);
  mmapWriteUnlock(hart, mm);
  return result;
}

/** Requires: mmap_lock for write. */
function protectRange(hart: Hart, mm: number, address: number, end: number, prot: number, grows: number): number {
  const vma = vmaFind(hart, mm, address);
  if (vma === 0) return -ENOMEM;
  let vpn = address;
  if ((grows & PROT_GROWSDOWN) !== 0) {
    if (vmaStart(hart, vma) >= end) return -ENOMEM;
    if ((vmaFlags(hart, vma) & VM_GROWSDOWN) === 0) return -EINVAL;
    vpn = vmaStart(hart, vma);
  } else {
    if (vmaStart(hart, vma) > vpn) return -ENOMEM;
    if ((grows & PROT_GROWSUP) !== 0) return -EINVAL;
  }
  gatherBegin(hart, mm);
  const result = protectVmas(hart, mm, vpn, end, prot);
  gatherFinish(hart);
  return result;
}

/** Requires: mmap_lock for write, an open gather: what was changed before an error must be flushed too. */
function protectVmas(hart: Hart, mm: number, start: number, end: number, prot: number): number {
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) > vpn) return -ENOMEM;
    const flags = (vmaFlags(hart, vma) & ~VM_ACCESS_FLAGS) | protFlags(prot);
    if ((flags & ~(flags >>> VM_MAY_SHIFT) & VM_ACCESS_FLAGS) !== 0) return -EACCES;
    const partEnd = Math.min(end, vmaEnd(hart, vma));
    const error = protectVma(hart, mm, vma, vpn, partEnd, flags);
    if (error !== 0) return error;
    vpn = partEnd;
    hart.pollIrq();
  }
  return 0;
}

/** [start, end) of one vma. (Linux: mprotect_fixup) */
function protectVma(hart: Hart, mm: number, vma: number, start: number, end: number, flags: number): number {
  const old = vmaFlags(hart, vma);
  if ((old & VM_SEALED) !== 0) return -EPERM;
  if (flags === old) return 0;
  if ((flags & VM_WRITE) !== 0) {
    // RLIMIT_DATA counts what becomes writable; whoever is over it already may go on.
    if (!mayExpandVm(hart, mm, flags, end - start) && mayExpandVm(hart, mm, old, end - start)) return -ENOMEM;
    if (isAccountable(flags) && !isAccountable(old) && !enoughMemory(hart, mm, end - start)) return -ENOMEM;
  }
  const error = modifyVma(hart, mm, vma, start, end, flags);
  if (error !== 0) return error;
  changeProtection(hart, mm, start, end, flags);
  return 0;
}

/** Gives the mapped pages of [start, end) the rights of `flags`. Requires: mmap_lock for write, an open gather. */
function changeProtection(hart: Hart, mm: number, start: number, end: number, flags: number): void {
  for (let vpn = start; vpn < end; ) {
    const pte = findPte(hart, mm, vpn);
    if (pte === 0) {
      const isHuge = findHuge(hart, mm, vpn) !== 0;
      vpn = isHuge ? protectHuge(hart, mm, vpn, end, flags) : skipMissingTable(hart, mm, vpn);
      hart.pollIrq();
      continue;
    }
    const next = chunkEnd(vpn, end);
    changeChunk(hart, pte, vpn, next, flags);
    vpn = next;
    hart.pollIrq();
  }
}

function changeChunk(hart: Hart, first: number, start: number, end: number, flags: number): void {
  const { shared } = hart;
  lockPte(hart, first);
  for (let vpn = start, pte = first; vpn < end; vpn++, pte += PTE_BYTES) {
    for (;;) {
      const old = shared.loadOnce(pte);
      if (old === 0 || isSwapPte(old)) break;
      const next = pteModify(old, flags, isExclusive(hart, ptePfn(old), flags));
      if ((next & ~old & PTE_X) !== 0) noteExecutable(hart, ptePfn(old));
      // A walker may set A or D in between: then look again.
      if (shared.compareExchange(pte, old, next) !== old) continue;
      // New rights need no flush: whoever holds the old translation faults, finds the entry good, and drops it.
      if (pteLosesRights(old, next) && !(MUTATIONS && hart.mutation === B_M14)) gatherPte(hart, vpn);
      break;
    }
  }
  gatherUnlock(hart);
  unlockPte(hart, first);
}
