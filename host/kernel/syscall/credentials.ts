// Users, groups and capabilities. What holds for users holds for groups, with CAP_SETGID in place of CAP_SETUID; both
// are root's. (Linux: kernel/sys.c, kernel/groups.c, kernel/capability.c)

import {
  HART_BUFFER,
  HART_KERNEL_SCRATCH,
  PROCESS_GROUP_COUNT,
  PROCESS_GROUPS,
  PROCESS_GROUPS_MAX,
  TASK_PID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { copyFromUser, copyToUser, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import {
  currentId,
  GROUPS,
  ID_EFFECTIVE,
  ID_FS,
  ID_REAL,
  ID_SAVED,
  isCapable,
  setCurrentId,
  USERS,
} from "../process/cred.ts";
import { findTask } from "../process/task.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { call, type SystemCall } from "./types.ts";

export const credentialCalls: readonly (readonly [number, SystemCall])[] = [
  [90, call("capget", ["pointer", "pointer"], sysCapget)],
  [91, call("capset", ["pointer", "pointer"], sysCapset)],
  [143, call("setregid", ["int", "int"], (hart) => setReal(hart, GROUPS))],
  [144, call("setgid", ["int"], (hart) => setId(hart, GROUPS))],
  [145, call("setreuid", ["int", "int"], (hart) => setReal(hart, USERS))],
  [146, call("setuid", ["int"], (hart) => setId(hart, USERS))],
  [147, call("setresuid", ["int", "int", "int"], (hart) => setAll(hart, USERS))],
  [148, call("getresuid", ["pointer", "pointer", "pointer"], (hart) => getAll(hart, USERS))],
  [149, call("setresgid", ["int", "int", "int"], (hart) => setAll(hart, GROUPS))],
  [150, call("getresgid", ["pointer", "pointer", "pointer"], (hart) => getAll(hart, GROUPS))],
  [151, call("setfsuid", ["int"], (hart) => setFs(hart, USERS))],
  [152, call("setfsgid", ["int"], (hart) => setFs(hart, GROUPS))],
  [158, call("getgroups", ["int", "pointer"], sysGetgroups)],
  [159, call("setgroups", ["int", "pointer"], sysSetgroups)],
  [174, call("getuid", [], (hart) => currentId(hart, USERS, ID_REAL))],
  [175, call("geteuid", [], (hart) => currentId(hart, USERS, ID_EFFECTIVE))],
  [176, call("getgid", [], (hart) => currentId(hart, GROUPS, ID_REAL))],
  [177, call("getegid", [], (hart) => currentId(hart, GROUPS, ID_EFFECTIVE))],
];

/** (uid_t) -1: leave it as it is; never a user. */
const NO_ID = 0xffffffff;

function has(hart: Hart, kind: number, id: number, ...which: number[]): boolean {
  return which.some((field) => currentId(hart, kind, field) === id);
}

/** setuid: for root all of them, for others the effective one alone. */
function setId(hart: Hart, kind: number): number {
  const id = argUint(hart, 0);
  if (id === NO_ID) return -EINVAL;
  if (isCapable(hart)) {
    setCurrentId(hart, kind, ID_REAL, id);
    setCurrentId(hart, kind, ID_SAVED, id);
  } else if (!has(hart, kind, id, ID_REAL, ID_SAVED)) {
    return -EPERM;
  }
  setEffective(hart, kind, id);
  return 0;
}

/** setreuid. */
function setReal(hart: Hart, kind: number): number {
  const [real, effective] = [argUint(hart, 0), argUint(hart, 1)];
  const oldReal = currentId(hart, kind, ID_REAL);
  const free = isCapable(hart);
  if (real !== NO_ID && !free && !has(hart, kind, real, ID_REAL, ID_EFFECTIVE)) return -EPERM;
  if (effective !== NO_ID && !free && !has(hart, kind, effective, ID_REAL, ID_EFFECTIVE, ID_SAVED)) return -EPERM;
  if (real !== NO_ID) setCurrentId(hart, kind, ID_REAL, real);
  if (effective !== NO_ID) setEffective(hart, kind, effective);
  if (real !== NO_ID || (effective !== NO_ID && effective !== oldReal)) {
    setCurrentId(hart, kind, ID_SAVED, currentId(hart, kind, ID_EFFECTIVE));
  }
  return 0;
}

/** setresuid. */
function setAll(hart: Hart, kind: number): number {
  const ids = [argUint(hart, 0), argUint(hart, 1), argUint(hart, 2)];
  const mayBe = (id: number) => id === NO_ID || has(hart, kind, id, ID_REAL, ID_EFFECTIVE, ID_SAVED);
  if (!isCapable(hart) && !ids.every(mayBe)) return -EPERM;
  const [real, effective, saved] = ids;
  if (real !== NO_ID) setCurrentId(hart, kind, ID_REAL, real);
  if (effective !== NO_ID) setEffective(hart, kind, effective);
  if (saved !== NO_ID) setCurrentId(hart, kind, ID_SAVED, saved);
  return 0;
}

/** setfsuid tells the old id, whether it changed or not. */
function setFs(hart: Hart, kind: number): number {
  const id = argUint(hart, 0);
  const old = currentId(hart, kind, ID_FS);
  const allowed = isCapable(hart) || has(hart, kind, id, ID_REAL, ID_EFFECTIVE, ID_SAVED, ID_FS);
  if (id !== NO_ID && allowed) setCurrentId(hart, kind, ID_FS, id);
  return old;
}

function setEffective(hart: Hart, kind: number, id: number): void {
  setCurrentId(hart, kind, ID_EFFECTIVE, id);
  setCurrentId(hart, kind, ID_FS, id);
}

function getAll(hart: Hart, kind: number): number {
  for (const [n, which] of [ID_REAL, ID_EFFECTIVE, ID_SAVED].entries()) {
    if (putUser32(hart, argAddress(hart, n), currentId(hart, kind, which)) < 0) return -EFAULT;
  }
  return 0;
}

function sysGetgroups(hart: Hart): number {
  const { shared } = hart;
  const room = argInt(hart, 0);
  const process = shared.get(hart.current + TASK_PROCESS);
  const count = shared.loadOnce(process + PROCESS_GROUP_COUNT);
  if (room < 0) return -EINVAL;
  if (room === 0) return count;
  if (room < count) return -EINVAL;
  return copyToUser(hart, argAddress(hart, 1), process + PROCESS_GROUPS, 4 * count) < 0 ? -EFAULT : count;
}

function sysSetgroups(hart: Hart): number {
  const { shared } = hart;
  const count = argUint(hart, 0);
  const process = shared.get(hart.current + TASK_PROCESS);
  if (!isCapable(hart)) return -EPERM;
  if (count > PROCESS_GROUPS_MAX) return -EINVAL;
  const buffer = hart.base + HART_BUFFER;
  if (copyFromUser(hart, buffer, argAddress(hart, 1), 4 * count) < 0) return -EFAULT;
  hart.core.copyBytes(process + PROCESS_GROUPS, buffer, 4 * count);
  shared.storeRelease(process + PROCESS_GROUP_COUNT, count);
  return 0;
}

// linux/capability.h
const CAPABILITY_VERSION_1 = 0x19980330;
const CAPABILITY_VERSION_2 = 0x20071026;
const CAPABILITY_VERSION_3 = 0x20080522;
/** CAP_LAST_CAP is 40. */
const CAPABILITIES_LO = -1;
const CAPABILITIES_HI = 0x1ff;

/** Words of {effective, permitted, inheritable}: root has everything, but passes nothing on by itself. */
function sysCapget(hart: Hart): number {
  const { shared } = hart;
  const sets = capabilitySets(hart);
  if (sets < 0) return sets === -EINVAL && argAddress(hart, 1) === 0 ? 0 : sets;
  const pid = shared.get(hart.base + HART_KERNEL_SCRATCH + 4);
  if (pid < 0) return -EINVAL;
  const task = pid === 0 ? hart.current : findTask(shared, pid);
  if (task === 0) return -ESRCH;
  const isRoot = shared.get(shared.get(task + TASK_PROCESS) + USERS + ID_EFFECTIVE) === 0;
  const buffer = hart.base + HART_BUFFER;
  hart.core.zeroBytes(buffer, 24);
  for (let set = 0; set < sets && isRoot; set++) {
    const bits = set === 0 ? CAPABILITIES_LO : CAPABILITIES_HI;
    shared.set(buffer + 12 * set, bits);
    shared.set(buffer + 12 * set + 4, bits);
  }
  return argAddress(hart, 1) === 0 ? 0 : copyToUser(hart, argAddress(hart, 1), buffer, 12 * sets);
}

/** Capabilities follow the user here: whoever gives some up keeps them. */
function sysCapset(hart: Hart): number {
  const sets = capabilitySets(hart);
  if (sets < 0) return sets;
  const pid = hart.shared.get(hart.base + HART_KERNEL_SCRATCH + 4);
  if (pid !== 0 && pid !== hart.shared.get(hart.current + TASK_PID)) return -EPERM;
  if (copyFromUser(hart, hart.base + HART_BUFFER, argAddress(hart, 1), 12 * sets) < 0) return -EFAULT;
  return isCapable(hart) ? 0 : -EPERM;
}

/** Header to HART_KERNEL_SCRATCH: how many words each set has, or -errno. (cap_validate_magic) */
function capabilitySets(hart: Hart): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const va = argAddress(hart, 0);
  if (copyFromUser(hart, scratch, va, 8) < 0) return -EFAULT;
  switch (hart.shared.get(scratch)) {
    case CAPABILITY_VERSION_1:
      return 1;
    case CAPABILITY_VERSION_2:
    case CAPABILITY_VERSION_3:
      return 2;
    default:
      return putUser32(hart, va, CAPABILITY_VERSION_3) < 0 ? -EFAULT : -EINVAL;
  }
}
