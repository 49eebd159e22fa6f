// Signals at the edge between kernel and guest: what is done about pending ones before guest code runs, and faults
// that force one. Handlers are not run yet: a signal that has one stays pending, and a fault kills whether it has one
// or not.

import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_MISALIGNED,
  CAUSE_FETCH_PAGE_FAULT,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_MISALIGNED,
  CAUSE_STORE_PAGE_FAULT,
  HART_CAUSE,
  HART_PC,
  PROCESS_EXIT_CODE,
  PROCESS_GROUP_EXIT,
  PROCESS_TGID,
  SIGHAND_LOCK,
  TASK_FAULT_ADDRESS,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
  TASK_SIGNAL_PENDING,
} from "../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { FAULT_BUS, FAULT_OOM, FAULT_SEGV_ACCERR } from "../mm/fault.ts";
import type { Hart } from "../policy/hart.ts";
import { doExit, groupExit } from "./exit.ts";
import { writeKernelLine } from "./kernel-line.ts";
import { loadU64 } from "./registers.ts";
import { handlerOf } from "./sighand.ts";
import {
  ACTION_CORE,
  ACTION_IGNORE,
  ACTION_STOP,
  BUS_ADRERR,
  defaultAction,
  faultReason,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIG_DFL,
  SIG_IGN,
  SIGBUS,
  SIGILL,
  SIGKILL,
  SIGNAL_COUNT,
  SIGSEGV,
  SIGTRAP,
  signalName,
} from "./signal-numbers.ts";
import { bitOf, takeSignal } from "./sigqueue.ts";
import { commOf } from "./task.ts";

/** True if the current task has something to look at: a call that waits must return -EINTR or what it has. */
export function signalPending(hart: Hart): boolean {
  return hart.shared.loadAcquire(hart.current + TASK_SIGNAL_PENDING) !== 0;
}

/**
 * Before guest code runs: does what the pending signals of the current task ask for. True if the task is gone and the
 * hart must schedule.
 */
export function deliverSignals(hart: Hart): boolean {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  // First the flag: whoever adds a signal after our look sets it again.
  shared.exchange(current + TASK_SIGNAL_PENDING, 0);
  if (shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0) {
    doExit(hart, shared.get(process + PROCESS_EXIT_CODE));
    return true;
  }
  const signal = takeFatalSignal(hart, process);
  if (signal === 0) return false;
  kill(hart, signal, "", defaultAction(signal) === ACTION_CORE);
  return true;
}

/** The fault signal of the current instruction kills the process; `code` is the si_code. One line says why. */
export function forceSignal(hart: Hart, signal: number, code: number, address: number): void {
  hart.shared.setF64(hart.current + TASK_FAULT_ADDRESS, address);
  const where = `0x${address.toString(16)}`;
  switch (signal) {
    case SIGILL:
      kill(hart, signal, `: illegal instruction ${where}`, true);
      return;
    case SIGTRAP:
      kill(hart, signal, ": breakpoint", true);
      return;
    default:
      kill(hart, signal, `: ${accessName(hart)} ${where}, ${faultReason(signal, code)}`, true);
  }
}

/** What handleMmFault could not resolve (FAULT_*). */
export function forceFaultSignal(hart: Hart, fault: number, va: number): void {
  if (fault === FAULT_OOM) kill(hart, SIGKILL, ": out of memory", true);
  else if (fault === FAULT_BUS) forceSignal(hart, SIGBUS, BUS_ADRERR, va);
  else forceSignal(hart, SIGSEGV, fault === FAULT_SEGV_ACCERR ? SEGV_ACCERR : SEGV_MAPERR, va);
}

/** Ends the whole group by `signal`. Says so unless another thread is already ending it. */
function kill(hart: Hart, signal: number, what: string, says: boolean): void {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  const isFirst = hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0;
  if (says && isFirst) writeKernelLine(hart, deathLine(hart, signal, what));
  groupExit(hart, signal);
}

/** Takes ignored signals off and returns the first that kills (taken off too), or 0. */
function takeFatalSignal(hart: Hart, process: number): number {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  let lo = shared.get(current + TASK_SIGMASK_LO);
  let hi = shared.get(current + TASK_SIGMASK_HI);
  for (let signal = 1; signal <= SIGNAL_COUNT; signal++) {
    const handler = handlerOf(hart, sighand, signal);
    if (handler === SIG_DFL || handler === SIG_IGN) continue;
    if (signal <= 32) lo |= bitOf(signal);
    else hi |= bitOf(signal);
  }
  let fatal = 0;
  while (fatal === 0) {
    const signal = takeSignal(hart, current, process, lo, hi) || takeSignal(hart, 0, process, lo, hi);
    if (signal === 0) break;
    const action = handlerOf(hart, sighand, signal) === SIG_IGN ? ACTION_IGNORE : defaultAction(signal);
    if (action !== ACTION_IGNORE && action !== ACTION_STOP) fatal = signal;
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return fatal;
}

function deathLine(hart: Hart, signal: number, what: string): string {
  const { shared, current } = hart;
  const name = `${commOf(shared, current)}[${shared.get(shared.get(current + TASK_PROCESS) + PROCESS_TGID)}]`;
  const pc = loadU64(hart, hart.base + HART_PC).toString(16);
  return `pagewalk: ${name} killed by ${signalName(signal)}${what}, pc 0x${pc}`;
}

/** What the instruction that trapped did with its address. */
function accessName(hart: Hart): string {
  switch (accessOf(hart.get(HART_CAUSE))) {
    case ACCESS_STORE:
      return "store to";
    case ACCESS_FETCH:
      return "fetch from";
    default:
      return "load from";
  }
}

function accessOf(cause: number): number {
  switch (cause) {
    case CAUSE_STORE_PAGE_FAULT:
    case CAUSE_STORE_ACCESS:
    case CAUSE_STORE_MISALIGNED:
      return ACCESS_STORE;
    case CAUSE_FETCH_PAGE_FAULT:
    case CAUSE_FETCH_ACCESS:
    case CAUSE_FETCH_MISALIGNED:
      return ACCESS_FETCH;
    default:
      return ACCESS_LOAD;
  }
}
