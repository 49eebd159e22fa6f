// System calls that a signal interrupted. Such a call returns -ERESTART* and its task goes on at the ecall, with a0 as
// it was, until the signal is delivered: only then is known whether the call fails with EINTR or is made again.
// (Linux: arch_do_signal_or_restart in arch/riscv/kernel/signal.c, struct restart_block)

import {
  HART_PC,
  TASK_BLOCK_CALL,
  TASK_BLOCK_DEADLINE,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_RESTART_ERROR,
  TASK_SIGNAL_PENDING,
  TASK_SYSCALL,
  TASK_WAIT_RESULT,
  WAIT_PENDING,
} from "../../../assembly/layout.ts";
import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOINTR, ERESTARTSYS } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { A7, loadU64, registerOffset, storeU64 } from "../registers.ts";
import { SA_RESTART } from "./sighand.ts";

export const RESTART_SYSCALL = 128;
const A0 = 10;
const ECALL_BYTES = 4;
const MINUS_EINTR = BigInt.asUintN(64, BigInt(-EINTR));

/** Is `result` one of -ERESTART*? */
export function isRestartError(result: number): boolean {
  return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

/** The current task's call has returned `result`, one of -ERESTART*: the delivery of its signal decides. */
export function interruptCall(hart: Hart, result: number): void {
  hart.shared.set(hart.current + TASK_RESTART_ERROR, -result);
  hart.shared.storeRelease(hart.current + TASK_SIGNAL_PENDING, 1);
}

/**
 * The interrupted call `call` waits until `deadlineNs` (monotonic clock): if no handler runs, restart_syscall(2) goes
 * on with the time that is left. Returns -ERESTART_RESTARTBLOCK.
 */
export function interruptUntil(hart: Hart, call: number, deadlineNs: number): number {
  hart.shared.set(hart.current + TASK_BLOCK_CALL, call);
  hart.shared.setF64(hart.current + TASK_BLOCK_DEADLINE, deadlineNs);
  return -ERESTART_RESTARTBLOCK;
}

/**
 * A signal is being delivered: `isHandled` says whether a handler runs, with SA_* `flags`. The interrupted call, if
 * there is one, fails with EINTR or will be made again; nothing is left to settle then.
 */
export function settleRestart(hart: Hart, isHandled: boolean, flags: number): void {
  const { shared, base, current } = hart;
  const error = shared.get(current + TASK_RESTART_ERROR);
  if (error === 0) return;
  shared.set(current + TASK_RESTART_ERROR, 0);
  if (!isHandled) {
    if (error === ERESTART_RESTARTBLOCK) storeU64(hart, base + registerOffset(A7), RESTART_SYSCALL);
    return;
  }
  shared.set(current + TASK_BLOCK_CALL, 0);
  const isAgain = error === ERESTARTNOINTR || (error === ERESTARTSYS && (flags & SA_RESTART) !== 0);
  if (isAgain) return;
  shared.u64[(base + registerOffset(A0)) >>> 3] = MINUS_EINTR;
  storeU64(hart, base + HART_PC, loadU64(hart, base + HART_PC) + ECALL_BYTES);
}

/**
 * The call that a restart_syscall(2) of the current task stands for, made ready to go on as if it had just been woken;
 * RESTART_SYSCALL itself if there is none. (do_no_restart_syscall)
 */
export function restartedCall(hart: Hart): number {
  const { shared, current } = hart;
  const call = shared.get(current + TASK_BLOCK_CALL);
  if (call === 0) return RESTART_SYSCALL;
  if (shared.get(current + TASK_RESTART_CALL) !== call) {
    shared.setF64(current + TASK_RESTART, shared.getF64(current + TASK_BLOCK_DEADLINE));
    shared.set(current + TASK_WAIT_RESULT, WAIT_PENDING);
    shared.set(current + TASK_RESTART_CALL, call);
    shared.set(current + TASK_SYSCALL, call);
  }
  return call;
}

/** The handler has returned: nothing is left to go on with. */
export function forgetRestart(hart: Hart): void {
  hart.shared.set(hart.current + TASK_BLOCK_CALL, 0);
}
