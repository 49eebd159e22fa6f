// Processor time of a process: what its ended threads had run, and what its live ones have.

import {
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_THREADS,
  TASK_PROCESS,
  TASK_RUNTIME_NS,
  TASK_THREAD_NEXT,
} from "../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import type { Hart } from "../policy/hart.ts";
import { runtimeOfCurrent } from "./sched.ts";
import { TASKLIST_LOCK } from "./task.ts";

/** ns. The slices in which other threads are right now are not in it: each is charged at its next switch. */
export function processRuntime(hart: Hart): number {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  let ns = shared.getF64(process + PROCESS_DEAD_RUNTIME_NS);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    ns += task === current ? runtimeOfCurrent(hart) : shared.getF64(task + TASK_RUNTIME_NS);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return ns;
}
