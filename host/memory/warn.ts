// Warnings: what is wrong but not yet fatal, said once for the whole machine, in every build. (Linux: WARN_ON_ONCE)

import { MACHINE_BASE, MACHINE_WARNED } from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";

/** Bits of MACHINE_WARNED. */
export const WARN_VMA_REATTACH = 1 << 0;
export const WARN_VMA_REDETACH = 1 << 1;
export const WARN_VMA_NOT_LOCKED = 1 << 2;
export const WARN_VMA_NOT_DETACHED = 1 << 3;

/** False, and the first time for each `warning` a line for whoever runs the machine. */
export function warnOnce(hart: HartLocal, warning: number, text: string): false {
  const word = MACHINE_BASE + MACHINE_WARNED;
  const isNew = (hart.shared.loadOnce(word) & warning) === 0 && (hart.shared.fetchOr(word, warning) & warning) === 0;
  if (isNew) hart.warn?.(hart, text);
  return false;
}
