// Page faults of a process: what its ended threads had, and what its live ones have. The fault handler counts them in
// the task (mm/fault/fault.ts). (Linux: min_flt and maj_flt of task_struct and signal_struct)

import {
  PROCESS_CHILD_MAJ_FLT,
  PROCESS_CHILD_MIN_FLT,
  PROCESS_DEAD_MAJ_FLT,
  PROCESS_DEAD_MIN_FLT,
  PROCESS_THREADS,
  TASK_MAJ_FLT,
  TASK_MIN_FLT,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";

export interface FaultCounts {
  readonly minor: number;
  /** Those that waited for the host: a file, or the swap store. */
  readonly major: number;
}

export const NO_FAULTS: FaultCounts = { minor: 0, major: 0 };

export function taskFaults(shared: SharedMemory, task: number): FaultCounts {
  return counts(shared, task + TASK_MIN_FLT, task + TASK_MAJ_FLT);
}

/** Requires: TASKLIST_LOCK. */
export function processFaultsLocked(shared: SharedMemory, process: number): FaultCounts {
  let sum = counts(shared, process + PROCESS_DEAD_MIN_FLT, process + PROCESS_DEAD_MAJ_FLT);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    sum = plus(sum, taskFaults(shared, task));
  }
  return sum;
}

/** Requires: TASKLIST_LOCK. */
export function childFaultsLocked(shared: SharedMemory, process: number): FaultCounts {
  return counts(shared, process + PROCESS_CHILD_MIN_FLT, process + PROCESS_CHILD_MAJ_FLT);
}

/** Of a process without threads and of all for which it has waited. Requires: TASKLIST_LOCK. */
export function faultsWithChildrenLocked(shared: SharedMemory, process: number): FaultCounts {
  return plus(processFaultsLocked(shared, process), childFaultsLocked(shared, process));
}

/** A thread leaves its process. Requires: TASKLIST_LOCK. */
export function keepFaultsLocked(shared: SharedMemory, process: number, task: number): void {
  add(shared, process + PROCESS_DEAD_MIN_FLT, shared.get(task + TASK_MIN_FLT));
  add(shared, process + PROCESS_DEAD_MAJ_FLT, shared.get(task + TASK_MAJ_FLT));
}

/** A process that has ended is waited for. Requires: TASKLIST_LOCK. */
export function inheritFaultsLocked(shared: SharedMemory, parent: number, child: number): void {
  for (const field of [PROCESS_DEAD_MIN_FLT, PROCESS_CHILD_MIN_FLT]) {
    add(shared, parent + PROCESS_CHILD_MIN_FLT, shared.get(child + field));
  }
  for (const field of [PROCESS_DEAD_MAJ_FLT, PROCESS_CHILD_MAJ_FLT]) {
    add(shared, parent + PROCESS_CHILD_MAJ_FLT, shared.get(child + field));
  }
}

function counts(shared: SharedMemory, minor: number, major: number): FaultCounts {
  return { minor: shared.loadOnce(minor) >>> 0, major: shared.loadOnce(major) >>> 0 };
}

function plus(a: FaultCounts, b: FaultCounts): FaultCounts {
  return { minor: a.minor + b.minor, major: a.major + b.major };
}

function add(shared: SharedMemory, address: number, count: number): void {
  shared.set(address, (shared.get(address) + count) | 0);
}
