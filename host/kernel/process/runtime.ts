// Processor time of a process: what its ended threads had run, and what its live ones have.

import {
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_THREADS,
  TASK_PROCESS,
  TASK_RUNTIME_NS,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { runtimeOfCurrent } from "../sched/sched.ts";
import { TASKLIST_LOCK } from "./task.ts";

/** Processor time of one task, ns; of one that runs on another hart only up to its last switch. */
export function taskRuntime(hart: Hart, task: number): number {
  return task === hart.current ? runtimeOfCurrent(hart) : hart.shared.getF64(task + TASK_RUNTIME_NS);
}

/** ns. The slices in which other threads are right now are not in it: each is charged at its next switch. */
export function processRuntime(hart: Hart): number {
  spinLock(hart, TASKLIST_LOCK);
  const ns = processRuntimeLocked(hart, hart.shared.get(hart.current + TASK_PROCESS));
  spinUnlock(hart, TASKLIST_LOCK);
  return ns;
}

/** The same of any process. Requires: TASKLIST_LOCK. */
export function processRuntimeLocked(hart: Hart, process: number): number {
  const { shared } = hart;
  let ns = shared.getF64(process + PROCESS_DEAD_RUNTIME_NS);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    ns += taskRuntime(hart, task);
  }
  return ns;
}
