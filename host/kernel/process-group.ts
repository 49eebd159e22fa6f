// Process groups and sessions, as far as the terminal asks about them.

import { PROCESS_PGID, PROCESS_SID } from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { forEachProcessLocked } from "./task.ts";

/** Session of the process group `group`, 0 if it has no process. Requires: TASKLIST_LOCK. */
export function groupSessionLocked(hart: Hart, group: number): number {
  const { shared } = hart;
  let session = 0;
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_PGID) === group) session = shared.get(process + PROCESS_SID);
  });
  return session;
}
