// Resource limits of the process that the current task belongs to.

import {
  MM_LOCKED_VM,
  PAGE_BYTES,
  PROCESS_RLIMIT_BYTES,
  PROCESS_RLIMITS,
  PROCESS_UIDS,
  TASK_PROCESS,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { RLIMIT_MEMLOCK } from "./uapi.ts";

/** The second word of PROCESS_UIDS is the effective user (kernel/process/cred.ts). */
const EFFECTIVE = 4;

/** May it do what RLIMIT_MEMLOCK and the like forbid? Root may; and at boot nobody is limited. */
export function isPrivileged(hart: HartLocal): boolean {
  const process = hart.current === 0 ? 0 : hart.shared.get(hart.current + TASK_PROCESS);
  return process === 0 || hart.shared.loadOnce(process + PROCESS_UIDS + EFFECTIVE) === 0;
}

/** May it lock anything at all? (can_do_mlock) */
export function mayLock(hart: HartLocal): boolean {
  return rlimitBytes(hart, RLIMIT_MEMLOCK) !== 0 || isPrivileged(hart);
}

/** May `pages` more of the mm be locked? (mlock_future_ok) */
export function mayLockPages(hart: HartLocal, mm: number, pages: number): boolean {
  const bytes = (hart.shared.get(mm + MM_LOCKED_VM) + pages) * PAGE_BYTES;
  return bytes <= rlimitBytes(hart, RLIMIT_MEMLOCK) || isPrivileged(hart);
}

/** Soft limit `resource` (RLIMIT_*) in bytes; unlimited while no task runs (boot). RLIM_INFINITY exceeds any size. */
export function rlimitBytes(hart: HartLocal, resource: number): number {
  if (hart.current === 0) return Number.POSITIVE_INFINITY;
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  if (process === 0) return Number.POSITIVE_INFINITY;
  return hart.shared.getF64(process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES);
}
