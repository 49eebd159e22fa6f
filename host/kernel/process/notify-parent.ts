// What a parent hears of its children: SIGCHLD, and the end of its wait calls. (Linux: do_notify_parent and
// do_notify_parent_cldstop in kernel/signal.c)

import {
  PROCESS_CHILD_WAITQ,
  PROCESS_CONTINUED,
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_EXIT_CODE,
  PROCESS_EXIT_SIGNAL,
  PROCESS_FLAGS,
  PROCESS_LEADER,
  PROCESS_PARENT,
  PROCESS_STOP_CODE,
  PROCESS_STOPPED,
  PROCESS_TGID,
  PROCESS_THREADS,
  SIGHAND_LOCK,
  TASK_SIGHAND,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64 } from "../registers.ts";
import { wakeUpAll } from "../sched/wait.ts";
import { ACTION_FLAGS, actionOf, handlerOf, SA_NOCLDSTOP, SA_NOCLDWAIT } from "../signal/sighand.ts";
import { siginfoChild } from "../signal/siginfo.ts";
import { SIG_IGN, SIGCHLD } from "../signal/signal-numbers.ts";
import { forgetSiginfo, sendSignalLocked } from "../signal/signal-send.ts";
import { NS_PER_SECOND, USER_HZ } from "../uapi.ts";

// si_code of SIGCHLD (asm-generic/siginfo.h)
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

/**
 * `process` has ended, or stopped or gone on as a whole: `code` is CLD_*, `status` the exit code or the signal. For a
 * stop and a continuation it also notes what WUNTRACED and WCONTINUED report. Requires: TASKLIST_LOCK.
 */
export function notifyParentLocked(hart: Hart, process: number, code: number, status: number): void {
  const { shared } = hart;
  const flags = shared.get(process + PROCESS_FLAGS);
  if (code === CLD_STOPPED) {
    shared.set(process + PROCESS_FLAGS, flags | PROCESS_STOPPED);
    shared.set(process + PROCESS_STOP_CODE, status);
    shared.set(process + PROCESS_CONTINUED, 0);
  } else if (code === CLD_CONTINUED) {
    shared.set(process + PROCESS_FLAGS, flags & ~PROCESS_STOPPED);
    shared.set(process + PROCESS_STOP_CODE, 0);
    shared.set(process + PROCESS_CONTINUED, 1);
  }
  const parent = shared.get(process + PROCESS_PARENT);
  if (parent === 0) return;
  const isWanted = code === CLD_EXITED || code === CLD_KILLED || (childFlags(hart, parent) & SA_NOCLDSTOP) === 0;
  const signal = code === CLD_STOPPED || code === CLD_CONTINUED ? SIGCHLD : shared.get(process + PROCESS_EXIT_SIGNAL);
  if (signal !== 0 && isWanted) {
    siginfoChild(hart, signal, code, shared.get(process + PROCESS_TGID), status, ticksOf(hart, process), 0);
    sendSignalLocked(hart, parent, signal);
    forgetSiginfo(hart);
  }
  wakeWaiters(hart, parent);
}

/**
 * The last thread of `process` has gone: its parent is told. True if nobody will wait for it, so that it can go at once
 * (SIGCHLD ignored, or SA_NOCLDWAIT). Requires: TASKLIST_LOCK.
 */
export function notifyOfEndLocked(hart: Hart, process: number): boolean {
  const { shared } = hart;
  const parent = shared.get(process + PROCESS_PARENT);
  const exitSignal = shared.get(process + PROCESS_EXIT_SIGNAL);
  const ignores = exitSignal === SIGCHLD && ignoresChildren(hart, parent);
  const waitsForNone = ignores || (exitSignal === SIGCHLD && (childFlags(hart, parent) & SA_NOCLDWAIT) !== 0);
  const status = shared.get(process + PROCESS_EXIT_CODE);
  const signal = status & 0x7f;
  if (ignores) wakeWaiters(hart, parent);
  else notifyParentLocked(hart, process, signal !== 0 ? CLD_KILLED : CLD_EXITED, signal || (status >>> 8) & 0xff);
  return waitsForNone;
}

/** Threads of `parent` in wait calls look again. Requires: TASKLIST_LOCK. */
export function wakeWaiters(hart: Hart, parent: number): void {
  wakeUpAll(hart, parent + PROCESS_CHILD_WAITQ);
}

function ignoresChildren(hart: Hart, parent: number): boolean {
  const sighand = sighandOf(hart, parent);
  if (sighand === 0) return false;
  spinLock(hart, sighand + SIGHAND_LOCK);
  const handler = handlerOf(hart, sighand, SIGCHLD);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return handler === SIG_IGN;
}

/** SA_* of the parent's action for SIGCHLD. */
function childFlags(hart: Hart, parent: number): number {
  const sighand = sighandOf(hart, parent);
  return sighand === 0 ? 0 : loadU64(hart, actionOf(sighand, SIGCHLD) + ACTION_FLAGS);
}

/** The actions of a process: those of any thread that has not left; 0 if none is left. */
function sighandOf(hart: Hart, process: number): number {
  const { shared } = hart;
  const sighand = shared.get(shared.get(process + PROCESS_LEADER) + TASK_SIGHAND);
  if (sighand !== 0) return sighand;
  const thread = shared.get(process + PROCESS_THREADS);
  return thread === 0 ? 0 : shared.get(thread + TASK_SIGHAND);
}

function ticksOf(hart: Hart, process: number): number {
  return Math.floor(hart.shared.getF64(process + PROCESS_DEAD_RUNTIME_NS) / (NS_PER_SECOND / USER_HZ));
}
