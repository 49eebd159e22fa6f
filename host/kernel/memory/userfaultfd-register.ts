// Which areas a userfaultfd hears of: registered by ioctl, until they are taken back, or the descriptor goes. (Linux:
// fs/userfaultfd.c)

import {
  HART_KERNEL_SCRATCH,
  PTE_COUNT,
  UFFD_MM,
  VM_MAYWRITE,
  VM_UFFD_MINOR,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
  VMA_MAPPING,
  VMA_UFFD,
} from "../../../assembly/layout.ts";
import { EBUSY, EFAULT, EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import { isPageAligned, toVpn } from "../../mm/call/range.ts";
import { splitHuge } from "../../mm/huge/huge-split.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../../mm/lock.ts";
import { mmgetNotZero, mmput } from "../../mm/mm.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import { MMAP_MIN_ADDR, TASK_BYTES_USER } from "../../mm/uapi.ts";
import { isShmemVma } from "../../mm/userfaultfd/userfaultfd-shared.ts";
import { markRange } from "../../mm/userfaultfd/userfaultfd-wp.ts";
import { relieveVmaPools } from "../../mm/vma/pool-pressure.ts";
import { VM_UFFD, vmaEnd, vmaFlags, vmaStart } from "../../mm/vma/vma.ts";
import { vmaFind } from "../../mm/vma/vma-map.ts";
import { modifyVma } from "../../mm/vma/vma-modify.ts";
import { setVmaFlags } from "../../mm/vma/vma-transaction.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64, storeU64 } from "../registers.ts";
import { wakeRange } from "./userfaultfd.ts";
import * as uapi from "./userfaultfd-uapi.ts";

/** struct uffdio_register: u64 start, len, mode, ioctls. (userfaultfd_register) */
export function register(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  const known = uapi.REGISTER_MODE_MISSING | uapi.REGISTER_MODE_WP | uapi.REGISTER_MODE_MINOR;
  if (mode === 0 || mode > known) return -EINVAL;
  if (!isValidRange(start, length)) return -EINVAL;
  const protects = (mode & uapi.REGISTER_MODE_WP) !== 0;
  const isMinor = (mode & uapi.REGISTER_MODE_MINOR) !== 0;
  const missing = (mode & uapi.REGISTER_MODE_MISSING) !== 0 ? VM_UFFD_MISSING : 0;
  const flags = missing | (protects ? VM_UFFD_WP : 0) | (isMinor ? VM_UFFD_MINOR : 0);
  const error = withVmas(hart, context, -ENOMEM, (mm) => {
    const refused = checkVmas(hart, mm, start, length, (vma) => {
      if (!canUserfault(hart, vma, flags)) return -EINVAL;
      if ((vmaFlags(hart, vma) & VM_MAYWRITE) === 0) return -EPERM;
      const owner = hart.shared.get(vma + VMA_UFFD);
      return owner !== 0 && owner !== context ? -EBUSY : 0;
    });
    return refused !== 0 ? refused : setRegistration(hart, mm, start, length, flags, context);
  });
  if (error !== 0) return error;
  const hidden = (protects ? 0 : uapi.RANGE_WRITEPROTECT) | (isMinor ? 0 : uapi.RANGE_CONTINUE);
  storeU64(hart, struct, uapi.RANGE_IOCTLS & ~hidden);
  return copyToUser(hart, va + 24, struct, 8);
}

/** struct uffdio_range: u64 start, len. (userfaultfd_unregister) */
export function unregister(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 16) < 0) return -EFAULT;
  const [start, length] = [loadU64(hart, struct), loadU64(hart, struct + 8)];
  if (!isValidRange(start, length)) return -EINVAL;
  const error = withVmas(hart, context, -ENOMEM, (mm) => {
    const refused = checkVmas(hart, mm, start, length, (vma) => (canUserfault(hart, vma, 0) ? 0 : -EINVAL));
    return refused !== 0 ? refused : setRegistration(hart, mm, start, length, 0, 0);
  });
  wakeRange(hart, context, toVpn(start), toVpn(start + length));
  return error;
}

