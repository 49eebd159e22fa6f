// The end of tasks and processes. A task ends itself: exit, or because it sees that its group must die. Its record is
// given back by whoever runs next on its hart, since until the switch the hart still stands on it.

import {
  HART_NEED_RESCHED,
  MM_RSS,
  MM_RSS_HIGH,
  MM_USERS,
  PF_EXITING,
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_EXEC_TASK,
  PROCESS_EXIT_CODE,
  PROCESS_GROUP_EXIT,
  PROCESS_LEADER,
  PROCESS_MAXRSS,
  PROCESS_PENDING_HI,
  PROCESS_PENDING_LO,
  PROCESS_REAPED,
  PROCESS_STATE,
  PROCESS_TASK_RECORDS,
  PROCESS_THREAD_COUNT,
  SIGHAND_LOCK,
  TASK_CLEAR_CHILD_TID,
  TASK_DEAD,
  TASK_EXIT_CODE,
  TASK_FILES,
  TASK_FLAGS,
  TASK_FS,
  TASK_MM,
  TASK_PROCESS,
  TASK_RUNTIME_NS,
  TASK_SIGHAND,
  TASK_STATE,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_SCHED_PROCESS_EXIT, traceTask } from "../../memory/trace.ts";
import { mmput } from "../../mm/mm.ts";
import { putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { putFiles } from "../file/files.ts";
import { putFs } from "../file/fs-struct.ts";
import { FUTEX_BITSET_MATCH_ANY, futexWake } from "../futex/futex.ts";
import { exitRobustList } from "../futex/robust-list.ts";
import { exitMm } from "../sched/switch.ts";
import { endRestart, finishWait } from "../sched/wait.ts";
import { leaveStopLocked } from "../signal/group-stop.ts";
import { putSighand } from "../signal/sighand.ts";
import { retargetSignalsLocked } from "../signal/signal-mask.ts";
import { flushSignals } from "../signal/sigqueue.ts";
import { exitItimers } from "../time/itimer.ts";
import { exitTimersLocked } from "../time/posix-timer.ts";
import { releaseTerminal } from "../tty/tty-job-control.ts";
import { endProcessLocked, powerOff } from "./exit-notify.ts";
import { startGroupExitLocked } from "./group-exit.ts";
import { wakeWaiters } from "./notify-parent.ts";
import { removeThreadLocked } from "./process.ts";
import { freeTaskLater, releaseTaskLocked, TASKLIST_LOCK } from "./task.ts";
import { keepCountsLocked } from "./usage-counts.ts";
import { leaveVfork } from "./vfork.ts";

/** Wait status of an exit with `code`. */
export function exitStatus(code: number): number {
  return (code & 0xff) << 8;
}

/**
 * Ends the current task with wait status `status`: afterwards it is dead and the hart must schedule, which
 * HART_NEED_RESCHED says. Called with no lock held; may wait.
 */
export function doExit(hart: Hart, status: number): void {
  const { shared, current } = hart;
  shared.set(current + TASK_FLAGS, shared.get(current + TASK_FLAGS) | PF_EXITING);
  shared.set(current + TASK_EXIT_CODE, status);
  traceTask(hart, TRACE_SCHED_PROCESS_EXIT, current, status);
  finishWait(hart);
  endRestart(hart);
  releaseUserState(hart);
  leaveVfork(hart);
  const mm = exitMm(hart);
  if (mm !== 0) {
    noteMaxRss(hart, mm);
    mmput(hart, mm);
  }
  putFiles(hart, takeAway(hart, TASK_FILES));
  putFs(hart, takeAway(hart, TASK_FS));
  leaveThreadGroup(hart, status);
  shared.storeRelease(current + TASK_STATE, TASK_DEAD);
  hart.set(HART_NEED_RESCHED, 1);
}

/** Ends the current task and makes every other thread of its group end. The first caller's status is the process's. */
export function groupExit(hart: Hart, status: number): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  startGroupExitLocked(hart, process, status);
  const groupStatus = shared.get(process + PROCESS_EXIT_CODE);
  spinUnlock(hart, TASKLIST_LOCK);
  doExit(hart, groupStatus);
}

