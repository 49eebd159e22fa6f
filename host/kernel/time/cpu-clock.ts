// Clocks of processor time that name whose it is: ~number << 3, a bit that says "thread", and which of its times. They
// are what clock_getcpuclockid(3) and pthread_getcpuclockid(3) make. (Linux: kernel/time/posix-cpu-timers.c)

import { PROCESS_LEADER, TASK_PID, TASK_PROCESS } from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { processRuntimeLocked, taskRuntime } from "../process/runtime.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";

const NUMBER_SHIFT = 3;
const OF_THREAD = 4;
/** CPUCLOCK_PROF, VIRT and SCHED are 0 to 2; 3 is the clock of a descriptor. */
const WHICH_MASK = 3;
const CLOCK_OF_FD = 3;

/** ns of the clock `id`, which is negative; -1 if there is no such clock. */
export function readCpuClock(hart: Hart, id: number): number {
  spinLock(hart, TASKLIST_LOCK);
  const task = ownerLocked(hart, id);
  let ns = -1;
  if (task !== 0 && (id & OF_THREAD) !== 0) ns = taskRuntime(hart, task);
  else if (task !== 0) ns = processRuntimeLocked(hart, hart.shared.get(task + TASK_PROCESS));
  spinUnlock(hart, TASKLIST_LOCK);
  return ns;
}

/**
 * The task whose time, or whose process's time, it is; 0: nobody's. A thread's clock is there for the threads of its
 * process only, a process's for everybody. Requires: TASKLIST_LOCK.
 */
function ownerLocked(hart: Hart, id: number): number {
  const { shared, current } = hart;
  if ((id & WHICH_MASK) === CLOCK_OF_FD) return 0;
  const pid = ~(id >> NUMBER_SHIFT);
  if (pid === 0) return current;
  const task = findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  if (process === 0) return 0;
  if ((id & OF_THREAD) !== 0) return process === shared.get(current + TASK_PROCESS) ? task : 0;
  // A caller may name its own process by its thread's number.
  return shared.get(process + PROCESS_LEADER) === task || task === current ? task : 0;
}

/** Is it the time of the current thread or process? Timers know no others. */
export function isOwnCpuClock(hart: Hart, id: number, ofThread: boolean): boolean {
  const { shared, current } = hart;
  if (id >= 0 || ((id & OF_THREAD) !== 0) !== ofThread || (id & WHICH_MASK) === CLOCK_OF_FD) return false;
  const pid = ~(id >> NUMBER_SHIFT);
  if (pid === 0 || pid === shared.get(current + TASK_PID)) return true;
  const process = shared.get(current + TASK_PROCESS);
  return !ofThread && pid === shared.get(shared.get(process + PROCESS_LEADER) + TASK_PID);
}
