// The mask of blocked signals, and what is pending behind it.

import {
  HART_KERNEL_SCRATCH,
  PROCESS_PENDING_LO,
  SIGHAND_LOCK,
  TASK_PENDING_LO,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt } from "../registers.ts";
import { setBlocked } from "../signal/signal-mask.ts";
import { call, type SystemCall } from "./types.ts";

export const sigmaskCalls: readonly (readonly [number, SystemCall])[] = [
  [135, call("rt_sigprocmask", ["int", "pointer", "pointer", "size"], sysSigprocmask)],
  [136, call("rt_sigpending", ["pointer", "size"], sysSigpending)],
];

const SIGSET_BYTES = 8;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;

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
    prepareResult(hart, oldVa, SIGSET_BYTES);
    setBlocked(hart, combine(how, oldLo, shared.get(scratch)), combine(how, oldHi, shared.get(scratch + 4)));
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
