// Threads: making them, ending them, and what the kernel remembers for them.

import {
  HART_KERNEL_SCRATCH,
  TASK_CLEAR_CHILD_TID,
  TASK_PID,
  TASK_PROCESS,
  TASK_ROBUST_LIST,
  TASK_ROBUST_LIST_BYTES,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { ROBUST_LIST_HEAD_BYTES } from "../futex/robust-list.ts";
import { doExit, exitStatus, groupExit } from "../process/exit.ts";
import { findTask } from "../process/task.ts";
import { argAddress, argInt, storeU64 } from "../registers.ts";
import { NO_RETURN } from "../sched/wait.ts";
import { call, type SystemCall } from "./types.ts";

export const taskCalls: readonly (readonly [number, SystemCall])[] = [
  [93, call("exit", ["int"], sysExit)],
  [94, call("exit_group", ["int"], sysExitGroup)],
  [96, call("set_tid_address", ["pointer"], sysSetTidAddress)],
  [99, call("set_robust_list", ["pointer", "size"], sysSetRobustList)],
  [100, call("get_robust_list", ["int", "pointer", "pointer"], sysGetRobustList)],
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
