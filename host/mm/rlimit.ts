// Resource limits of the process that the current task belongs to.

import { PROCESS_RLIMIT_BYTES, PROCESS_RLIMITS, TASK_PROCESS } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";

/** Soft limit `resource` (RLIMIT_*) in bytes; unlimited while no task runs (boot). RLIM_INFINITY exceeds any size. */
export function rlimitBytes(hart: HartLocal, resource: number): number {
  if (hart.current === 0) return Number.POSITIVE_INFINITY;
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  if (process === 0) return Number.POSITIVE_INFINITY;
  return hart.shared.getF64(process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES);
}