/** After the switch away from a dead task: its record goes, the leader's with the last of its group. */
export function finishDeadTask(hart: Hart, task: number): void {
  const { shared } = hart;
  const process = shared.get(task + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  if (process === 0) {
    releaseTaskLocked(hart, task); // a kernel thread
  } else {
    const leader = shared.get(process + PROCESS_LEADER);
    const left = shared.get(process + PROCESS_TASK_RECORDS) - 1;
    shared.set(process + PROCESS_TASK_RECORDS, left);
    if (task !== leader) releaseTaskLocked(hart, task);
    // The leader's number and record are the process's: they stay until somebody has waited for it.
    if (left === 0 && shared.get(process + PROCESS_STATE) === PROCESS_REAPED) freeTaskLater(hart, leader);
    if (left === 1 && shared.get(process + PROCESS_EXEC_TASK) !== 0) wakeWaiters(hart, process);
  }
  spinUnlock(hart, TASKLIST_LOCK);
}

/** The record in `field` of the current task, which has none from here on. /proc looks under TASKLIST_LOCK. */
function takeAway(hart: Hart, field: number): number {
  const { shared, current } = hart;
  spinLock(hart, TASKLIST_LOCK);
  const record = shared.get(current + field);
  shared.set(current + field, 0);
  spinUnlock(hart, TASKLIST_LOCK);
  return record;
}

/** Robust futexes and clear_child_tid (mm_release in kernel/fork.c): the task still has its user memory. */
export function releaseUserState(hart: Hart): void {
  const { shared, current } = hart;
  const mm = shared.get(current + TASK_MM);
  if (mm === 0) return;
  exitRobustList(hart);
  const address = shared.getF64(current + TASK_CLEAR_CHILD_TID);
  shared.setF64(current + TASK_CLEAR_CHILD_TID, 0);
  // As Linux does, only if somebody is left who could look; a bad address is the guest's own loss.
  if (address === 0 || shared.loadAcquire(mm + MM_USERS) <= 1) return;
  if (putUser32(hart, address, 0) === 0) futexWake(hart, address, false, 1, FUTEX_BITSET_MATCH_ANY);
}

/** ru_maxrss outlives the address space. */
export function noteMaxRss(hart: Hart, mm: number): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  const pages = Math.max(shared.loadOnce(mm + MM_RSS), shared.loadOnce(mm + MM_RSS_HIGH));
  if (pages > shared.loadOnce(process + PROCESS_MAXRSS)) shared.storeOnce(process + PROCESS_MAXRSS, pages);
}

/** The task is no longer a thread of its process; the last one ends the process. */
function leaveThreadGroup(hart: Hart, status: number): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, TASKLIST_LOCK);
  leaveStopLocked(hart, process);
  if (shared.get(process + PROCESS_THREAD_COUNT) === 1) {
    exitItimers(hart, process);
    exitTimersLocked(hart, process);
  }
  flushSignalsAtExit(hart, process, sighand);
  const left = removeThreadLocked(shared, process, current);
  // Signals to the process that this thread was to take: the others look too.
  retargetSignalsLocked(
    hart,
    process,
    shared.get(process + PROCESS_PENDING_LO),
    shared.get(process + PROCESS_PENDING_HI),
  );
  const runtime = shared.getF64(process + PROCESS_DEAD_RUNTIME_NS) + shared.getF64(current + TASK_RUNTIME_NS);
  shared.setF64(process + PROCESS_DEAD_RUNTIME_NS, runtime);
  keepCountsLocked(shared, process, current);
  if (left === 0 && shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0)
    shared.set(process + PROCESS_EXIT_CODE, status);
  const isLast = left === 0 && endProcessLocked(hart, process);
  spinUnlock(hart, TASKLIST_LOCK);
  putSighand(hart, sighand);
  if (left === 0) releaseTerminal(hart);
  if (isLast) powerOff(hart);
}

/** Nobody will take what is pending for this thread, nor what is pending for the process once it is the last. */
function flushSignalsAtExit(hart: Hart, process: number, sighand: number): void {
  const { shared, current } = hart;
  spinLock(hart, sighand + SIGHAND_LOCK);
  flushSignals(hart, current, process, -1, -1);
  if (shared.get(process + PROCESS_THREAD_COUNT) === 1) flushSignals(hart, 0, process, -1, -1);
  shared.set(current + TASK_SIGHAND, 0);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
}
