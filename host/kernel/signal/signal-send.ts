// Sending signals: to one thread (tkill), to a process, which picks a thread that does not block it, or to a process
// group. What the signal says of its origin is in HART_SIGINFO (siginfo.ts); whoever built nothing there sends as the
// kernel. Lock order: TASKLIST_LOCK, SIGHAND_LOCK, then pools and run queues.
// (Linux: kernel/signal.c, __send_signal_locked, prepare_signal, complete_signal)

import {
  HART_SIGINFO,
  PF_EXITING,
  PROCESS_GROUP_EXIT,
  PROCESS_LEADER,
  PROCESS_PGID,
  PROCESS_TGID,
  PROCESS_THREADS,
  SIGHAND_LOCK,
  TASK_FLAGS,
  TASK_PROCESS,
  TASK_REAL_BLOCKED_LO,
  TASK_SIGHAND,
  TASK_SIGMASK_LO,
  TASK_STATE,
  TASK_STOPPED,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { EAGAIN, ESRCH } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_SIGNAL_GENERATE, traceTask } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakePollers } from "../file/poll-wait.ts";
import { startGroupExitLocked } from "../process/group-exit.ts";
import { softLimit } from "../process/process.ts";
import { findTask, forEachProcessLocked, TASKLIST_LOCK } from "../process/task.ts";
import { RLIMIT_SIGPENDING } from "../uapi.ts";
import { continueGroupLocked, tellOfContinuationLocked } from "./group-stop.ts";
import { notifyTaskLocked } from "./notify.ts";
import { handlerOf } from "./sighand.ts";
import { SI_USER, SIGINFO_SIGNO, siginfoFromCurrent, siginfoFromKernel } from "./siginfo.ts";
import {
  ACTION_IGNORE,
  ACTION_TERMINATE,
  defaultAction,
  isStopSignal,
  SIG_DFL,
  SIG_IGN,
  SIGCONT,
  SIGKILL,
  STOP_SIGNALS_LO,
} from "./signal-numbers.ts";
import { bitOf, flushSignals, queueSignal, wordOf } from "./sigqueue.ts";

