// struct timespec and struct timeval in user memory, and the clocks they are read from. Times are nanoseconds in a
// number; absolute ones are turned into the monotonic clock, on which timers run.

import { HART_KERNEL_SCRATCH, MACHINE_BASE, MACHINE_BOOT_REALTIME_NS } from "../../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../../memory/errno.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadI64, storeU64 } from "../registers.ts";
import { NS_PER_SECOND } from "../uapi.ts";

export const TIMESPEC_BYTES = 16;
/** KTIME_MAX: what is longer waits for ever. */
const TIME_NS_MAX = 2 ** 63;

/** The timespec at `va` in ns, -EFAULT, or -EINVAL if it is negative or not normalised. */
export function loadTimespec(hart: Hart, va: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, TIMESPEC_BYTES) < 0) return -EFAULT;
  const seconds = loadI64(hart, scratch);
  const nanoseconds = loadI64(hart, scratch + 8);
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NS_PER_SECOND) return -EINVAL;
  return Math.min(seconds * NS_PER_SECOND + nanoseconds, TIME_NS_MAX);
}

/** 0 or -EFAULT. */
export function storeTimespec(hart: Hart, va: number, ns: number): number {
  return storePair(hart, va, ns, 1);
}

/** 0 or -EFAULT. */
export function storeTimeval(hart: Hart, va: number, ns: number): number {
  return storePair(hart, va, ns, 1000);
}

function storePair(hart: Hart, va: number, ns: number, divisor: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const seconds = Math.floor(ns / NS_PER_SECOND);
  storeU64(hart, scratch, seconds);
  storeU64(hart, scratch + 8, Math.floor((ns - seconds * NS_PER_SECOND) / divisor));
  return copyToUser(hart, va, scratch, TIMESPEC_BYTES);
}

/** Wall clock minus monotonic clock, ns. */
export function realtimeOffset(hart: Hart): number {
  return hart.shared.getF64(MACHINE_BASE + MACHINE_BOOT_REALTIME_NS);
}
