// What a process has used up by number: page faults, which the fault handler counts in the task (mm/fault/fault.ts),
// and switches away from it, which the scheduler does. A process's are those of its ended threads and those of its live
// ones. (Linux: min_flt, maj_flt, nvcsw and nivcsw of task_struct and signal_struct)

import {
  PROCESS_CHILD_MAJ_FLT,
  PROCESS_CHILD_MIN_FLT,
  PROCESS_CHILD_NIVCSW,
  PROCESS_CHILD_NVCSW,
  PROCESS_DEAD_MAJ_FLT,
  PROCESS_DEAD_MIN_FLT,
  PROCESS_DEAD_NIVCSW,
  PROCESS_DEAD_NVCSW,
  PROCESS_THREADS,
  TASK_MAJ_FLT,
  TASK_MIN_FLT,
  TASK_NIVCSW,
  TASK_NVCSW,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";

export interface UsageCounts {
  readonly minorFaults: number;
  /** Those that waited for the host: a file, or the swap store. */
  readonly majorFaults: number;
  /** It had to wait. */
  readonly voluntarySwitches: number;
  /** It was somebody else's turn. */
  readonly involuntarySwitches: number;
}

type Fields = readonly [number, number, number, number];

const OF_TASK: Fields = [TASK_MIN_FLT, TASK_MAJ_FLT, TASK_NVCSW, TASK_NIVCSW];
const OF_DEAD: Fields = [PROCESS_DEAD_MIN_FLT, PROCESS_DEAD_MAJ_FLT, PROCESS_DEAD_NVCSW, PROCESS_DEAD_NIVCSW];
const OF_CHILDREN: Fields = [PROCESS_CHILD_MIN_FLT, PROCESS_CHILD_MAJ_FLT, PROCESS_CHILD_NVCSW, PROCESS_CHILD_NIVCSW];

export const NO_COUNTS: UsageCounts = counts(() => 0, OF_TASK);

export function taskCounts(shared: SharedMemory, task: number): UsageCounts {
  return counts((field) => shared.loadOnce(task + field) >>> 0, OF_TASK);
}

/** Requires: TASKLIST_LOCK. */
export function processCountsLocked(shared: SharedMemory, process: number): UsageCounts {
  let sum = counts((field) => shared.loadOnce(process + field) >>> 0, OF_DEAD);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    sum = plus(sum, taskCounts(shared, task));
  }
  return sum;
}

/** Requires: TASKLIST_LOCK. */
export function childCountsLocked(shared: SharedMemory, process: number): UsageCounts {
  return counts((field) => shared.loadOnce(process + field) >>> 0, OF_CHILDREN);
}

/** Of a process without threads and of all for which it has waited. Requires: TASKLIST_LOCK. */
export function countsWithChildrenLocked(shared: SharedMemory, process: number): UsageCounts {
  return plus(processCountsLocked(shared, process), childCountsLocked(shared, process));
}

/** A thread leaves its process. Requires: TASKLIST_LOCK. */
export function keepCountsLocked(shared: SharedMemory, process: number, task: number): void {
  OF_DEAD.forEach((field, i) => {
    add(shared, process + field, shared.get(task + OF_TASK[i]));
  });
}

/** A process that has ended is waited for. Requires: TASKLIST_LOCK. */
export function inheritCountsLocked(shared: SharedMemory, parent: number, child: number): void {
  OF_CHILDREN.forEach((field, i) => {
    add(shared, parent + field, shared.get(child + OF_DEAD[i]));
    add(shared, parent + field, shared.get(child + field));
  });
}

function counts(load: (field: number) => number, [minor, major, voluntary, involuntary]: Fields): UsageCounts {
  return {
    minorFaults: load(minor),
    majorFaults: load(major),
    voluntarySwitches: load(voluntary),
    involuntarySwitches: load(involuntary),
  };
}

function plus(a: UsageCounts, b: UsageCounts): UsageCounts {
  return {
    minorFaults: a.minorFaults + b.minorFaults,
    majorFaults: a.majorFaults + b.majorFaults,
    voluntarySwitches: a.voluntarySwitches + b.voluntarySwitches,
    involuntarySwitches: a.involuntarySwitches + b.involuntarySwitches,
  };
}

function add(shared: SharedMemory, address: number, count: number): void {
  shared.set(address, (shared.get(address) + count) | 0);
}
