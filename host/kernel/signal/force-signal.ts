// Signals that an instruction of the current task causes. A handler gets them with the address and the reason; without
// one, or where the program does not want to hear of it, the process dies and one line says why.
// (Linux: force_sig_info_to_task in kernel/signal.c)

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
  PROCESS_GROUP_EXIT,
  PROCESS_TGID,
  SIGHAND_LOCK,
  TASK_FAULT_ADDRESS,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_LO,
  TASK_SIGNAL_PENDING,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { FAULT_BUS, FAULT_OOM, FAULT_SEGV_ACCERR } from "../../mm/fault/fault-outcome.ts";
import type { Hart } from "../../policy/hart.ts";
import { writeKernelLine } from "../kernel-line.ts";
import { groupExit } from "../process/exit.ts";
import { softLimit } from "../process/process.ts";
import { commOf } from "../process/task.ts";
import { loadU64, storeU64 } from "../registers.ts";
import { RLIMIT_SIGPENDING } from "../uapi.ts";
import { ACTION_HANDLER, actionOf, handlerOf } from "./sighand.ts";
import { siginfoFault, siginfoFromKernel } from "./siginfo.ts";
import {
  BUS_ADRERR,
  faultReason,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIG_DFL,
  SIG_IGN,
  SIGBUS,
  SIGILL,
  SIGKILL,
  SIGSEGV,
  SIGTRAP,
  signalName,
} from "./signal-numbers.ts";
import { bitOf, queueSignal, wordOf } from "./sigqueue.ts";

/** The current instruction raises `signal`; `code` is the si_code, `address` the si_addr. */
export function forceSignal(hart: Hart, signal: number, code: number, address: number): void {
  hart.shared.setF64(hart.current + TASK_FAULT_ADDRESS, address);
  // Linux/riscv reports the instruction, unless the page tables refused the access.
  const isAccess = signal === SIGSEGV || code === BUS_ADRERR;
  siginfoFault(hart, signal, code, isAccess ? address : loadU64(hart, hart.base + HART_PC));
  if (forceHandler(hart, signal)) return;
  const where = `0x${address.toString(16)}`;
  switch (signal) {
    case SIGILL:
      killGroup(hart, signal, `: illegal instruction ${where}`, true);
      return;
    case SIGTRAP:
      killGroup(hart, signal, ": breakpoint", true);
      return;
    default:
      killGroup(hart, signal, `: ${accessName(hart)} ${where}, ${faultReason(signal, code)}`, true);
  }
}

/**
 * SIGSEGV because of a stack that holds no signal frame, or has no room for one. False: that was the end of the task.
 * (force_sigsegv, badframe)
 */
export function forceBadFrame(hart: Hart, why: string): boolean {
  siginfoFromKernel(hart, SIGSEGV);
  const isHandled = forceHandler(hart, SIGSEGV);
  if (!isHandled) killGroup(hart, SIGSEGV, `: ${why}`, true);
  return isHandled;
}

/** What handleMmFault could not resolve (FAULT_*). */
export function forceFaultSignal(hart: Hart, fault: number, va: number): void {
  if (fault === FAULT_OOM) killGroup(hart, SIGKILL, ": out of memory", true);
  else if (fault === FAULT_BUS) forceSignal(hart, SIGBUS, BUS_ADRERR, va);
  else forceSignal(hart, SIGSEGV, fault === FAULT_SEGV_ACCERR ? SEGV_ACCERR : SEGV_MAPERR, va);
}

/** Ends the whole group by `signal`. Says so unless another thread is already ending it. */
export function killGroup(hart: Hart, signal: number, what: string, says: boolean): void {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  const isFirst = hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0;
  if (says && isFirst) writeKernelLine(hart, deathLine(hart, signal, what));
  groupExit(hart, signal);
}

/** Queues what is in HART_SIGINFO if a handler can take it. False: it kills; its action is the default from now on. */
function forceHandler(hart: Hart, signal: number): boolean {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  const process = shared.get(current + TASK_PROCESS);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const handler = handlerOf(hart, sighand, signal);
  const isBlocked = (shared.get(current + TASK_SIGMASK_LO + wordOf(signal)) & bitOf(signal)) !== 0;
  const isTaken = handler !== SIG_DFL && handler !== SIG_IGN && !isBlocked;
  if (isTaken) {
    queueSignal(hart, current, process, signal, softLimit(shared, process, RLIMIT_SIGPENDING));
    shared.storeRelease(current + TASK_SIGNAL_PENDING, 1);
  } else {
    storeU64(hart, actionOf(sighand, signal) + ACTION_HANDLER, SIG_DFL);
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return isTaken;
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
