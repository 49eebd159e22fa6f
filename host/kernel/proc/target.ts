// The process that a file below /proc/PID is about. A file stays open when its process ends and its number is taken by
// another one: the number and the time at which the process began tell them apart.

import { PROCESS_START_NS, TASK_MM, TASK_PROCESS } from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { mmgetNotZero, mmput } from "../../mm/mm.ts";
import type { Hart } from "../../policy/hart.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";
import type { ProcTarget } from "./node.ts";

/** Calls `use` with the task and its process, both of which stay in memory meanwhile; or `absent` if it has ended. */
export function withTask<T>(hart: Hart, target: ProcTarget, absent: T, use: (task: number, process: number) => T): T {
  spinLock(hart, TASKLIST_LOCK);
  try {
    const task = taskOfLocked(hart, target);
    return task === 0 ? absent : use(task, hart.shared.get(task + TASK_PROCESS));
  } finally {
    spinUnlock(hart, TASKLIST_LOCK);
  }
}

function taskOfLocked(hart: Hart, { pid, startNs }: ProcTarget): number {
  const { shared } = hart;
  const task = findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  if (process === 0) return task !== 0 && startNs === 0 ? task : 0; // a kernel thread has no process
  return shared.getF64(process + PROCESS_START_NS) === startNs ? task : 0;
}

/** Its address space with a reference for the caller (mmput), or 0: ended, or a kernel thread. (get_task_mm) */
export function mmOf(hart: Hart, target: ProcTarget): number {
  const { shared } = hart;
  let stale = 0;
  const mm = withTask(hart, target, 0, (task) => {
    const found = shared.loadOnce(task + TASK_MM);
    if (found === 0 || !mmgetNotZero(hart, found)) return 0;
    if (shared.loadAcquire(task + TASK_MM) === found) return found;
    stale = found; // the task gave it up meanwhile, and the record may be another mm by now
    return 0;
  });
  if (stale !== 0) mmput(hart, stale);
  return mm;
}

/** What a file about task `pid` is about, or undefined: there is none. */
export function targetOf(hart: Hart, pid: number): ProcTarget | undefined {
  const { shared } = hart;
  spinLock(hart, TASKLIST_LOCK);
  const task = findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  const startNs = process === 0 ? 0 : shared.getF64(process + PROCESS_START_NS);
  spinUnlock(hart, TASKLIST_LOCK);
  return task === 0 ? undefined : { pid, startNs, fd: 0 };
}

/** Is what the file is about still there? */
export function isAlive(hart: Hart, target: ProcTarget): boolean {
  return target.pid === 0 || withTask(hart, target, false, () => true);
}
