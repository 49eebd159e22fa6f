// Process groups and sessions, as far as the terminal asks about them.

import { PROCESS_PGID, PROCESS_SID, TASK_PROCESS } from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { findTask } from "./task.ts";

/** Session of the process group `group`, 0 if there is no such group. Requires: TASKLIST_LOCK. */
export function groupSessionLocked(hart: Hart, group: number): number {
  const { shared } = hart;
  const task = findTask(shared, group);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  return process !== 0 && shared.get(process + PROCESS_PGID) === group ? shared.get(process + PROCESS_SID) : 0;
}

/** Is nobody left outside `group` who could continue it? Requires: TASKLIST_LOCK. */
export function isOrphanedGroupLocked(_hart: Hart, _group: number): boolean {
  return false;
}
