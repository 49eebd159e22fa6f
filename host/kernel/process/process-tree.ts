// Who descends from whom: the children of a process, and who takes them over when it ends. All of it under
// TASKLIST_LOCK. (Linux: kernel/exit.c)

import {
  MACHINE_BASE,
  MACHINE_INIT_TASK,
  PROCESS_CHILD_SUBREAPER,
  PROCESS_CHILDREN,
  PROCESS_FLAGS,
  PROCESS_LIVE,
  PROCESS_PARENT,
  PROCESS_SIBLING_NEXT,
  PROCESS_SIBLING_PREV,
  PROCESS_STATE,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";

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
