// Scheduling calls. There is one class, with round robin by time slice: SCHED_OTHER, BATCH and IDLE are kept and
// inherited, but make no difference.

import {
  CPUMASK_BYTES,
  CPUMASK_WORDS,
  HART_KERNEL_SCRATCH,
  HART_NEED_RESCHED,
  MACHINE_BASE,
  MACHINE_ONLINE_MASK,
  TASK_CPUS_ALLOWED,
  TASK_NICE,
  TASK_POLICY,
} from "../../../assembly/layout.ts";
import { E2BIG, EFAULT, EINVAL, ESRCH } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser, getUser32, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { SLICE_NS } from "../sched/sched.ts";
import { setAffinity } from "../sched/wake.ts";
import { storeTimespec } from "../time/user-time.ts";
import { NICE_MAX, NICE_MIN } from "./priority.ts";
import { call, type SystemCall } from "./types.ts";

export const schedCalls: readonly (readonly [number, SystemCall])[] = [
  [118, call("sched_setparam", ["int", "pointer"], sysSetparam)],
  [119, call("sched_setscheduler", ["int", "int", "pointer"], sysSetscheduler)],
  [120, call("sched_getscheduler", ["int"], sysGetscheduler)],
  [121, call("sched_getparam", ["int", "pointer"], sysGetparam)],
  [122, call("sched_setaffinity", ["int", "size", "pointer"], sysSetaffinity)],
  [123, call("sched_getaffinity", ["int", "size", "pointer"], sysGetaffinity)],
  [124, call("sched_yield", [], sysYield)],
  [125, call("sched_get_priority_max", ["int"], sysPriorityMax)],
  [126, call("sched_get_priority_min", ["int"], sysPriorityMin)],
  [127, call("sched_rr_get_interval", ["int", "pointer"], sysRrInterval)],
  [274, call("sched_setattr", ["int", "pointer", "hex"], sysSetattr)],
  [275, call("sched_getattr", ["int", "pointer", "size", "hex"], sysGetattr)],
  [168, call("getcpu", ["pointer", "pointer"], sysGetcpu)],
];

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RR = 2;
const SCHED_BATCH = 3;
const SCHED_IDLE = 5;
const SCHED_DEADLINE = 6;
const FAIR_POLICIES: readonly number[] = [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE];
const REALTIME_PRIORITY_MAX = 99;

function sysYield(hart: Hart): number {
  hart.set(HART_NEED_RESCHED, 1);
  return 0;
}

function sysGetcpu(hart: Hart): number {
  const [cpuVa, nodeVa] = [argAddress(hart, 0), argAddress(hart, 1)];
  if (cpuVa !== 0 && putUser32(hart, cpuVa, hart.id) < 0) return -EFAULT;
  return nodeVa === 0 ? 0 : putUser32(hart, nodeVa, 0);
}

/** Argument 0 names a thread: its record, or 0. Requires: TASKLIST_LOCK or an RCU section. */
function threadArgument(hart: Hart): number {
  const pid = argInt(hart, 0);
  return pid === 0 ? hart.current : findTask(hart.shared, pid);
}

function threadExists(hart: Hart): boolean {
  rcuReadLock(hart);
  const found = threadArgument(hart) !== 0;
  rcuReadUnlock(hart);
  return found;
}

/** Bits beyond the mask that is given are 0, bits beyond the machine's harts are ignored. */
function sysSetaffinity(hart: Hart): number {
  const { shared } = hart;
  const mask = hart.base + HART_KERNEL_SCRATCH;
  hart.core.zeroBytes(mask, CPUMASK_BYTES);
  if (copyFromUser(hart, mask, argAddress(hart, 2), Math.min(argUint(hart, 1), CPUMASK_BYTES)) < 0) return -EFAULT;
  let any = 0;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const bits = shared.get(mask + word * 4) & shared.loadOnce(MACHINE_BASE + MACHINE_ONLINE_MASK + word * 4);
    shared.set(mask + word * 4, bits);
    any |= bits;
  }
  spinLock(hart, TASKLIST_LOCK);
  const task = threadArgument(hart);
  if (task !== 0 && any !== 0) setAffinity(hart, task, mask);
  spinUnlock(hart, TASKLIST_LOCK);
  if (task === 0) return -ESRCH;
  return any === 0 ? -EINVAL : 0;
}

/** Bytes of the mask, a multiple of 8 as the kernel's words are. */
function sysGetaffinity(hart: Hart): number {
  const { shared } = hart;
  const bytes = argUint(hart, 1);
  if (bytes * 8 < hart.hartCount || bytes % 8 !== 0) return -EINVAL;
  const mask = hart.base + HART_KERNEL_SCRATCH;
  rcuReadLock(hart);
  const task = threadArgument(hart);
  for (let word = 0; word < CPUMASK_WORDS && task !== 0; word++) {
    const online = shared.loadOnce(MACHINE_BASE + MACHINE_ONLINE_MASK + word * 4);
    shared.set(mask + word * 4, shared.loadOnce(task + TASK_CPUS_ALLOWED + word * 4) & online);
  }
  rcuReadUnlock(hart);
  if (task === 0) return -ESRCH;
  const length = Math.min(bytes, Math.ceil(hart.hartCount / 64) * 8);
  return copyToUser(hart, argAddress(hart, 2), mask, length) < 0 ? -EFAULT : length;
}

