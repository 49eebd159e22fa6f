// Sending signals: to one thread (tkill) or to a process, which picks a thread that does not block it. Lock order:
// TASKLIST_LOCK, SIGHAND_LOCK, run queue. (Linux: kernel/signal.c, __send_signal_locked, complete_signal)

import {
  PROCESS_LEADER,
  PROCESS_PENDING_LO,
  PROCESS_THREADS,
  SIGHAND_LOCK,
  TASK_PENDING_LO,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_LO,
  TASK_THREAD_NEXT,
} from "../../assembly/layout.ts";
import { ESRCH } from "../memory/errno.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import type { Hart } from "../policy/hart.ts";
import { notifyTaskLocked } from "./notify.ts";
import { handlerOf } from "./sighand.ts";
import { ACTION_IGNORE, defaultAction, SIG_DFL, SIG_IGN } from "./signal-numbers.ts";
import { findTask, TASKLIST_LOCK } from "./task.ts";

/** Sends `signal` (0: only looks) to the thread `tid`, of process `tgid` unless that is -1. 0 or -ESRCH. */
export function sendSignalToThread(hart: Hart, tgid: number, tid: number, signal: number): number {
  const { shared } = hart;
  spinLock(hart, TASKLIST_LOCK);
  const task = findTask(shared, tid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  const isMember = process !== 0 && (tgid === -1 || findTask(shared, tgid) === shared.get(process + PROCESS_LEADER));
  if (isMember && signal !== 0) queueLocked(hart, task, task + TASK_PENDING_LO, signal);
  spinUnlock(hart, TASKLIST_LOCK);
  return isMember ? 0 : -ESRCH;
}

/** Sends `signal` (0: only looks) to the process `tgid`. 0 or -ESRCH. */
export function sendSignalToProcess(hart: Hart, tgid: number, signal: number): number {
  const { shared } = hart;
  spinLock(hart, TASKLIST_LOCK);
  const leader = findTask(shared, tgid);
  const process = leader === 0 ? 0 : shared.get(leader + TASK_PROCESS);
  const found = process !== 0 && shared.get(process + PROCESS_LEADER) === leader;
  if (found && signal !== 0) {
    const task = chooseThread(hart, process, leader, signal);
    if (task !== 0) queueLocked(hart, task, process + PROCESS_PENDING_LO, signal);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return found ? 0 : -ESRCH;
}

/** send_sig(sig, current): SIGPIPE and the like. */
export function sendSignalToSelf(hart: Hart, signal: number): void {
  spinLock(hart, TASKLIST_LOCK);
  queueLocked(hart, hart.current, hart.current + TASK_PENDING_LO, signal);
  spinUnlock(hart, TASKLIST_LOCK);
}

/** A thread that does not block the signal, the leader if possible; any thread if all do. Requires: TASKLIST_LOCK. */
function chooseThread(hart: Hart, process: number, leader: number, signal: number): number {
  const { shared } = hart;
  const first = shared.get(process + PROCESS_THREADS);
  if (shared.get(leader + TASK_SIGHAND) !== 0 && !isBlocked(hart, leader, signal)) return leader;
  for (let task = first; task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    if (!isBlocked(hart, task, signal)) return task;
  }
  return first;
}

/** Adds `signal` to the set at `pending` and makes `task` look. Requires: TASKLIST_LOCK. */
function queueLocked(hart: Hart, task: number, pending: number, signal: number): void {
  const { shared } = hart;
  const sighand = shared.get(task + TASK_SIGHAND);
  if (sighand === 0) return; // it has left its group: nobody will look
  const blocked = isBlocked(hart, task, signal);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const handler = handlerOf(hart, sighand, signal);
  // A blocked signal stays even if it is ignored now: the action may change before it is unblocked.
  const ignored = handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === ACTION_IGNORE);
  if (blocked || !ignored) {
    const word = pending + ((signal - 1) >>> 5) * 4;
    shared.set(word, shared.get(word) | (1 << ((signal - 1) & 31)));
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  if (!blocked && !ignored) notifyTaskLocked(hart, task);
}

function isBlocked(hart: Hart, task: number, signal: number): boolean {
  const mask = hart.shared.loadOnce(task + TASK_SIGMASK_LO + ((signal - 1) >>> 5) * 4);
  return (mask & (1 << ((signal - 1) & 31))) !== 0;
}
