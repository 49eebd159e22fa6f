// getpriority and setpriority: nice values of a thread, of a process group, or of a user's processes. They are kept and
// inherited, but do not change the slice. (Linux: kernel/sys.c)

import {
  PROCESS_PGID,
  PROCESS_THREADS,
  PROCESS_UIDS,
  TASK_NICE,
  TASK_PROCESS,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { EINVAL, ESRCH } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { findTask, forEachProcessLocked, TASKLIST_LOCK } from "../process/task.ts";
import { argInt } from "../registers.ts";
import { call, type SystemCall } from "./types.ts";

export const priorityCalls: readonly (readonly [number, SystemCall])[] = [
  [140, call("setpriority", ["int", "int", "int"], sysSetpriority)],
  [141, call("getpriority", ["int", "int"], sysGetpriority)],
];

const PRIO_PROCESS = 0;
const PRIO_PGRP = 1;
const PRIO_USER = 2;
export const NICE_MIN = -20;
export const NICE_MAX = 19;

/** The highest of all that are meant. The system call returns 20 - nice, so that no result is negative. */
function sysGetpriority(hart: Hart): number {
  let best = -ESRCH;
  return forTasks(hart, (task) => {
    best = Math.max(best, 20 - hart.shared.get(task + TASK_NICE));
    return best;
  });
}

function sysSetpriority(hart: Hart): number {
  const nice = Math.min(Math.max(argInt(hart, 2), NICE_MIN), NICE_MAX);
  return forTasks(hart, (task) => {
    hart.shared.set(task + TASK_NICE, nice);
    return 0;
  });
}

/** `use` with each task that the first two arguments name; its last result, -ESRCH without any, or -EINVAL. */
function forTasks(hart: Hart, use: (task: number) => number): number {
  const { shared, current } = hart;
  const [which, who] = [argInt(hart, 0), argInt(hart, 1)];
  if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
  let result = -ESRCH;
  spinLock(hart, TASKLIST_LOCK);
  if (which === PRIO_PROCESS) {
    const task = who === 0 ? current : findTask(shared, who);
    if (task !== 0) result = use(task);
  } else {
    // The real user is the first of PROCESS_UIDS.
    const field = which === PRIO_PGRP ? PROCESS_PGID : PROCESS_UIDS;
    const wanted = who === 0 ? shared.get(shared.get(current + TASK_PROCESS) + field) : who;
    forEachProcessLocked(hart, (process) => {
      if (shared.get(process + field) !== wanted) return;
      for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
        result = use(task);
      }
    });
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return result;
}
