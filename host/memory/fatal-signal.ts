// Kernel loops over what a guest may make as long as it likes end early when the task is to die anyway: what they
// return is seen by nobody. (Linux: fatal_signal_pending)

import { PROCESS_GROUP_EXIT, TASK_PROCESS } from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";

/** The current task's thread group is on its way out. */
export function fatalSignalPending(hart: HartLocal): boolean {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  return process !== 0 && hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0;
}
