// What a monitor tells userfaultfd by ioctl: whose faults it wants, and what their pages are. The arguments are structs
// in user memory; results go back into them. (Linux: fs/userfaultfd.c)

import {
  HART_KERNEL_SCRATCH,
  PTE_COUNT,
  UFFD_FEATURES,
  UFFD_MM,
  VM_MAYWRITE,
  VM_SHARED,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
  VMA_MAPPING,
  VMA_UFFD,
} from "../../assembly/layout.ts";
import { EAGAIN, EBUSY, EFAULT, EINVAL, ENOMEM, EPERM, ESRCH } from "../memory/errno.ts";
import { splitHuge } from "../mm/huge-split.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../mm/lock.ts";
import { mmgetNotZero, mmput } from "../mm/mm.ts";
import { relieveVmaPools } from "../mm/pool-pressure.ts";
import { isPageAligned, toVpn } from "../mm/range.ts";
import { copyFromUser, copyToUser } from "../mm/uaccess.ts";
import { MMAP_MIN_ADDR, TASK_BYTES_USER } from "../mm/uapi.ts";
import { fillPages, markRange, writeProtectPages } from "../mm/userfaultfd.ts";
import { VM_UFFD, vmaEnd, vmaFlags, vmaStart } from "../mm/vma.ts";
import { vmaFind } from "../mm/vma-map.ts";
import { modifyVma } from "../mm/vma-modify.ts";
import { setVmaFlags } from "../mm/vma-transaction.ts";
import type { Hart } from "../policy/hart.ts";
import { loadU64, storeI64, storeU64 } from "./registers.ts";
import { wakeRange } from "./userfaultfd.ts";
import * as uapi from "./userfaultfd-uapi.ts";

/** FileOps.ioctl: 0 or -errno. */
export function controlUserfaultfd(hart: Hart, context: number, request: number, va: number): number {
  const isInitialized = (hart.shared.loadOnce(context + UFFD_FEATURES) & uapi.UFFD_INITIALIZED) !== 0;
  if (request !== uapi.UFFDIO_API && !isInitialized) return -EINVAL;
  switch (request) {
    case uapi.UFFDIO_API:
      return initialize(hart, context, va);
    case uapi.UFFDIO_REGISTER:
      return register(hart, context, va);
    case uapi.UFFDIO_UNREGISTER:
      return unregister(hart, context, va);
    case uapi.UFFDIO_WAKE:
      return wake(hart, context, va);
    case uapi.UFFDIO_COPY:
      return copy(hart, context, va);
    case uapi.UFFDIO_ZEROPAGE:
      return zeropage(hart, context, va);
    case uapi.UFFDIO_WRITEPROTECT:
      return writeProtect(hart, context, va);
    default:
      return -EINVAL;
  }
}

const API_BYTES = 24; // u64 api, features, ioctls

/** (userfaultfd_api) */
function initialize(hart: Hart, context: number, va: number): number {
  const { shared } = hart;
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, API_BYTES) < 0) return -EFAULT;
  const features = loadU64(hart, struct + 8);
  const isKnown = loadU64(hart, struct) === uapi.UFFD_API && features <= uapi.UFFD_FEATURES_ALL;
  if (!isKnown || (features & ~uapi.UFFD_FEATURES_ALL) !== 0) {
    hart.core.zeroBytes(struct, API_BYTES);
    return copyToUser(hart, va, struct, API_BYTES) < 0 ? -EFAULT : -EINVAL;
  }
  storeU64(hart, struct + 8, uapi.UFFD_FEATURES_ALL);
  shared.set(struct + 16, uapi.API_IOCTLS);
  shared.set(struct + 20, uapi.API_IOCTLS_HIGH);
  if (copyToUser(hart, va, struct, API_BYTES) < 0) return -EFAULT;
  const wanted = features | uapi.UFFD_INITIALIZED;
  return shared.compareExchange(context + UFFD_FEATURES, 0, wanted) === 0 ? 0 : -EINVAL;
}

/** struct uffdio_register: u64 start, len, mode, ioctls. (userfaultfd_register) */
function register(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  const known = uapi.REGISTER_MODE_MISSING | uapi.REGISTER_MODE_WP | uapi.REGISTER_MODE_MINOR;
  if (mode === 0 || mode > known) return -EINVAL;
  if (!isValidRange(start, length)) return -EINVAL;
  const protects = (mode & uapi.REGISTER_MODE_WP) !== 0;
  const flags = ((mode & uapi.REGISTER_MODE_MISSING) !== 0 ? VM_UFFD_MISSING : 0) | (protects ? VM_UFFD_WP : 0);
  const error = withVmas(hart, context, -ENOMEM, (mm) => {
    const refused = checkVmas(hart, mm, start, length, (vma) => {
      // Minor faults are those of shared memory, which can not be registered.
      if (!canUserfault(hart, vma) || (mode & uapi.REGISTER_MODE_MINOR) !== 0) return -EINVAL;
      if ((vmaFlags(hart, vma) & VM_MAYWRITE) === 0) return -EPERM;
      const owner = hart.shared.get(vma + VMA_UFFD);
      return owner !== 0 && owner !== context ? -EBUSY : 0;
    });
    return refused !== 0 ? refused : setRegistration(hart, mm, start, length, flags, context);
  });
  if (error !== 0) return error;
  storeU64(hart, struct, protects ? uapi.RANGE_IOCTLS : uapi.RANGE_IOCTLS & ~uapi.RANGE_WRITEPROTECT);
  return copyToUser(hart, va + 24, struct, 8);
}

