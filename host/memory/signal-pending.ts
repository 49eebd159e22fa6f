// Whether the current task has a signal to look at. Calls that wait end then; loops over what a guest may make as long
// as it likes end early when the task is to die anyway: what they return is seen by nobody.

import { PROCESS_GROUP_EXIT, TASK_PROCESS, TASK_SIGNAL_PENDING } from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";

/** The current task has something to look at: a call that waits must return -ERESTART* or what it has. */
export function signalPending(hart: HartLocal): boolean {
  return hart.shared.loadAcquire(hart.current + TASK_SIGNAL_PENDING) !== 0;
}

/** The current task's thread group is on its way out. (Linux: fatal_signal_pending) */
export function fatalSignalPending(hart: HartLocal): boolean {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  return process !== 0 && hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0;
}
