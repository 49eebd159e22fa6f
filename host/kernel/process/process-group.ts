// Process groups and sessions. A group or session is no object: it is there as long as some process, zombies included,
// has its number. All of it under TASKLIST_LOCK. (Linux: kernel/sys.c, kernel/exit.c)

import {
  PROCESS_FLAGS,
  PROCESS_LIVE,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_STATE,
  PROCESS_STOPPED,
  PROCESS_TGID,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import type { Hart } from "../../policy/hart.ts";
import { forEachProcessLocked } from "./task.ts";

/** Session of the process group `group`, 0 if there is no such group. */
export function groupSessionLocked(hart: Hart, group: number): number {
  const { shared } = hart;
  let session = 0;
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_PGID) === group) session = shared.get(process + PROCESS_SID);
  });
  return session;
}

/** Does the process lead its session? */
export function leadsSession(shared: SharedMemory, process: number): boolean {
  return shared.get(process + PROCESS_SID) === shared.get(process + PROCESS_TGID);
}

/**
 * Is group `pgid` orphaned: has none of its processes, `ignored` left out, a parent in another group of the same
 * session? (will_become_orphaned_pgrp) Linux leaves out children of its init, who is no shell. Here the first process
 * often is one, so its jobs are watched by it, as those of a container's first process are.
 */
export function isOrphanedGroupLocked(hart: Hart, pgid: number, ignored = 0): boolean {
  const { shared } = hart;
  let orphaned = true;
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_PGID) !== pgid || process === ignored) return;
    const parent = shared.get(process + PROCESS_PARENT);
    if (shared.get(process + PROCESS_STATE) !== PROCESS_LIVE || parent === 0) return;
    if (isBridge(shared, parent, process)) orphaned = false;
  });
  return orphaned;
}

/** Does `parent` connect the group of `process` to the rest of its session? */
export function isBridge(shared: SharedMemory, parent: number, process: number): boolean {
  return (
    shared.get(parent + PROCESS_PGID) !== shared.get(process + PROCESS_PGID) &&
    shared.get(parent + PROCESS_SID) === shared.get(process + PROCESS_SID)
  );
}

/** (has_stopped_jobs) */
export function hasStoppedJobsLocked(hart: Hart, pgid: number): boolean {
  const { shared } = hart;
  let stopped = false;
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_PGID) === pgid && (shared.get(process + PROCESS_FLAGS) & PROCESS_STOPPED) !== 0)
      stopped = true;
  });
  return stopped;
}