/** Sends `signal` (0: only looks) to the thread `tid`, of process `tgid` unless that is -1. 0, -ESRCH or -EAGAIN. */
export function sendSignalToThread(hart: Hart, tgid: number, tid: number, signal: number): number {
  const { shared } = hart;
  spinLock(hart, TASKLIST_LOCK);
  const task = findTask(shared, tid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  const isMember = process !== 0 && (tgid === -1 || findTask(shared, tgid) === shared.get(process + PROCESS_LEADER));
  let result = isMember ? 0 : -ESRCH;
  if (isMember && signal !== 0) result = Math.min(sendLocked(hart, process, task, true, signal), 0);
  spinUnlock(hart, TASKLIST_LOCK);
  forgetSiginfo(hart);
  return result;
}

/** Sends `signal` (0: only looks) to the process `tgid`. 0, -ESRCH or -EAGAIN. */
export function sendSignalToProcess(hart: Hart, tgid: number, signal: number): number {
  const { shared } = hart;
  spinLock(hart, TASKLIST_LOCK);
  // Any thread's number names its process, as in Linux's find_vpid of kill(2).
  const task = findTask(shared, tgid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  let result = process === 0 ? -ESRCH : 0;
  if (process !== 0 && signal !== 0) result = Math.min(sendSignalLocked(hart, process, signal), 0);
  spinUnlock(hart, TASKLIST_LOCK);
  forgetSiginfo(hart);
  return result;
}

/** Sends `signal` (0: only looks) to every process of group `pgid`. -ESRCH if there is none. (__kill_pgrp_info) */
export function sendSignalToGroup(hart: Hart, pgid: number, signal: number): number {
  return sendToMany(hart, signal, (process) => hart.shared.get(process + PROCESS_PGID) === pgid);
}

/** kill(-1): every process but init and the caller's own. */
export function sendSignalToAll(hart: Hart, signal: number): number {
  const own = hart.shared.get(hart.current + TASK_PROCESS);
  return sendToMany(hart, signal, (process) => process !== own && hart.shared.get(process + PROCESS_TGID) > 1);
}

/** 0 if one of them could be sent to, else the last error. */
function sendToMany(hart: Hart, signal: number, isTarget: (process: number) => boolean): number {
  let result = -ESRCH;
  spinLock(hart, TASKLIST_LOCK);
  forEachProcessLocked(hart, (process) => {
    if (!isTarget(process)) return;
    const error = signal === 0 ? 0 : Math.min(sendSignalLocked(hart, process, signal), 0);
    if (result !== 0) result = error;
  });
  spinUnlock(hart, TASKLIST_LOCK);
  forgetSiginfo(hart);
  return result;
}

/** send_sig(sig, current): SIGPIPE and the like, as from the task itself. */
export function sendSignalToSelf(hart: Hart, signal: number): void {
  siginfoFromCurrent(hart, signal, SI_USER);
  spinLock(hart, TASKLIST_LOCK);
  sendLocked(hart, hart.shared.get(hart.current + TASK_PROCESS), hart.current, true, signal);
  spinUnlock(hart, TASKLIST_LOCK);
  forgetSiginfo(hart);
}

/**
 * `signal`, with what HART_SIGINFO says, to `process` as a whole. 1 if it is pending now, 0 if it has no effect, or
 * -EAGAIN. Requires: TASKLIST_LOCK.
 */
export function sendSignalLocked(hart: Hart, process: number, signal: number): number {
  const { shared } = hart;
  const leader = shared.get(process + PROCESS_LEADER);
  const task = shared.get(leader + TASK_SIGHAND) !== 0 ? leader : shared.get(process + PROCESS_THREADS);
  return task === 0 ? 0 : sendLocked(hart, process, task, false, signal); // 0: a zombie, which nothing reaches
}

/** The same to the thread `task` alone. */
export function sendToTaskLocked(hart: Hart, task: number, signal: number): number {
  return sendLocked(hart, hart.shared.get(task + TASK_PROCESS), task, true, signal);
}

/** To `task` alone, or to its process, which `task` stands for. Requires: TASKLIST_LOCK. */
function sendLocked(hart: Hart, process: number, task: number, isPrivate: boolean, signal: number): number {
  const { shared } = hart;
  const sighand = shared.get(task + TASK_SIGHAND);
  if (sighand === 0) return 0; // it has left its group: nobody will look
  if (shared.get(hart.base + HART_SIGINFO + SIGINFO_SIGNO) !== signal) siginfoFromKernel(hart, signal);
  let result = 0;
  let target = 0;
  let isFatal = false;
  spinLock(hart, sighand + SIGHAND_LOCK);
  const continues = signal === SIGCONT && continueGroupLocked(hart, process);
  if (prepareSignal(hart, process, task, sighand, signal)) {
    const limit = softLimit(shared, process, RLIMIT_SIGPENDING);
    result = queueSignal(hart, isPrivate ? task : 0, process, signal, limit) ? 1 : -EAGAIN;
    if (result === 1) target = chooseThread(hart, process, task, isPrivate, signal);
    isFatal = target !== 0 && killsAtOnce(hart, target, sighand, signal);
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  traceTask(hart, TRACE_SIGNAL_GENERATE, task, signal | (isPrivate ? 0 : 1 << 8), result);
  if (result === 1) wakePollers(hart); // a signalfd may lead to it
  if (isFatal) startGroupExitLocked(hart, process, signal);
  else if (target !== 0) notifyTaskLocked(hart, target);
  if (continues) tellOfContinuationLocked(hart, process);
  return result;
}

/**
 * False if the signal has no effect at all. Stop signals and SIGCONT cancel each other even when blocked or ignored.
 * Requires: SIGHAND_LOCK.
 */
function prepareSignal(hart: Hart, process: number, task: number, sighand: number, signal: number): boolean {
  if (hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0) return false; // in the middle of dying
  if (isStopSignal(signal)) flushProcessSignals(hart, process, bitOf(SIGCONT), 0);
  else if (signal === SIGCONT) flushProcessSignals(hart, process, STOP_SIGNALS_LO, 0);
  // A blocked signal stays even if it is ignored now: the action may change before it is unblocked.
  return isBlocked(hart, task, signal) || !isIgnored(hart, sighand, signal);
}

/** Out of the sets of `process` and of all its threads. Requires: TASKLIST_LOCK, SIGHAND_LOCK. */
export function flushProcessSignals(hart: Hart, process: number, maskLo: number, maskHi: number): void {
  const { shared } = hart;
  flushSignals(hart, 0, process, maskLo, maskHi);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    flushSignals(hart, task, process, maskLo, maskHi);
  }
}

/** Requires: SIGHAND_LOCK. */
export function isIgnored(hart: Hart, sighand: number, signal: number): boolean {
  const handler = handlerOf(hart, sighand, signal);
  return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === ACTION_IGNORE);
}

/** Who is to look at the signal: 0 if everybody who could take it blocks it. (complete_signal, wants_signal) */
function chooseThread(hart: Hart, process: number, task: number, isPrivate: boolean, signal: number): number {
  const { shared } = hart;
  if (wants(hart, task, signal)) return task;
  if (isPrivate) return 0;
  for (let t = shared.get(process + PROCESS_THREADS); t !== 0; t = shared.get(t + TASK_THREAD_NEXT)) {
    if (t !== task && wants(hart, t, signal)) return t;
  }
  return 0;
}

function wants(hart: Hart, task: number, signal: number): boolean {
  const { shared } = hart;
  const mask = shared.loadOnce(task + TASK_SIGMASK_LO + wordOf(signal));
  if ((mask & bitOf(signal)) !== 0 || (shared.get(task + TASK_FLAGS) & PF_EXITING) !== 0) return false;
  if (signal === SIGKILL) return true;
  return shared.loadAcquire(task + TASK_STATE) !== TASK_STOPPED;
}

/** Nothing can keep the signal from ending the process, and there is nothing to say about it. */
function killsAtOnce(hart: Hart, task: number, sighand: number, signal: number): boolean {
  if (signal === SIGKILL) return true;
  if (handlerOf(hart, sighand, signal) !== SIG_DFL || defaultAction(signal) !== ACTION_TERMINATE) return false;
  return (hart.shared.get(task + TASK_REAL_BLOCKED_LO + wordOf(signal)) & bitOf(signal)) === 0;
}

function isBlocked(hart: Hart, task: number, signal: number): boolean {
  const { shared } = hart;
  const word = wordOf(signal);
  return (
    ((shared.get(task + TASK_SIGMASK_LO + word) | shared.get(task + TASK_REAL_BLOCKED_LO + word)) & bitOf(signal)) !== 0
  );
}

/** The next signal is not this one. */
export function forgetSiginfo(hart: Hart): void {
  hart.shared.set(hart.base + HART_SIGINFO + SIGINFO_SIGNO, 0);
}
