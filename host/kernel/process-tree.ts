// Who descends from whom: the children of a process, who takes them over when it ends, and which process groups have
// nobody outside to watch them. All of it under TASKLIST_LOCK. (Linux: kernel/exit.c)

import {
  MACHINE_BASE,
  MACHINE_INIT_TASK,
  PROCESS_CHILD_SUBREAPER,
  PROCESS_CHILDREN,
  PROCESS_FLAGS,
  PROCESS_LIVE,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_SIBLING_NEXT,
  PROCESS_SIBLING_PREV,
  PROCESS_SID,
  PROCESS_STATE,
  PROCESS_STOPPED,
  TASK_PROCESS,
} from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";
import type { Hart } from "../policy/hart.ts";
import { forEachProcessLocked } from "./task.ts";

/** The process whose end is the machine's. It stays in memory as long as the machine runs. */
export function initProcess(shared: SharedMemory): number {
  return shared.get(shared.get(MACHINE_BASE + MACHINE_INIT_TASK) + TASK_PROCESS);
}

/** `child` becomes the youngest child of `parent`. */
export function linkChildLocked(shared: SharedMemory, parent: number, child: number): void {
  const next = shared.get(parent + PROCESS_CHILDREN);
  shared.set(child + PROCESS_PARENT, parent);
  shared.set(child + PROCESS_SIBLING_PREV, 0);
  shared.set(child + PROCESS_SIBLING_NEXT, next);
  if (next !== 0) shared.set(next + PROCESS_SIBLING_PREV, child);
  shared.set(parent + PROCESS_CHILDREN, child);
}

/** `child` is in nobody's list any more; PROCESS_PARENT is left as it is. */
export function unlinkChildLocked(shared: SharedMemory, child: number): void {
  const next = shared.get(child + PROCESS_SIBLING_NEXT);
  const previous = shared.get(child + PROCESS_SIBLING_PREV);
  if (next !== 0) shared.set(next + PROCESS_SIBLING_PREV, previous);
  if (previous !== 0) shared.set(previous + PROCESS_SIBLING_NEXT, next);
  else shared.set(shared.get(child + PROCESS_PARENT) + PROCESS_CHILDREN, next);
}

/** Who gets the children of `process`: the nearest ancestor that asked for them, else init. (find_new_reaper) */
export function reaperOfLocked(shared: SharedMemory, process: number): number {
  const init = initProcess(shared);
  let ancestor = shared.get(process + PROCESS_PARENT);
  for (; ancestor !== 0 && ancestor !== init; ancestor = shared.get(ancestor + PROCESS_PARENT)) {
    const isSubreaper = (shared.get(ancestor + PROCESS_FLAGS) & PROCESS_CHILD_SUBREAPER) !== 0;
    if (isSubreaper && shared.get(ancestor + PROCESS_STATE) === PROCESS_LIVE) return ancestor;
  }
  return init;
}

/**
 * Is group `pgid` orphaned: has none of its processes, `ignored` left out, a parent in another group of the same
 * session? (will_become_orphaned_pgrp) Linux leaves out children of its init, who is no shell. Here the first process
 * often is one, so its jobs are watched by it, as those of a container's first process are.
 */
export function isOrphanedPgrpLocked(hart: Hart, pgid: number, ignored = 0): boolean {
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
