// struct itimerspec in user memory: interval, then value.

import { HART_KERNEL_SCRATCH } from "../../../assembly/layout.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadI64, storeU64 } from "../registers.ts";
import { NS_PER_SECOND } from "../uapi.ts";

export const PAIR_BYTES = 32; // also of struct itimerval

/** Both times in ns, -1 for one that is negative or not normalised; null: the address is bad. */
export function loadTimerPair(hart: Hart, va: number): { interval: number; value: number } | null {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, PAIR_BYTES) < 0) return null;
  return { interval: timeAt(hart, scratch, 1), value: timeAt(hart, scratch + 16, 1) };
}

/** {seconds, fractions of `unitNs`} in ns, or -1 if it is negative or not normalised. */
export function timeAt(hart: Hart, address: number, unitNs: number): number {
  const seconds = loadI64(hart, address);
  const fraction = loadI64(hart, address + 8);
  if (seconds < 0 || fraction < 0 || fraction >= NS_PER_SECOND / unitNs) return -1;
  return seconds * NS_PER_SECOND + fraction * unitNs;
}

/** Writes interval and value to `va`, in seconds and fractions of `unitNs`: 0 or -EFAULT. */
export function storeTimerPair(hart: Hart, va: number, intervalNs: number, valueNs: number, unitNs = 1): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  [intervalNs, valueNs].forEach((ns, i) => {
    const seconds = Math.floor(ns / NS_PER_SECOND);
    storeU64(hart, scratch + 16 * i, seconds);
    storeU64(hart, scratch + 16 * i + 8, Math.floor((ns - seconds * NS_PER_SECOND) / unitNs));
  });
  return copyToUser(hart, va, scratch, PAIR_BYTES);
}
