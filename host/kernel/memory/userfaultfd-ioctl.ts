// What a monitor tells userfaultfd by ioctl: whose faults it wants, and what their pages are. The arguments are structs
// in user memory; results go back into them. (Linux: fs/userfaultfd.c)

import { HART_KERNEL_SCRATCH, UFFD_FEATURES, UFFD_MM } from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { toVpn } from "../../mm/call/range.ts";
import { mmgetNotZero, mmput } from "../../mm/mm.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import { fillPages, poisonPages } from "../../mm/userfaultfd/userfaultfd-fill.ts";
import { movePages } from "../../mm/userfaultfd/userfaultfd-move.ts";
import { continuePages } from "../../mm/userfaultfd/userfaultfd-shared.ts";
import { writeProtectPages } from "../../mm/userfaultfd/userfaultfd-wp.ts";
import type { Hart } from "../../policy/hart.ts";
import { isCapable } from "../process/cred.ts";
import { loadU64, storeI64, storeU64 } from "../registers.ts";
import { wakeRange } from "./userfaultfd.ts";
import { isChanging } from "./userfaultfd-events.ts";
import { isValidRange, register, unregister } from "./userfaultfd-register.ts";
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
    case uapi.UFFDIO_CONTINUE:
      return continueFault(hart, context, va);
    case uapi.UFFDIO_POISON:
      return poison(hart, context, va);
    case uapi.UFFDIO_MOVE:
      return move(hart, context, va);
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
  if ((features & uapi.UFFD_FEATURE_EVENT_FORK) !== 0 && !isCapable(hart)) return -EPERM;
  storeU64(hart, struct + 8, uapi.UFFD_FEATURES_ALL);
  shared.set(struct + 16, uapi.API_IOCTLS);
  shared.set(struct + 20, uapi.API_IOCTLS_HIGH);
  if (copyToUser(hart, va, struct, API_BYTES) < 0) return -EFAULT;
  const wanted = features | uapi.UFFD_INITIALIZED;
  return shared.compareExchange(context + UFFD_FEATURES, 0, wanted) === 0 ? 0 : -EINVAL;
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
  const done = inMm(hart, context, (mm) => fillPages(hart, mm, target, source, length, protects));
  return finishFill(hart, context, va + 32, target, length, done, (mode & uapi.COPY_MODE_DONTWAKE) === 0);
}

/** struct uffdio_zeropage: u64 start, len, mode; s64 zeropage. */
function zeropage(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  if (!isValidRange(start, length) || mode > uapi.ZEROPAGE_MODE_DONTWAKE) return -EINVAL;
  const done = inMm(hart, context, (mm) => fillPages(hart, mm, start, null, length, false));
  return finishFill(hart, context, va + 24, start, length, done, mode === 0);
}

/** struct uffdio_continue: u64 start, len, mode; s64 mapped. */
function continueFault(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  if (!isValidRange(start, length) || mode > (uapi.CONTINUE_MODE_DONTWAKE | uapi.CONTINUE_MODE_WP)) return -EINVAL;
  const protects = (mode & uapi.CONTINUE_MODE_WP) !== 0;
  const done = inMm(hart, context, (mm) => continuePages(hart, mm, start, length, protects));
  return finishFill(hart, context, va + 24, start, length, done, (mode & uapi.CONTINUE_MODE_DONTWAKE) === 0);
}

/** struct uffdio_poison: u64 start, len, mode; s64 updated. */
function poison(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 24) < 0) return -EFAULT;
  const [start, length, mode] = [loadU64(hart, struct), loadU64(hart, struct + 8), loadU64(hart, struct + 16)];
  if (!isValidRange(start, length) || mode > uapi.POISON_MODE_DONTWAKE) return -EINVAL;
  const done = inMm(hart, context, (mm) => poisonPages(hart, mm, start, length));
  return finishFill(hart, context, va + 24, start, length, done, mode === 0);
}

/** struct uffdio_move: u64 dst, src, len, mode; s64 move. */
function move(hart: Hart, context: number, va: number): number {
  const struct = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, struct, va, 32) < 0) return -EFAULT;
  const [target, source] = [loadU64(hart, struct), loadU64(hart, struct + 8)];
  const [length, mode] = [loadU64(hart, struct + 16), loadU64(hart, struct + 24)];
  if (!isValidRange(target, length) || !isValidRange(source, length)) return -EINVAL;
  if (mode > (uapi.MOVE_MODE_DONTWAKE | uapi.MOVE_MODE_ALLOW_SRC_HOLES)) return -EINVAL;
  const allowsHoles = (mode & uapi.MOVE_MODE_ALLOW_SRC_HOLES) !== 0;
  const done = inMm(hart, context, (mm) => movePages(hart, mm, context, target, source, length, allowsHoles));
  return finishFill(hart, context, va + 32, target, length, done, (mode & uapi.MOVE_MODE_DONTWAKE) === 0);
}

/** What `work` says of the address space whose faults these are; -ESRCH: it has ended; -EAGAIN: there are events. */
function inMm(hart: Hart, context: number, work: (mm: number) => number): number {
  if (isChanging(hart, context)) return -EAGAIN;
  const mm = hart.shared.get(context + UFFD_MM);
  if (!mmgetNotZero(hart, mm)) return -ESRCH;
  try {
    return work(mm);
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
  const protects = mode === uapi.WRITEPROTECT_MODE_WP;
  const [first, end] = [toVpn(start), toVpn(start + length)];
  const error = inMm(hart, context, (mm) => writeProtectPages(hart, mm, first, end, protects));
  if (error === 0 && mode === 0) wakeRange(hart, context, toVpn(start), toVpn(start + length));
  return error;
}
