// execve in a program of several threads: all others must end first, and the one that is left becomes the leader,
// under the number of the process. (Linux: de_thread in fs/exec.c)

import {
  MACHINE_BASE,
  MACHINE_INIT_TASK,
  PROCESS_CHILD_WAITQ,
  PROCESS_EXEC_TASK,
  PROCESS_GROUP_EXIT,
  PROCESS_LEADER,
  PROCESS_TASK_RECORDS,
  PROCESS_THREAD_COUNT,
  PROCESS_THREADS,
  TASK_PID,
  TASK_PROCESS,
  TASK_RESTART_CALL,
  TASK_STATE,
  TASK_THREAD_NEXT,
  TASK_UNINTERRUPTIBLE,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, WAIT, waitqAdd } from "../sched/wait.ts";
import { killTaskLocked } from "../signal/notify.ts";
import { freeTaskLater, TASKLIST_LOCK, takePidLocked } from "./task.ts";

/**
 * 0: the current task is the only one of its process, and its leader. WAIT: not yet; `call` is to be entered again.
 * -EAGAIN: the group is ending anyway.
 */
export function deThread(hart: Hart, call: number): number {
  finishWait(hart);
  spinLock(hart, TASKLIST_LOCK);
  const result = deThreadLocked(hart, call);
  spinUnlock(hart, TASKLIST_LOCK);
  return result;
}

function deThreadLocked(hart: Hart, call: number): number {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  if (shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0) return -EAGAIN;
  const chosen = shared.get(process + PROCESS_EXEC_TASK);
  if (chosen !== 0 && chosen !== current) return -EAGAIN; // it is told to die
  // Also its records must be gone, except ours and the leader's: a hart may still stand on one.
  const leader = shared.get(process + PROCESS_LEADER);
  const records = shared.get(process + PROCESS_TASK_RECORDS);
  if (shared.get(process + PROCESS_THREAD_COUNT) === 1 && records === 1) {
    if (leader !== current) becomeLeaderLocked(hart, process, leader);
    shared.set(process + PROCESS_EXEC_TASK, 0);
    return 0;
  }
  if (chosen === 0) {
    shared.set(process + PROCESS_EXEC_TASK, current);
    for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
      if (task !== current) killTaskLocked(hart, task);
    }
  }
  const queue = process + PROCESS_CHILD_WAITQ;
  spinLock(hart, queue + WAITQ_LOCK);
  waitqAdd(hart, queue);
  shared.storeRelease(current + TASK_STATE, TASK_UNINTERRUPTIBLE);
  spinUnlock(hart, queue + WAITQ_LOCK);
  shared.set(current + TASK_RESTART_CALL, call);
  return WAIT;
}

/** The old leader is dead, and its hart has left it. */
function becomeLeaderLocked(hart: Hart, process: number, leader: number): void {
  const { shared, current } = hart;
  takePidLocked(hart, current, shared.get(leader + TASK_PID));
  shared.set(process + PROCESS_LEADER, current);
  if (shared.get(MACHINE_BASE + MACHINE_INIT_TASK) === leader) shared.set(MACHINE_BASE + MACHINE_INIT_TASK, current);
  freeTaskLater(hart, leader);
}
