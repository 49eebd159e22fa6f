// Who is asking: numbers of process, thread, group and user. There is one user, root, and one session.

import {
  HART_KERNEL_SCRATCH,
  PROCESS_LEADER,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_TGID,
  TASK_PID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, ESRCH } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt } from "../registers.ts";
import { findTask } from "../task.ts";
import { call, type SystemCall } from "./types.ts";

export const identityCalls: readonly (readonly [number, SystemCall])[] = [
  [148, call("getresuid", ["pointer", "pointer", "pointer"], sysGetresid)],
  [150, call("getresgid", ["pointer", "pointer", "pointer"], sysGetresid)],
  [155, call("getpgid", ["int"], sysGetpgid)],
  [156, call("getsid", ["int"], sysGetsid)],
  [158, call("getgroups", ["int", "pointer"], sysGetgroups)],
  [172, call("getpid", [], sysGetpid)],
  [173, call("getppid", [], sysGetppid)],
  [174, call("getuid", [], root)],
  [175, call("geteuid", [], root)],
  [176, call("getgid", [], root)],
  [177, call("getegid", [], root)],
  [178, call("gettid", [], sysGettid)],
];

function root(): number {
  return 0;
}

function sysGetpid(hart: Hart): number {
  return hart.shared.get(hart.shared.get(hart.current + TASK_PROCESS) + PROCESS_TGID);
}

function sysGettid(hart: Hart): number {
  return hart.shared.get(hart.current + TASK_PID);
}

function sysGetppid(hart: Hart): number {
  const { shared } = hart;
  const parent = shared.get(shared.get(hart.current + TASK_PROCESS) + PROCESS_PARENT);
  return parent === 0 ? 0 : shared.get(parent + PROCESS_TGID);
}

function sysGetpgid(hart: Hart): number {
  return processField(hart, PROCESS_PGID);
}

function sysGetsid(hart: Hart): number {
  return processField(hart, PROCESS_SID);
}

/** A field of the process whose number is argument 0, or of the caller's. */
function processField(hart: Hart, field: number): number {
  const { shared } = hart;
  const pid = argInt(hart, 0);
  rcuReadLock(hart);
  const task = pid === 0 ? hart.current : findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  const isProcess = process !== 0 && (pid === 0 || shared.get(process + PROCESS_LEADER) === task);
  const value = isProcess ? shared.get(process + field) : -ESRCH;
  rcuReadUnlock(hart);
  return value;
}

function sysGetresid(hart: Hart): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  hart.shared.set(scratch, 0);
  for (let n = 0; n < 3; n++) {
    if (copyToUser(hart, argAddress(hart, n), scratch, 4) < 0) return -EFAULT;
  }
  return 0;
}

/** No supplementary groups. */
function sysGetgroups(hart: Hart): number {
  return argInt(hart, 0) < 0 ? -EINVAL : 0;
}
