// What a process does about a signal, and on which stack.

import {
  HART_KERNEL_SCRATCH,
  SIGHAND_LOCK,
  TASK_ALTSTACK_BYTES,
  TASK_ALTSTACK_FLAGS,
  TASK_ALTSTACK_SP,
  TASK_PROCESS,
  TASK_SIGHAND,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, ENOMEM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt, loadU64, storeU64 } from "../registers.ts";
import { ACTION_FLAGS, ACTION_MASK, ACTION_USER_BYTES, actionOf, SA_KNOWN } from "../sighand.ts";
import { forceSignal } from "../signal.ts";
import { noticePendingLocked, UNBLOCKABLE_LO } from "../signal-mask.ts";
import { SEGV_MAPERR, SIGKILL, SIGNAL_COUNT, SIGSEGV, SIGSTOP } from "../signal-numbers.ts";
import { flushProcessSignals, isIgnored } from "../signal-send.ts";
import { bitOf } from "../sigqueue.ts";
import { TASKLIST_LOCK } from "../task.ts";
import { NO_RETURN } from "../wait.ts";
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

/** No handler has been entered, so there is no frame to return from: what a kernel does with a bad frame. */
function sysSigreturn(hart: Hart): number {
  forceSignal(hart, SIGSEGV, SEGV_MAPERR, 0);
  return NO_RETURN;
}

const STACK_T_BYTES = 24; // {void *sp; int flags; size_t size}
const SS_ONSTACK = 1;
const SS_DISABLE = 2;
const SS_AUTODISARM = 1 << 31;
const MINSIGSTKSZ = 2048;

function sysSigaltstack(hart: Hart): number {
  const { shared, current } = hart;
  const [newVa, oldVa] = [argAddress(hart, 0), argAddress(hart, 1)];
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const old = scratch + STACK_T_BYTES;
  const oldBytes = shared.getF64(current + TASK_ALTSTACK_BYTES);
  storeU64(hart, old, shared.getF64(current + TASK_ALTSTACK_SP));
  storeU64(hart, old + 8, oldBytes === 0 ? SS_DISABLE : shared.get(current + TASK_ALTSTACK_FLAGS) >>> 0);
  storeU64(hart, old + 16, oldBytes);
  if (newVa !== 0) {
    if (copyFromUser(hart, scratch, newVa, STACK_T_BYTES) < 0) return -EFAULT;
    const flags = shared.get(scratch + 8);
    const mode = flags & ~SS_AUTODISARM;
    if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -EINVAL;
    const disabled = mode === SS_DISABLE;
    const bytes = loadU64(hart, scratch + 16);
    if (!disabled && bytes < MINSIGSTKSZ) return -ENOMEM;
    shared.setF64(current + TASK_ALTSTACK_SP, disabled ? 0 : loadU64(hart, scratch));
    shared.setF64(current + TASK_ALTSTACK_BYTES, disabled ? 0 : bytes);
    shared.set(current + TASK_ALTSTACK_FLAGS, flags & SS_AUTODISARM);
  }
  return oldVa === 0 ? 0 : copyToUser(hart, oldVa, old, STACK_T_BYTES);
}
