// What a process does about a signal, and on which stack.

import {
  HART_KERNEL_SCRATCH,
  SIGHAND_LOCK,
  TASK_ALTSTACK_BYTES,
  TASK_ALTSTACK_SP,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, EPERM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { argAddress, argInt, loadU64, registerOffset, storeU64 } from "../registers.ts";
import { NO_RETURN } from "../sched/wait.ts";
import { altStackMode, isOnAltStack, setAltStack } from "../signal/altstack.ts";
import { forceBadFrame } from "../signal/force-signal.ts";
import { forgetRestart } from "../signal/restart.ts";
import { ACTION_FLAGS, ACTION_MASK, ACTION_USER_BYTES, actionOf, SA_KNOWN } from "../signal/sighand.ts";
import { popSignalFrame } from "../signal/signal-frame.ts";
import { noticePendingLocked, UNBLOCKABLE_LO } from "../signal/signal-mask.ts";
import { SIGKILL, SIGNAL_COUNT, SIGSTOP } from "../signal/signal-numbers.ts";
import { flushProcessSignals, isIgnored } from "../signal/signal-send.ts";
import { bitOf } from "../signal/sigqueue.ts";
import { call, type SystemCall } from "./types.ts";

export const sigactionCalls: readonly (readonly [number, SystemCall])[] = [
  [132, call("sigaltstack", ["pointer", "pointer"], sysSigaltstack)],
  [134, call("rt_sigaction", ["signal", "pointer", "pointer", "size"], sysSigaction)],
  [139, call("rt_sigreturn", [], sysSigreturn)],
];

const SIGSET_BYTES = 8;

function sysSigaction(hart: Hart): number {
  const { shared, current } = hart;
  const signal = argInt(hart, 0);
  const [newVa, oldVa] = [argAddress(hart, 1), argAddress(hart, 2)];
  if (argAddress(hart, 3) !== SIGSET_BYTES) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (newVa !== 0 && copyFromUser(hart, scratch, newVa, ACTION_USER_BYTES) < 0) return -EFAULT;
  if (signal < 1 || signal > SIGNAL_COUNT) return -EINVAL;
  if (newVa !== 0 && (signal === SIGKILL || signal === SIGSTOP)) return -EINVAL;
  prepareResult(hart, oldVa, ACTION_USER_BYTES);
  const old = scratch + ACTION_USER_BYTES;
  const sighand = shared.get(current + TASK_SIGHAND);
  const action = actionOf(sighand, signal);
  spinLock(hart, TASKLIST_LOCK);
  spinLock(hart, sighand + SIGHAND_LOCK);
  hart.core.copyBytes(old, action, ACTION_USER_BYTES);
  if (newVa !== 0) {
    storeU64(hart, scratch + ACTION_FLAGS, (shared.get(scratch + ACTION_FLAGS) & SA_KNOWN) >>> 0);
    shared.set(scratch + ACTION_MASK, shared.get(scratch + ACTION_MASK) & ~UNBLOCKABLE_LO);
    hart.core.copyBytes(action, scratch, ACTION_USER_BYTES);
    // POSIX: a signal that is pending and becomes ignored is forgotten.
    if (isIgnored(hart, sighand, signal)) {
      const bit = bitOf(signal);
      flushProcessSignals(hart, shared.get(current + TASK_PROCESS), signal <= 32 ? bit : 0, signal > 32 ? bit : 0);
    }
  }
  noticePendingLocked(hart);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  spinUnlock(hart, TASKLIST_LOCK);
  return oldVa === 0 ? 0 : copyToUser(hart, oldVa, old, ACTION_USER_BYTES);
}

function sysSigreturn(hart: Hart): number {
  forgetRestart(hart);
  hart.shared.set(hart.current + TASK_SYSCALL, -1);
  if (!popSignalFrame(hart)) forceBadFrame(hart, "rt_sigreturn found no signal frame");
  return NO_RETURN;
}

const STACK_T_BYTES = 24; // {void *sp; int flags; size_t size}
const SP = 2;

function sysSigaltstack(hart: Hart): number {
  const { shared, current } = hart;
  const [newVa, oldVa] = [argAddress(hart, 0), argAddress(hart, 1)];
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const old = scratch + STACK_T_BYTES;
  const sp = loadU64(hart, hart.base + registerOffset(SP));
  if (newVa !== 0 && copyFromUser(hart, scratch, newVa, STACK_T_BYTES) < 0) return -EFAULT;
  prepareResult(hart, oldVa, STACK_T_BYTES);
  storeU64(hart, old, shared.getF64(current + TASK_ALTSTACK_SP));
  storeU64(hart, old + 8, altStackMode(hart, sp) >>> 0);
  storeU64(hart, old + 16, shared.getF64(current + TASK_ALTSTACK_BYTES));
  if (newVa !== 0) {
    if (isOnAltStack(hart, sp)) return -EPERM;
    const error = setAltStack(hart, loadU64(hart, scratch), loadU64(hart, scratch + 16), shared.get(scratch + 8));
    if (error !== 0) return error;
  }
  return oldVa === 0 ? 0 : copyToUser(hart, oldVa, old, STACK_T_BYTES);
}
