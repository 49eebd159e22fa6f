// Waiting for children: which child a wait call may report, what it reports, and the task-wait until there is one.
// (Linux: do_wait, wait_consider_task and what they call, in kernel/exit.c)

import {
  PROCESS_CHILD_MAXRSS,
  PROCESS_CHILD_RUNTIME_NS,
  PROCESS_CHILD_WAITQ,
  PROCESS_CHILDREN,
  PROCESS_CONTINUED,
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_EXIT_CODE,
  PROCESS_EXIT_SIGNAL,
  PROCESS_MAXRSS,
  PROCESS_PGID,
  PROCESS_REAPED,
  PROCESS_SIBLING_NEXT,
  PROCESS_START_NS,
  PROCESS_STATE,
  PROCESS_STOP_CODE,
  PROCESS_TGID,
  PROCESS_ZOMBIE,
  TASK_PROCESS,
  TASK_RESTART,
  TASK_RESTART_CALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { ECHILD, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, isRestart, WAIT, waitqAdd } from "../sched/wait.ts";
import { SIGCHLD, SIGCONT } from "../signal/signal-numbers.ts";
import { P_ALL, P_PGID, WALL, WCLONE, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WUNTRACED } from "../uapi.ts";
import { reapLocked } from "./exit-notify.ts";
import { CLD_CONTINUED, CLD_EXITED, CLD_KILLED, CLD_STOPPED } from "./notify-parent.ts";
import { TASKLIST_LOCK } from "./task.ts";
import { countsWithChildrenLocked } from "./usage-counts.ts";

/** Whom to wait for: P_* and a number, and W*. */
export interface WaitFor {
  readonly which: number;
  readonly id: number;
  /** P_PIDFD, whose id is the number: PROCESS_START_NS. */
  readonly startNs?: number;
  readonly flags: number;
}

// What was found, in the restart block: a reaped child is told of even if the copy to the guest has to wait.
export const FOUND_PID = TASK_RESTART; // 0: nothing yet
export const FOUND_STATUS = TASK_RESTART + 8; // wait status
export const FOUND_CODE = TASK_RESTART + 16; // CLD_*
export const FOUND_VALUE = TASK_RESTART + 24; // si_status
export const FOUND_RUNTIME_NS = TASK_RESTART + 32;
export const FOUND_MAXRSS = TASK_RESTART + 40; // pages
export const FOUND_MIN_FLT = TASK_RESTART + 48; // u32, like the next three
export const FOUND_MAJ_FLT = TASK_RESTART + 52;
export const FOUND_NVCSW = TASK_RESTART + 56;
export const FOUND_NIVCSW = TASK_RESTART + 60;

/** The number of the child found (FOUND_* of the current task says more), 0 under WNOHANG, -errno, or WAIT. */
export function waitForChild(hart: Hart, call: number, wanted: WaitFor): number {
  const { shared, current } = hart;
  if (!isRestart(hart, call)) shared.setF64(current + FOUND_PID, 0);
  else if (shared.getF64(current + FOUND_PID) !== 0) return shared.getF64(current + FOUND_PID);
  else finishWait(hart);
  spinLock(hart, TASKLIST_LOCK);
  const result = lookLocked(hart, call, wanted);
  spinUnlock(hart, TASKLIST_LOCK);
  return result;
}

function lookLocked(hart: Hart, call: number, wanted: WaitFor): number {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  let couldCome = false;
  for (let child = shared.get(process + PROCESS_CHILDREN); child !== 0; ) {
    const next = shared.get(child + PROCESS_SIBLING_NEXT);
    if (isEligible(hart, child, wanted)) {
      if (report(hart, child, wanted.flags)) {
        shared.set(current + TASK_RESTART_CALL, call);
        return shared.getF64(current + FOUND_PID);
      }
      if (shared.get(child + PROCESS_STATE) !== PROCESS_ZOMBIE) couldCome = true;
    }
    child = next;
  }
  if (!couldCome) return -ECHILD;
  if ((wanted.flags & WNOHANG) !== 0) return 0;
  if (signalPending(hart)) return -ERESTARTSYS;
  const queue = process + PROCESS_CHILD_WAITQ;
  spinLock(hart, queue + WAITQ_LOCK);
  waitqAdd(hart, queue);
  spinUnlock(hart, queue + WAITQ_LOCK);
  shared.set(current + TASK_RESTART_CALL, call);
  return WAIT;
}

/** (eligible_pid, eligible_child) */
function isEligible(hart: Hart, child: number, wanted: WaitFor): boolean {
  const { shared } = hart;
  if (shared.get(child + PROCESS_STATE) === PROCESS_REAPED) return false;
  if (wanted.startNs !== undefined && shared.getF64(child + PROCESS_START_NS) !== wanted.startNs) return false;
  const number = shared.get(child + (wanted.which !== P_PGID ? PROCESS_TGID : PROCESS_PGID));
  if (wanted.which !== P_ALL && number !== wanted.id) return false;
  if ((wanted.flags & WALL) !== 0) return true;
  // A "clone" child is one that ends with another signal than SIGCHLD, or with none.
  return (shared.get(child + PROCESS_EXIT_SIGNAL) !== SIGCHLD) === ((wanted.flags & WCLONE) !== 0);
}

/** Has the child something to tell that the caller asks for? Then it is told, and unless WNOWAIT only once. */
function report(hart: Hart, child: number, flags: number): boolean {
  const { shared } = hart;
  const keeps = (flags & WNOWAIT) !== 0;
  if (shared.get(child + PROCESS_STATE) === PROCESS_ZOMBIE) {
    if ((flags & WEXITED) === 0) return false;
    const status = shared.get(child + PROCESS_EXIT_CODE);
    const signal = status & 0x7f;
    found(hart, child, status, signal !== 0 ? CLD_KILLED : CLD_EXITED, signal || (status >>> 8) & 0xff);
    if (!keeps) reapLocked(hart, child);
    return true;
  }
  const stop = shared.get(child + PROCESS_STOP_CODE);
  if ((flags & WUNTRACED) !== 0 && stop !== 0) {
    found(hart, child, (stop << 8) | 0x7f, CLD_STOPPED, stop);
    if (!keeps) shared.set(child + PROCESS_STOP_CODE, 0);
    return true;
  }
  if ((flags & WCONTINUED) === 0 || shared.get(child + PROCESS_CONTINUED) === 0) return false;
  found(hart, child, 0xffff, CLD_CONTINUED, SIGCONT);
  if (!keeps) shared.set(child + PROCESS_CONTINUED, 0);
  return true;
}

function found(hart: Hart, child: number, status: number, code: number, value: number): void {
  const { shared, current } = hart;
  const ran = shared.getF64(child + PROCESS_DEAD_RUNTIME_NS) + shared.getF64(child + PROCESS_CHILD_RUNTIME_NS);
  shared.setF64(current + FOUND_PID, shared.get(child + PROCESS_TGID));
  shared.setF64(current + FOUND_STATUS, status);
  shared.setF64(current + FOUND_CODE, code);
  shared.setF64(current + FOUND_VALUE, value);
  shared.setF64(current + FOUND_RUNTIME_NS, ran);
  const pages = Math.max(shared.get(child + PROCESS_MAXRSS), shared.get(child + PROCESS_CHILD_MAXRSS));
  shared.setF64(current + FOUND_MAXRSS, pages);
  const counts = countsWithChildrenLocked(shared, child);
  shared.set(current + FOUND_MIN_FLT, counts.minorFaults);
  shared.set(current + FOUND_MAJ_FLT, counts.majorFaults);
  shared.set(current + FOUND_NVCSW, counts.voluntarySwitches);
  shared.set(current + FOUND_NIVCSW, counts.involuntarySwitches);
}
