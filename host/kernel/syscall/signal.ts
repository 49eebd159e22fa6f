// Signal calls: actions, masks, sending. Nothing runs a handler yet (see kernel/signal.ts); what is set is remembered.

import {
  HART_KERNEL_SCRATCH,
  PROCESS_PENDING_HI,
  PROCESS_PENDING_LO,
  PROCESS_TGID,
  SIGHAND_LOCK,
  TASK_ALTSTACK_BYTES,
  TASK_ALTSTACK_FLAGS,
  TASK_ALTSTACK_SP,
  TASK_PENDING_HI,
  TASK_PENDING_LO,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
  TASK_SIGNAL_PENDING,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, ENOMEM, ESRCH } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt, loadU64, storeU64 } from "../registers.ts";
import { ACTION_HANDLER, ACTION_USER_BYTES, actionOf } from "../sighand.ts";
import { forceSignal } from "../signal.ts";
import {
  ACTION_IGNORE,
  defaultAction,
  SEGV_MAPERR,
  SIG_DFL,
  SIG_IGN,
  SIGKILL,
  SIGNAL_COUNT,
  SIGSEGV,
  SIGSTOP,
} from "../signal-numbers.ts";
import { sendSignalToProcess, sendSignalToThread } from "../signal-send.ts";
import { NO_RETURN } from "../wait.ts";
import { call, type SystemCall } from "./types.ts";

export const signalCalls: readonly (readonly [number, SystemCall])[] = [
  [129, call("kill", ["int", "signal"], sysKill)],
  [130, call("tkill", ["int", "signal"], sysTkill)],
  [131, call("tgkill", ["int", "int", "signal"], sysTgkill)],
  [132, call("sigaltstack", ["pointer", "pointer"], sysSigaltstack)],
  [134, call("rt_sigaction", ["signal", "pointer", "pointer", "size"], sysSigaction)],
  [135, call("rt_sigprocmask", ["int", "pointer", "pointer", "size"], sysSigprocmask)],
  [136, call("rt_sigpending", ["pointer", "size"], sysSigpending)],
  [139, call("rt_sigreturn", [], sysSigreturn)],
];

const SIGSET_BYTES = 8;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;
/** SIGKILL and SIGSTOP can be neither blocked nor handled. Both are in the low word. */
const UNBLOCKABLE_LO = (1 << (SIGKILL - 1)) | (1 << (SIGSTOP - 1));

function isSignal(signal: number): boolean {
  return signal >= 0 && signal <= SIGNAL_COUNT;
}

/** There is one process and one group: -1 (everybody but the caller and init) reaches nobody. */
function sysKill(hart: Hart): number {
  const pid = argInt(hart, 0);
  const signal = argInt(hart, 1);
  if (!isSignal(signal)) return -EINVAL;
  const own = hart.shared.get(hart.shared.get(hart.current + TASK_PROCESS) + PROCESS_TGID);
  if (pid > 0) return sendSignalToProcess(hart, pid, signal);
  if (pid === 0 || pid === -own) return sendSignalToProcess(hart, own, signal);
  return -ESRCH;
}

function sysTkill(hart: Hart): number {
  const [tid, signal] = [argInt(hart, 0), argInt(hart, 1)];
  if (tid <= 0 || !isSignal(signal)) return -EINVAL;
  return sendSignalToThread(hart, -1, tid, signal);
}

function sysTgkill(hart: Hart): number {
  const [tgid, tid, signal] = [argInt(hart, 0), argInt(hart, 1), argInt(hart, 2)];
  if (tgid <= 0 || tid <= 0 || !isSignal(signal)) return -EINVAL;
  return sendSignalToThread(hart, tgid, tid, signal);
}