/** The descriptor has gone: no area is registered with it any more. */
export function unregisterAll(hart: Hart, context: number): void {
  withVmas(hart, context, 0, (mm) => {
    for (let vma = vmaFind(hart, mm, 0); vma !== 0; ) {
      const end = vmaEnd(hart, vma);
      if (hart.shared.get(vma + VMA_UFFD) === context) release(hart, mm, vma);
      vma = vmaFind(hart, mm, end);
    }
    return 0;
  });
}

/** Requires: mmap_lock for write. It may join its neighbours, unless memory is too short even for that. */
function release(hart: Hart, mm: number, vma: number): void {
  const [start, end, flags] = [vmaStart(hart, vma), vmaEnd(hart, vma), vmaFlags(hart, vma)];
  if ((flags & VM_UFFD_WP) !== 0) markRange(hart, mm, vma, start, end, false);
  if (modifyVma(hart, mm, vma, start, end, flags & ~VM_UFFD) !== 0) setVmaFlags(hart, mm, vma, flags & ~VM_UFFD, 0);
}

/** Does `work` with mmap_lock held for write, unless the address space has ended: `ended`. */
function withVmas(hart: Hart, context: number, ended: number, work: (mm: number) => number): number {
  const mm = hart.shared.get(context + UFFD_MM);
  if (!mmgetNotZero(hart, mm)) return ended;
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const result = work(mm);
  mmapWriteUnlock(hart, mm);
  mmput(hart, mm);
  return result;
}

/** The first refusal among the areas of the range, -EINVAL if there is none, or 0. */
function checkVmas(hart: Hart, mm: number, start: number, length: number, check: (vma: number) => number): number {
  const end = toVpn(start + length);
  let vma = vmaFind(hart, mm, toVpn(start));
  if (vma === 0 || vmaStart(hart, vma) >= end) return -EINVAL;
  for (; vma !== 0 && vmaStart(hart, vma) < end; vma = vmaFind(hart, mm, vmaEnd(hart, vma))) {
    const error = check(vma);
    if (error !== 0) return error;
  }
  return 0;
}

/** The areas of the range are registered with `context` for what `flags` say: 0 or -ENOMEM. */
function setRegistration(
  hart: Hart,
  mm: number,
  start: number,
  length: number,
  flags: number,
  context: number,
): number {
  const last = toVpn(start + length);
  for (let vpn = toVpn(start); vpn < last; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) >= last) break;
    const [from, end, old] = [
      Math.max(vpn, vmaStart(hart, vma)),
      Math.min(last, vmaEnd(hart, vma)),
      vmaFlags(hart, vma),
    ];
    const wanted = context !== 0 && (old & flags) === flags ? old : (old & ~VM_UFFD) | flags;
    if ((old & ~wanted & VM_UFFD_WP) !== 0) markRange(hart, mm, vma, from, end, false);
    if (context !== 0) splitHugeRange(hart, mm, from, end);
    const error = modifyVma(hart, mm, vma, from, end, wanted, context);
    if (error !== 0) return error;
    vpn = end;
    hart.pollIrq();
  }
  return 0;
}

/** Pages are delivered, and write-protected, one by one. */
function splitHugeRange(hart: Hart, mm: number, start: number, end: number): void {
  for (let vpn = start; vpn < end; vpn = (vpn & -PTE_COUNT) + PTE_COUNT) {
    splitHuge(hart, mm, vpn);
    hart.pollIrq();
  }
}

/** Private memory without a file, or shared memory. (vma_can_userfault) */
function canUserfault(hart: Hart, vma: number, flags: number): boolean {
  if (isShmemVma(hart, vma)) return true;
  return hart.shared.get(vma + VMA_MAPPING) === 0 && (flags & VM_UFFD_MINOR) === 0;
}

export function isValidRange(start: number, length: number): boolean {
  if (!isPageAligned(start) || !isPageAligned(length) || length === 0) return false;
  return start >= MMAP_MIN_ADDR && start < TASK_BYTES_USER && length <= TASK_BYTES_USER - start;
}
