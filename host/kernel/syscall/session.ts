// Process groups and sessions. (Linux: kernel/sys.c)

import {
  PROCESS_DID_EXEC,
  PROCESS_FLAGS,
  PROCESS_LEADER,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_TGID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EACCES, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { groupSessionLocked, leadsSession } from "../process/process-group.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";
import { argInt } from "../registers.ts";
import { call, type SystemCall } from "./types.ts";

export const sessionCalls: readonly (readonly [number, SystemCall])[] = [
  [154, call("setpgid", ["int", "int"], sysSetpgid)],
  [155, call("getpgid", ["int"], sysGetpgid)],
  [156, call("getsid", ["int"], sysGetsid)],
  [157, call("setsid", [], sysSetsid)],
];

function sysSetpgid(hart: Hart): number {
  spinLock(hart, TASKLIST_LOCK);
  const result = setpgidLocked(hart, argInt(hart, 0), argInt(hart, 1));
  spinUnlock(hart, TASKLIST_LOCK);
  return result;
}

function setpgidLocked(hart: Hart, pidOrOwn: number, groupOrPid: number): number {
  const { shared, current } = hart;
  const own = shared.get(current + TASK_PROCESS);
  const pid = pidOrOwn === 0 ? shared.get(own + PROCESS_TGID) : pidOrOwn;
  const group = groupOrPid === 0 ? pid : groupOrPid;
  if (group < 0) return -EINVAL;
  const task = findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  if (process === 0) return -ESRCH;
  if (shared.get(process + PROCESS_LEADER) !== task) return -EINVAL;
  const session = shared.get(own + PROCESS_SID);
  if (shared.get(process + PROCESS_PARENT) === own) {
    if (shared.get(process + PROCESS_SID) !== session) return -EPERM;
    if ((shared.get(process + PROCESS_FLAGS) & PROCESS_DID_EXEC) !== 0) return -EACCES;
  } else if (process !== own) {
    return -ESRCH;
  }
  if (leadsSession(shared, process)) return -EPERM;
  if (group !== pid && groupSessionLocked(hart, group) !== session) return -EPERM;
  shared.set(process + PROCESS_PGID, group);
  return 0;
}

function sysSetsid(hart: Hart): number {
  const { shared } = hart;
  const process = shared.get(hart.current + TASK_PROCESS);
  const pid = shared.get(process + PROCESS_TGID);
  spinLock(hart, TASKLIST_LOCK);
  // Also when it merely leads a group: others of that group would be left in the old session.
  const refused = leadsSession(shared, process) || groupSessionLocked(hart, pid) !== 0;
  if (!refused) {
    shared.set(process + PROCESS_SID, pid);
    shared.set(process + PROCESS_PGID, pid);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return refused ? -EPERM : pid;
}

function sysGetpgid(hart: Hart): number {
  return processField(hart, PROCESS_PGID);
}

function sysGetsid(hart: Hart): number {
  return processField(hart, PROCESS_SID);
}

/** A field of the process that argument 0 names by any of its threads, or of the caller's. */
function processField(hart: Hart, field: number): number {
  const { shared } = hart;
  const pid = argInt(hart, 0);
  rcuReadLock(hart);
  const task = pid === 0 ? hart.current : findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  const value = process !== 0 ? shared.get(process + field) : -ESRCH;
  rcuReadUnlock(hart);
  return value;
}