function sysSigaction(hart: Hart): number {
  const signal = argInt(hart, 0);
  const [newVa, oldVa] = [argAddress(hart, 1), argAddress(hart, 2)];
  if (argAddress(hart, 3) !== SIGSET_BYTES) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (newVa !== 0 && copyFromUser(hart, scratch, newVa, ACTION_USER_BYTES) < 0) return -EFAULT;
  if (signal < 1 || signal > SIGNAL_COUNT) return -EINVAL;
  if (newVa !== 0 && (signal === SIGKILL || signal === SIGSTOP)) return -EINVAL;
  const old = scratch + ACTION_USER_BYTES;
  const sighand = hart.shared.get(hart.current + TASK_SIGHAND);
  const action = actionOf(sighand, signal);
  spinLock(hart, sighand + SIGHAND_LOCK);
  hart.core.copyBytes(old, action, ACTION_USER_BYTES);
  if (newVa !== 0) {
    hart.core.copyBytes(action, scratch, ACTION_USER_BYTES);
    const handler = loadU64(hart, scratch + ACTION_HANDLER);
    // POSIX: a signal that is pending and becomes ignored is forgotten.
    if (handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === ACTION_IGNORE)) forget(hart, signal);
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  // What was kept for a handler may have to be acted on now.
  recalculatePending(hart);
  return oldVa === 0 ? 0 : copyToUser(hart, oldVa, old, ACTION_USER_BYTES);
}

/** Requires: SIGHAND_LOCK. The sets of other threads are cleaned when they look. */
function forget(hart: Hart, signal: number): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  const word = ((signal - 1) >>> 5) * 4;
  for (const set of [current + TASK_PENDING_LO, process + PROCESS_PENDING_LO]) {
    shared.set(set + word, shared.get(set + word) & ~(1 << ((signal - 1) & 31)));
  }
}

function sysSigprocmask(hart: Hart): number {
  const { shared, current } = hart;
  const how = argInt(hart, 0);
  const [newVa, oldVa] = [argAddress(hart, 1), argAddress(hart, 2)];
  if (argAddress(hart, 3) !== SIGSET_BYTES) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const [oldLo, oldHi] = [shared.get(current + TASK_SIGMASK_LO), shared.get(current + TASK_SIGMASK_HI)];
  if (newVa !== 0) {
    if (copyFromUser(hart, scratch, newVa, SIGSET_BYTES) < 0) return -EFAULT;
    if (how !== SIG_BLOCK && how !== SIG_UNBLOCK && how !== SIG_SETMASK) return -EINVAL;
    const lo = shared.get(scratch) & ~UNBLOCKABLE_LO;
    shared.storeOnce(current + TASK_SIGMASK_LO, combine(how, oldLo, lo));
    shared.storeOnce(current + TASK_SIGMASK_HI, combine(how, oldHi, shared.get(scratch + 4)));
    recalculatePending(hart);
  }
  if (oldVa === 0) return 0;
  shared.set(scratch, oldLo);
  shared.set(scratch + 4, oldHi);
  return copyToUser(hart, oldVa, scratch, SIGSET_BYTES);
}

function combine(how: number, old: number, set: number): number {
  if (how === SIG_BLOCK) return old | set;
  return how === SIG_UNBLOCK ? old & ~set : set;
}

/** recalc_sigpending: something that was blocked may not be any more. */
function recalculatePending(hart: Hart): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const lo = shared.get(current + TASK_PENDING_LO) | shared.get(process + PROCESS_PENDING_LO);
  const hi = shared.get(current + TASK_PENDING_HI) | shared.get(process + PROCESS_PENDING_HI);
  const open = (lo & ~shared.get(current + TASK_SIGMASK_LO)) | (hi & ~shared.get(current + TASK_SIGMASK_HI));
  if (open !== 0) shared.storeRelease(current + TASK_SIGNAL_PENDING, 1);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
}

function sysSigpending(hart: Hart): number {
  const { shared, current } = hart;
  const bytes = argAddress(hart, 1);
  if (bytes > SIGSET_BYTES) return -EINVAL;
  const process = shared.get(current + TASK_PROCESS);
  const sighand = shared.get(current + TASK_SIGHAND);
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  spinLock(hart, sighand + SIGHAND_LOCK);
  for (const word of [0, 4]) {
    const pending = shared.get(current + TASK_PENDING_LO + word) | shared.get(process + PROCESS_PENDING_LO + word);
    shared.set(scratch + word, pending & shared.get(current + TASK_SIGMASK_LO + word));
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return copyToUser(hart, argAddress(hart, 0), scratch, bytes);
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
