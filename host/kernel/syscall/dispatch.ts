// From an ecall to the handler and back. The hart block is the trap frame; the caller (trap.ts) writes the result
// to a0.

import {
  COUNTER_SYSCALL,
  HART_OPTIONS,
  HART_X,
  OPTION_STRACE,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  TASK_USERFAULT,
} from "../../../assembly/layout.ts";
import { ENOSYS, ERESTART_RESTARTBLOCK } from "../../memory/errno.ts";
import { isTraced, TRACE_SYS_ENTER, traceCopy } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { endUserFault } from "../memory/userfault.ts";
import { argHigh, argUint } from "../registers.ts";
import { endRestart, NO_RETURN, WAIT } from "../sched/wait.ts";
import { forgetRestart, RESTART_SYSCALL, restartedCall } from "../signal/restart.ts";
import { traceSyscall } from "../strace.ts";
import { enter } from "./enter.ts";
import { SYSCALLS } from "./table.ts";
import type { Handler } from "./types.ts";

const A0 = HART_X + 10 * 8;
const ARGUMENT_WORDS = 12; // a0 to a5
const A7 = 7; // as an argument number: a7 holds the call's number
const HANDLERS: readonly (Handler | undefined)[] = SYSCALLS.map((call) => call?.handler);

/** Result or -errno, WAIT or NO_RETURN (wait.ts). */
export function dispatchSyscall(hart: Hart): number {
  const { shared, current } = hart;
  const called = argHigh(hart, A7) === 0 ? argUint(hart, A7) : HANDLERS.length;
  const number = called === RESTART_SYSCALL ? restartedCall(hart) : called;
  if (shared.get(current + TASK_USERFAULT) !== 0) endUserFault(hart);
  // Another thread may have overwritten the ecall of a call that waits: what comes now is a call of its own.
  if (shared.get(current + TASK_RESTART_CALL) !== number) endRestart(hart);
  if (shared.get(current + TASK_RESTART_CALL) === 0) {
    hart.count(COUNTER_SYSCALL);
    shared.set(current + TASK_SYSCALL, number);
    if (isTraced(hart, TRACE_SYS_ENTER)) traceCopy(hart, TRACE_SYS_ENTER, number, hart.base + A0, ARGUMENT_WORDS);
  }
  const result = run(hart, number, HANDLERS[number]);
  if (result === WAIT || result === NO_RETURN) return result;
  endRestart(hart);
  if (called === RESTART_SYSCALL && result !== -ERESTART_RESTARTBLOCK) forgetRestart(hart);
  return result;
}

function run(hart: Hart, number: number, handler: Handler | undefined): number {
  if ((hart.get(HART_OPTIONS) & OPTION_STRACE) !== 0) return traceSyscall(hart, number, handler);
  return handler === undefined ? -ENOSYS : enter(hart, handler);
}
