// Stopping and continuing a process as a whole. A stop begins when one thread takes a stop signal: each other thread is
// told, and stops when it next looks at its signals; the last one tells the parent. SIGCONT ends it as it is sent.
// All of it under TASKLIST_LOCK and SIGHAND_LOCK. (Linux: do_signal_stop, prepare_signal in kernel/signal.c)

import {
  HART_NEED_RESCHED,
  HART_SIGINFO,
  HART_SIGINFO_SAVED,
  PF_EXITING,
  PROCESS_GROUP_EXIT,
  PROCESS_PGID,
  PROCESS_THREADS,
  PSIG_CONTINUES,
  PSIG_STOP_COUNT,
  PSIG_STOP_SIGNAL,
  PSIG_STOPPED,
  SIGHAND_LOCK,
  SIGINFO_BYTES,
  TASK_FLAGS,
  TASK_SIGHAND,
  TASK_SIGNAL_PENDING,
  TASK_STATE,
  TASK_STOP_PENDING,
  TASK_STOPPED,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { CLD_CONTINUED, CLD_STOPPED, notifyParentLocked } from "../process/notify-parent.ts";
import { isOrphanedGroupLocked } from "../process/process-group.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { continueTaskLocked, notifyTaskLocked } from "./notify.ts";
import { SIGCONT, SIGSTOP } from "./signal-numbers.ts";
import { psigOf } from "./sigqueue.ts";

/** How often the process was continued: a stop signal that was taken before the last time is void. */
export function continuesOf(hart: Hart, process: number): number {
  return hart.shared.loadOnce(psigOf(process) + PSIG_CONTINUES);
}

/**
 * The current task has taken stop signal `signal`, when continuesOf was `continues`. True if it is stopped now, and the
 * hart must schedule. No lock held.
 */
export function stopGroup(hart: Hart, process: number, signal: number, continues: number): boolean {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  const psig = psigOf(process);
  spinLock(hart, TASKLIST_LOCK);
  // Nobody could make an orphaned group go on again, so the terminal does not stop it.
  if (signal !== SIGSTOP && isOrphanedGroupLocked(hart, shared.get(process + PROCESS_PGID))) {
    spinUnlock(hart, TASKLIST_LOCK);
    return false;
  }
  spinLock(hart, sighand + SIGHAND_LOCK);
  const isVoid =
    shared.get(psig + PSIG_CONTINUES) !== continues || shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0;
  if (!isVoid && shared.get(current + TASK_STOP_PENDING) === 0) beginStop(hart, process, signal);
  const stops = !isVoid && stopSelf(hart, process);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  if (stops) tellOfStopLocked(hart, process);
  spinUnlock(hart, TASKLIST_LOCK);
  return !isVoid;
}

/** The current task takes part in a stop that another thread began. True if it is stopped now. No lock held. */
export function joinStop(hart: Hart, process: number): boolean {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, TASKLIST_LOCK);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const isDue = shared.get(current + TASK_STOP_PENDING) !== 0 && shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0;
  const isLast = isDue && stopSelf(hart, process);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  if (isLast) tellOfStopLocked(hart, process);
  spinUnlock(hart, TASKLIST_LOCK);
  return isDue;
}

/** The current task ends while the others of its group wait for it to stop. Requires: TASKLIST_LOCK. */
export function leaveStopLocked(hart: Hart, process: number): void {
  const { shared, current } = hart;
  if (shared.get(current + TASK_STOP_PENDING) === 0) return;
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const isLast = shared.get(current + TASK_STOP_PENDING) !== 0 && countDown(hart, process);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  if (isLast && shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0) tellOfStopLocked(hart, process);
}

/** Requires: both locks. */
function beginStop(hart: Hart, process: number, signal: number): void {
  const { shared, current } = hart;
  const psig = psigOf(process);
  let count = 0;
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    const isGone = (shared.get(task + TASK_FLAGS) & PF_EXITING) !== 0;
    if (isGone || shared.loadAcquire(task + TASK_STATE) === TASK_STOPPED) continue;
    shared.set(task + TASK_STOP_PENDING, 1);
    count++;
    if (task !== current) notifyTaskLocked(hart, task);
  }
  shared.set(psig + PSIG_STOP_SIGNAL, signal);
  shared.set(psig + PSIG_STOP_COUNT, count);
}

/** True if it was the last thread to stop. Requires: both locks. */
function stopSelf(hart: Hart, process: number): boolean {
  hart.shared.storeRelease(hart.current + TASK_STATE, TASK_STOPPED);
  hart.set(HART_NEED_RESCHED, 1);
  return countDown(hart, process);
}

function countDown(hart: Hart, process: number): boolean {
  const { shared, current } = hart;
  const psig = psigOf(process);
  const left = shared.get(psig + PSIG_STOP_COUNT) - 1;
  shared.set(current + TASK_STOP_PENDING, 0);
  shared.set(psig + PSIG_STOP_COUNT, left);
  if (left === 0) shared.set(psig + PSIG_STOPPED, 1);
  return left === 0;
}

function tellOfStopLocked(hart: Hart, process: number): void {
  notifyParentLocked(hart, process, CLD_STOPPED, hart.shared.get(psigOf(process) + PSIG_STOP_SIGNAL));
}

/** SIGCONT is being sent: whoever has stopped goes on. True if the parent must be told. Requires: both locks. */
export function continueGroupLocked(hart: Hart, process: number): boolean {
  const { shared } = hart;
  const psig = psigOf(process);
  const wasStopped = shared.get(psig + PSIG_STOPPED) !== 0;
  shared.set(psig + PSIG_STOPPED, 0);
  shared.set(psig + PSIG_STOP_COUNT, 0);
  shared.storeOnce(psig + PSIG_CONTINUES, shared.get(psig + PSIG_CONTINUES) + 1);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    shared.set(task + TASK_STOP_PENDING, 0);
    if (shared.loadAcquire(task + TASK_STATE) === TASK_STOPPED) continueTaskLocked(hart, task);
  }
  return wasStopped;
}

/** CLD_CONTINUED; the siginfo of the signal that is being sent survives it. Requires: TASKLIST_LOCK. */
export function tellOfContinuationLocked(hart: Hart, process: number): void {
  hart.core.copyBytes(hart.base + HART_SIGINFO_SAVED, hart.base + HART_SIGINFO, SIGINFO_BYTES);
  notifyParentLocked(hart, process, CLD_CONTINUED, SIGCONT);
  hart.core.copyBytes(hart.base + HART_SIGINFO, hart.base + HART_SIGINFO_SAVED, SIGINFO_BYTES);
}

/**
 * `child` has become a thread of `process`, which may be stopping since its creator last looked: then it stops too,
 * before its first instruction. Requires: TASKLIST_LOCK. (task_join_group_stop)
 */
export function inheritStopLocked(hart: Hart, process: number, child: number): void {
  const { shared, current } = hart;
  const psig = psigOf(process);
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const count = shared.get(psig + PSIG_STOP_COUNT);
  if (count > 0) {
    shared.set(psig + PSIG_STOP_COUNT, count + 1);
    shared.set(child + TASK_STOP_PENDING, 1);
    shared.storeRelease(child + TASK_SIGNAL_PENDING, 1);
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
}
