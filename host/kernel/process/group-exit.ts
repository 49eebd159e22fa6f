// The beginning of the end of a thread group: from here on every thread of it dies before it runs guest code again.

import {
  PROCESS_EXEC_TASK,
  PROCESS_EXIT_CODE,
  PROCESS_GROUP_EXIT,
  PROCESS_THREADS,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { killTaskLocked } from "../signal/notify.ts";

/**
 * Every thread of `process` but the current task is told to die; the first caller's wait status is the process's.
 * Requires: TASKLIST_LOCK. (zap_other_threads)
 */
export function startGroupExitLocked(hart: Hart, process: number, status: number): void {
  const { shared } = hart;
  if (shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0) return;
  shared.set(process + PROCESS_EXIT_CODE, status);
  shared.storeRelease(process + PROCESS_GROUP_EXIT, 1);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    killTaskLocked(hart, task);
  }
}

/** Does the current task stand in the way of another thread's execve? Then it ends. */
export function mustMakeRoom(hart: Hart, process: number): boolean {
  const execTask = hart.shared.loadAcquire(process + PROCESS_EXEC_TASK);
  return execTask !== 0 && execTask !== hart.current;
}
