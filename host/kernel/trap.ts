// Why a hart left the guest, and what the kernel does about it. The trap frame is the hart block itself: registers,
// HART_PC (the instruction that trapped), HART_CAUSE and HART_TVAL.

import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_BREAKPOINT,
  CAUSE_ECALL_U,
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_MISALIGNED,
  CAUSE_FETCH_PAGE_FAULT,
  CAUSE_ILLEGAL,
  CAUSE_LOAD_ACCESS,
  CAUSE_LOAD_MISALIGNED,
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_MISALIGNED,
  CAUSE_STORE_PAGE_FAULT,
  HART_CAUSE,
  HART_PC,
  HART_TVAL,
  HART_X,
  PAGE_SHIFT,
  TASK_INTERRUPTIBLE,
  TASK_MM,
  TASK_RUNNING,
  TASK_SYSCALL,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { isTraced, TRACE_PAGE_FAULT_USER, TRACE_SYS_EXIT, trace } from "../memory/trace.ts";
import { handlePageFault } from "../mm/fault/fault.ts";
import { FAULT_OK, FAULT_USERFAULT } from "../mm/fault/fault-outcome.ts";
import { TASK_BYTES_USER } from "../mm/uapi.ts";
import type { Hart } from "../policy/hart.ts";
import { schedule } from "./sched/switch.ts";
import { NO_RETURN, WAIT } from "./sched/wait.ts";
import { forceFaultSignal, forceSignal } from "./signal/force-signal.ts";
import { interruptCall, isRestartError } from "./signal/restart.ts";
import {
  BUS_ADRALN,
  ILL_ILLOPC,
  SEGV_MAPERR,
  SIGBUS,
  SIGILL,
  SIGSEGV,
  SIGTRAP,
  TRAP_BRKPT,
} from "./signal/signal-numbers.ts";
import { dispatchSyscall } from "./syscall/dispatch.ts";

const A0 = HART_X + 10 * 8;
const ECALL_BYTES = 4;

/** Handles EXIT_TRAP. Afterwards the hart may have another current task. */
export function handleTrap(hart: Hart): void {
  const cause = hart.get(HART_CAUSE);
  switch (cause) {
    case CAUSE_ECALL_U:
      systemCall(hart);
      return;
    case CAUSE_LOAD_PAGE_FAULT:
      pageFault(hart, ACCESS_LOAD);
      return;
    case CAUSE_STORE_PAGE_FAULT:
      pageFault(hart, ACCESS_STORE);
      return;
    case CAUSE_FETCH_PAGE_FAULT:
      pageFault(hart, ACCESS_FETCH);
      return;
    case CAUSE_ILLEGAL:
      forceSignal(hart, SIGILL, ILL_ILLOPC, trapValue(hart));
      return;
    case CAUSE_BREAKPOINT:
      forceSignal(hart, SIGTRAP, TRAP_BRKPT, trapValue(hart));
      return;
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
    case CAUSE_FETCH_MISALIGNED:
      forceSignal(hart, SIGBUS, BUS_ADRALN, trapValue(hart));
      return;
    case CAUSE_FETCH_ACCESS:
    case CAUSE_LOAD_ACCESS:
    case CAUSE_STORE_ACCESS:
      forceSignal(hart, SIGSEGV, SEGV_MAPERR, trapValue(hart));
      return;
    default:
      throw new KernelBug("trap with no handler", { cause });
  }
}

/** The ecall at pc; also when a call that waits must look at a signal before it is delivered. */
export function systemCall(hart: Hart): void {
  const result = dispatchSyscall(hart);
  if (result === WAIT) schedule(hart);
  else finishSystemCall(hart, result);
}

/** What the guest sees of a call that does not wait. */
export function finishSystemCall(hart: Hart, result: number): void {
  if (result === NO_RETURN) return;
  if (isTraced(hart, TRACE_SYS_EXIT)) {
    trace(hart, TRACE_SYS_EXIT, hart.shared.get(hart.current + TASK_SYSCALL), result, Math.floor(result / 2 ** 32));
  }
  hart.shared.set(hart.current + TASK_SYSCALL, -1);
  if (isRestartError(result)) {
    interruptCall(hart, result);
    return;
  }
  writeU64(hart, hart.base + A0, result);
  advancePc(hart);
}

function advancePc(hart: Hart): void {
  const u32 = hart.shared.u32;
  const index = (hart.base + HART_PC) >>> 2;
  const low = u32[index] + ECALL_BYTES;
  u32[index] = low;
  if (low > 0xffffffff) u32[index + 1]++;
}

function pageFault(hart: Hart, access: number): void {
  const mm = hart.shared.get(hart.current + TASK_MM);
  hart.userFaultState = TASK_INTERRUPTIBLE;
  const fault = faultAtTrapValue(hart, mm, access);
  hart.userFaultState = TASK_RUNNING;
  if (fault === FAULT_OK) return;
  if (fault === FAULT_USERFAULT) schedule(hart);
  else if (fault === -1) forceSignal(hart, SIGSEGV, SEGV_MAPERR, trapValue(hart));
  else forceFaultSignal(hart, fault, trapValue(hart));
}

/** FAULT_*, or -1: no user address. By page number, a small integer: an address would be a heap object each time. */
function faultAtTrapValue(hart: Hart, mm: number, access: number): number {
  const u32 = hart.shared.u32;
  const index = (hart.base + HART_TVAL) >>> 2;
  const high = u32[index + 1];
  if (isTraced(hart, TRACE_PAGE_FAULT_USER)) {
    const pc = (hart.base + HART_PC) >>> 2;
    trace(hart, TRACE_PAGE_FAULT_USER, u32[index], high, u32[pc], u32[pc + 1], access);
  }
  if (high >= TASK_BYTES_USER / 2 ** 32) return -1;
  return handlePageFault(hart, mm, (high << 20) | (u32[index] >>> PAGE_SHIFT), access);
}

/** stval as a number: exact for user addresses, large for others. */
function trapValue(hart: Hart): number {
  const u32 = hart.shared.u32;
  const index = (hart.base + HART_TVAL) >>> 2;
  return u32[index + 1] * 2 ** 32 + u32[index];
}

/** A number of magnitude below 2^53 as a 64-bit two's complement word. */
export function writeU64(hart: Hart, address: number, value: number): void {
  const u32 = hart.shared.u32;
  const small = value | 0;
  u32[address >>> 2] = value;
  // The usual result, and without a floating-point division: its upper half is its sign.
  u32[(address + 4) >>> 2] = small === value ? small >> 31 : Math.floor(value / 2 ** 32);
}