/** struct uffdio_range: u64 start, len. (userfaultfd_unregister) */
function unregister(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 16) < 0) return -EFAULT;
  const [start, length] = [loadU64(hart, struct), loadU64(hart, struct + 8)];
  if (!isValidRange(start, length)) return -EINVAL;
  const error = withVmas(hart, context, -ENOMEM, (mm) => {
    const refused = checkVmas(hart, mm, start, length, (vma) => (canUserfault(hart, vma) ? 0 : -EINVAL));
    return refused !== 0 ? refused : setRegistration(hart, mm, start, length, 0, 0);
  });
  wakeRange(hart, context, toVpn(start), toVpn(start + length));
  return error;
}

function wake(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 16) < 0) return -EFAULT;
  const [start, length] = [loadU64(hart, struct), loadU64(hart, struct + 8)];
  if (!isValidRange(start, length)) return -EINVAL;
  wakeRange(hart, context, toVpn(start), toVpn(start + length));
  return 0;
}

/** struct uffdio_copy: u64 dst, src, len, mode; s64 copy. */
function copy(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 32) < 0) return -EFAULT;
  const [target, source] = [loadU64(hart, struct), loadU64(hart, struct + 8)];
  const [length, mode] = [loadU64(hart, struct + 16), loadU64(hart, struct + 24)];
  if (!isValidRange(target, length) || mode > (uapi.COPY_MODE_DONTWAKE | uapi.COPY_MODE_WP)) return -EINVAL;
  const protects = (mode & uapi.COPY_MODE_WP) !== 0;
  const done = fill(hart, context, target, source, length, protects);
  return finishFill(hart, context, va + 32, target, length, done, (mode & uapi.COPY_MODE_DONTWAKE) === 0);
}

/** struct uffdio_zeropage: u64 start, len, mode; s64 zeropage. */
function zeropage(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  if (!isValidRange(start, length) || mode > uapi.ZEROPAGE_MODE_DONTWAKE) return -EINVAL;
  const done = fill(hart, context, start, null, length, false);
  return finishFill(hart, context, va + 24, start, length, done, mode === 0);
}

/** Bytes or -errno; the address space may be one that has ended (-ESRCH). */
function fill(
  hart: Hart,
  context: number,
  start: number,
  source: number | null,
  length: number,
  protects: boolean,
): number {
  const mm = hart.shared.get(context + UFFD_MM);
  if (!mmgetNotZero(hart, mm)) return -ESRCH;
  try {
    return fillPages(hart, mm, start, source, length, protects);
  } finally {
    mmput(hart, mm);
  }
}

/** Says at `va` how much was done, and wakes who waited for that. 0, or -EAGAIN if it was not everything. */
function finishFill(
  hart: Hart,
  context: number,
  va: number,
  start: number,
  length: number,
  done: number,
  wakes: boolean,
): number {
  if (done === -ESRCH) return done;
  // Before the word that says so: if that must wait, they need not.
  if (done > 0 && wakes) wakeRange(hart, context, toVpn(start), toVpn(start + done));
  const struct = hart.base + HART_KERNEL_SCRATCH;
  storeI64(hart, struct, done);
  if (copyToUser(hart, va, struct, 8) < 0) return -EFAULT;
  if (done < 0) return done;
  return done === length ? 0 : -EAGAIN;
}

/** struct uffdio_writeprotect: u64 start, len, mode. */
function writeProtect(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  if (!isValidRange(start, length) || mode >= (uapi.WRITEPROTECT_MODE_WP | uapi.WRITEPROTECT_MODE_DONTWAKE)) {
    return -EINVAL;
  }
  const mm = hart.shared.get(context + UFFD_MM);
  if (!mmgetNotZero(hart, mm)) return -ESRCH;
  const protects = mode === uapi.WRITEPROTECT_MODE_WP;
  const error = writeProtectPages(hart, mm, toVpn(start), toVpn(start + length), protects);
  mmput(hart, mm);
  if (error === 0 && mode === 0) wakeRange(hart, context, toVpn(start), toVpn(start + length));
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

/** Private memory without a file. (vma_can_userfault) */
function canUserfault(hart: Hart, vma: number): boolean {
  return hart.shared.get(vma + VMA_MAPPING) === 0 && (vmaFlags(hart, vma) & VM_SHARED) === 0;
}

function isValidRange(start: number, length: number): boolean {
  if (!isPageAligned(start) || !isPageAligned(length) || length === 0) return false;
  return start >= MMAP_MIN_ADDR && start < TASK_BYTES_USER && length <= TASK_BYTES_USER - start;
}
