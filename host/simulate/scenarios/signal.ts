// A word by which one hart of a scenario tells another that it has come so far. In the scratch space of hart 0, which
// no scenario uses otherwise.

import { HART_KERNEL_SCRATCH } from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { hartBase } from "../../memory/hart-local.ts";
import { waitWhileEqual } from "../../memory/park.ts";

function word(index: number): number {
  return hartBase(0) + HART_KERNEL_SCRATCH + 4 * index;
}

export function tell(hart: KernelHart, index: number, value = 1): void {
  hart.shared.storeRelease(word(index), value);
}

/** 0 until it is told. */
export function told(hart: KernelHart, index: number): number {
  return hart.shared.loadAcquire(word(index));
}

/** The value, as soon as there is one. */
export function awaitTold(hart: KernelHart, index: number): number {
  return waitWhileEqual(hart, word(index), 0);
}
