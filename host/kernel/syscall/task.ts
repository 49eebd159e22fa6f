// Threads: making them, ending them, and what the kernel remembers for them.

import {
  HART_KERNEL_SCRATCH,
  TASK_CLEAR_CHILD_TID,
  TASK_COMM,
  TASK_PID,
  TASK_PROCESS,
  TASK_ROBUST_LIST,
  TASK_ROBUST_LIST_BYTES,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { copyToUser, strncpyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { doExit, exitStatus, groupExit } from "../exit.ts";
import { argAddress, argInt, storeU64 } from "../registers.ts";
import { ROBUST_LIST_HEAD_BYTES } from "../robust-list.ts";
import { COMM_BYTES, findTask } from "../task.ts";
import { NO_RETURN } from "../wait.ts";
import { call, type SystemCall } from "./types.ts";

export const taskCalls: readonly (readonly [number, SystemCall])[] = [
  [93, call("exit", ["int"], sysExit)],
  [94, call("exit_group", ["int"], sysExitGroup)],
  [96, call("set_tid_address", ["pointer"], sysSetTidAddress)],
  [99, call("set_robust_list", ["pointer", "size"], sysSetRobustList)],
  [100, call("get_robust_list", ["int", "pointer", "pointer"], sysGetRobustList)],
  [167, call("prctl", ["int", "hex", "hex", "hex", "hex"], sysPrctl)],
];

function sysExit(hart: Hart): number {
  doExit(hart, exitStatus(argInt(hart, 0)));
  return NO_RETURN;
}

function sysExitGroup(hart: Hart): number {
  groupExit(hart, exitStatus(argInt(hart, 0)));
  return NO_RETURN;
}

function sysSetTidAddress(hart: Hart): number {
  hart.shared.setF64(hart.current + TASK_CLEAR_CHILD_TID, argAddress(hart, 0));
  return hart.shared.get(hart.current + TASK_PID);
}

function sysSetRobustList(hart: Hart): number {
  if (argAddress(hart, 1) !== ROBUST_LIST_HEAD_BYTES) return -EINVAL;
  hart.shared.setF64(hart.current + TASK_ROBUST_LIST, argAddress(hart, 0));
  hart.shared.set(hart.current + TASK_ROBUST_LIST_BYTES, ROBUST_LIST_HEAD_BYTES);
  return 0;
}

function sysGetRobustList(hart: Hart): number {
  const { shared, current } = hart;
  const pid = argInt(hart, 0);
  rcuReadLock(hart);
  const task = pid === 0 ? current : findTask(shared, pid);
  const head = task === 0 ? 0 : shared.getF64(task + TASK_ROBUST_LIST);
  const isOwn = task !== 0 && shared.get(task + TASK_PROCESS) === shared.get(current + TASK_PROCESS);
  rcuReadUnlock(hart);
  if (task === 0) return -ESRCH;
  if (!isOwn) return -EPERM;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  storeU64(hart, scratch, ROBUST_LIST_HEAD_BYTES);
  storeU64(hart, scratch + 8, head);
  if (copyToUser(hart, argAddress(hart, 2), scratch, 8) < 0) return -EFAULT;
  return copyToUser(hart, argAddress(hart, 1), scratch + 8, 8);
}

const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_SET_TIMERSLACK = 29;
const PR_GET_TIMERSLACK = 30;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const TIMERSLACK_NS = 50_000;

/** What has no effect on a machine of one user and no core dumps answers Linux's default. */
function sysPrctl(hart: Hart): number {
  switch (argInt(hart, 0)) {
    case PR_SET_NAME:
      return setName(hart, argAddress(hart, 1));
    case PR_GET_NAME:
      return copyToUser(hart, argAddress(hart, 1), hart.current + TASK_COMM, COMM_BYTES);
    case PR_GET_DUMPABLE:
      return 1;
    case PR_SET_DUMPABLE:
      return argAddress(hart, 1) <= 1 ? 0 : -EINVAL;
    case PR_GET_TIMERSLACK:
      return TIMERSLACK_NS;
    case PR_SET_TIMERSLACK:
    case PR_SET_PDEATHSIG:
    case PR_SET_THP_DISABLE:
      return 0;
    case PR_SET_NO_NEW_PRIVS:
      return argAddress(hart, 1) === 1 ? 0 : -EINVAL;
    case PR_GET_NO_NEW_PRIVS:
    case PR_GET_THP_DISABLE:
      return 0;
    case PR_GET_PDEATHSIG:
      hart.shared.set(hart.base + HART_KERNEL_SCRATCH, 0);
      return copyToUser(hart, argAddress(hart, 1), hart.base + HART_KERNEL_SCRATCH, 4);
    default:
      return -EINVAL;
  }
}

function setName(hart: Hart, va: number): number {
  const { u8 } = hart.shared;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const length = strncpyFromUser(hart, scratch, va, COMM_BYTES - 1);
  if (length < 0) return -EFAULT;
  // A reader that races with this sees a mixture of both names, as in Linux.
  for (let i = 0; i < COMM_BYTES; i++) u8[hart.current + TASK_COMM + i] = i < length ? u8[scratch + i] : 0;
  return 0;
}