function sysGetscheduler(hart: Hart): number {
  if (argInt(hart, 0) < 0) return -EINVAL;
  rcuReadLock(hart);
  const task = threadArgument(hart);
  const policy = task === 0 ? -ESRCH : hart.shared.get(task + TASK_POLICY);
  rcuReadUnlock(hart);
  return policy;
}

function sysGetparam(hart: Hart): number {
  if (argInt(hart, 0) < 0 || argAddress(hart, 1) === 0) return -EINVAL;
  return threadExists(hart) ? putUser32(hart, argAddress(hart, 1), 0) : -ESRCH;
}

function sysSetscheduler(hart: Hart): number {
  const policy = argInt(hart, 1);
  return policy < 0 ? -EINVAL : setPolicy(hart, policy, argAddress(hart, 2));
}

function sysSetparam(hart: Hart): number {
  return setPolicy(hart, POLICY_STAYS, argAddress(hart, 1));
}

/** sched_setparam: only the priority changes. */
const POLICY_STAYS = -1;

/** Only the policies without priorities can be had. */
function setPolicy(hart: Hart, policy: number, paramVa: number): number {
  if (argInt(hart, 0) < 0 || paramVa === 0) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, paramVa, 4) < 0) return -EFAULT;
  return changeTask(hart, policy, hart.shared.get(scratch), null);
}

/** Gives the thread of argument 0 a policy, and a nice value if there is one. 0, -ESRCH, or -EINVAL. */
function changeTask(hart: Hart, policy: number, priority: number, nice: number | null): number {
  const { shared } = hart;
  const isPossible = (policy === POLICY_STAYS || FAIR_POLICIES.includes(policy)) && priority === 0;
  spinLock(hart, TASKLIST_LOCK);
  const task = threadArgument(hart);
  if (task !== 0 && isPossible && policy !== POLICY_STAYS) shared.set(task + TASK_POLICY, policy);
  if (task !== 0 && isPossible && nice !== null) shared.set(task + TASK_NICE, nice);
  spinUnlock(hart, TASKLIST_LOCK);
  if (task === 0) return -ESRCH;
  return isPossible ? 0 : -EINVAL;
}

// struct sched_attr: u32 size, policy; u64 flags; s32 nice; u32 priority; u64 runtime, deadline, period; u32 util[2]
const ATTR_BYTES = 56;
const ATTR_BYTES_MIN = 48; // SCHED_ATTR_SIZE_VER0
const ATTR_BYTES_MAX = 4096;
const ATTR_NICE = 16;

function sysGetattr(hart: Hart): number {
  const [va, bytes] = [argAddress(hart, 1), argUint(hart, 2)];
  if (va === 0 || argInt(hart, 0) < 0 || argUint(hart, 3) !== 0) return -EINVAL;
  if (bytes < ATTR_BYTES_MIN || bytes > ATTR_BYTES_MAX) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  rcuReadLock(hart);
  const task = threadArgument(hart);
  const nice = task === 0 ? 0 : hart.shared.get(task + TASK_NICE);
  const policy = task === 0 ? 0 : hart.shared.get(task + TASK_POLICY);
  rcuReadUnlock(hart);
  if (task === 0) return -ESRCH;
  hart.core.zeroBytes(scratch, ATTR_BYTES);
  hart.shared.set(scratch, Math.min(bytes, ATTR_BYTES));
  hart.shared.set(scratch + 4, policy);
  hart.shared.set(scratch + ATTR_NICE, nice);
  return copyToUser(hart, va, scratch, Math.min(bytes, ATTR_BYTES));
}

function sysSetattr(hart: Hart): number {
  const va = argAddress(hart, 1);
  if (va === 0 || argInt(hart, 0) < 0 || argUint(hart, 2) !== 0) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const given = getUser32(hart, va);
  if (given < 0) return given;
  const bytes = given === 0 ? ATTR_BYTES_MIN : given;
  if (bytes < ATTR_BYTES_MIN || bytes > ATTR_BYTES_MAX) {
    return putUser32(hart, va, ATTR_BYTES) < 0 ? -EFAULT : -E2BIG;
  }
  if (copyFromUser(hart, scratch, va, ATTR_BYTES_MIN) < 0) return -EFAULT;
  const [policy, nice] = [hart.shared.get(scratch + 4), hart.shared.get(scratch + ATTR_NICE)];
  const priority = hart.shared.get(scratch + ATTR_NICE + 4);
  if (policy < 0) return -EINVAL;
  return changeTask(hart, policy, priority, Math.min(Math.max(nice, NICE_MIN), NICE_MAX));
}

function sysPriorityMax(hart: Hart): number {
  return priorityOf(argInt(hart, 0), REALTIME_PRIORITY_MAX);
}

function sysPriorityMin(hart: Hart): number {
  return priorityOf(argInt(hart, 0), 1);
}

function priorityOf(policy: number, realtime: number): number {
  if (policy === SCHED_FIFO || policy === SCHED_RR) return realtime;
  const isKnown =
    policy === SCHED_OTHER || policy === SCHED_BATCH || policy === SCHED_IDLE || policy === SCHED_DEADLINE;
  return isKnown ? 0 : -EINVAL;
}

function sysRrInterval(hart: Hart): number {
  if (argInt(hart, 0) < 0) return -EINVAL;
  return threadExists(hart) ? storeTimespec(hart, argAddress(hart, 1), SLICE_NS) : -ESRCH;
}
