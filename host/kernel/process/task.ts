// Task records: made, found by number, given back. Numbers (pids) are words of the PID table that hold the task's
// address; a number is used again only after the counter has gone round. All of it under TASKLIST_LOCK.

import {
  CPUMASK_WORDS,
  HART_IDLE_TASK,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_ONLINE_MASK,
  MACHINE_PID_NEXT,
  MACHINE_PID_WRAPPED,
  MACHINE_TASK_COUNT,
  MACHINE_TASK_COUNT_MAX,
  MACHINE_TASKLIST_LOCK,
  PF_IDLE,
  PF_KTHREAD,
  PID_BASE,
  PID_COUNT_MAX,
  POOL_PROCESS,
  POOL_TASK,
  PROCESS_LEADER,
  PROCESS_PGID,
  PROCESS_SID,
  TASK_ACTIVE_MM,
  TASK_BYTES,
  TASK_COMM,
  TASK_CPUS_ALLOWED,
  TASK_FLAGS,
  TASK_HART,
  TASK_NEW,
  TASK_ON_HART,
  TASK_PID,
  TASK_PROCESS,
  TASK_RUNNING,
  TASK_STATE,
  TASK_STEP,
  TASK_STEP_ARG,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { EAGAIN } from "../../memory/errno.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheFreeRcu } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";

export const TASKLIST_LOCK = MACHINE_BASE + MACHINE_TASKLIST_LOCK;
/** Bytes of TASK_COMM, the NUL included (TASK_COMM_LEN). */
export const COMM_BYTES = 16;
/** The first number after the counter has gone round (RESERVED_PIDS). */
const PID_RESERVED = 300;

/** A zeroed record in state TASK_NEW that may run on every hart, or 0. It has no number yet. */
export function allocTask(hart: Hart): number {
  const { shared } = hart;
  const task = kmemCacheAlloc(hart, POOL_TASK);
  if (task === 0) return 0;
  hart.core.zeroBytes(task, TASK_BYTES);
  shared.storeRelease(task + TASK_STATE, TASK_NEW);
  shared.set(task + TASK_HART, hart.id);
  shared.set(task + TASK_SYSCALL, -1);
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const online = shared.loadOnce(MACHINE_BASE + MACHINE_ONLINE_MASK + word * 4);
    shared.set(task + TASK_CPUS_ALLOWED + word * 4, online);
  }
  return task;
}

/** Gives `task` a number and counts it. 0, or -EAGAIN at threads-max. Requires: TASKLIST_LOCK. */
export function attachPidLocked(hart: Hart, task: number): number {
  const { shared } = hart;
  const count = shared.get(MACHINE_BASE + MACHINE_TASK_COUNT);
  const limit = shared.get(MACHINE_BASE + MACHINE_TASK_COUNT_MAX);
  if (limit !== 0 && count >= limit) return -EAGAIN;
  let pid = shared.get(MACHINE_BASE + MACHINE_PID_NEXT);
  for (let tries = 0; tries < PID_COUNT_MAX; tries++) {
    if (pid >= PID_COUNT_MAX) {
      pid = PID_RESERVED;
      shared.set(MACHINE_BASE + MACHINE_PID_WRAPPED, 1);
    }
    if (pid === 0) pid = 1;
    if (shared.loadOnce(pidSlot(pid)) === 0 && !namesGroup(hart, pid)) {
      shared.set(task + TASK_PID, pid);
      shared.storeRelease(pidSlot(pid), task);
      shared.set(MACHINE_BASE + MACHINE_PID_NEXT, pid + 1);
      shared.set(MACHINE_BASE + MACHINE_TASK_COUNT, count + 1);
      return 0;
    }
    pid++;
  }
  return -EAGAIN;
}

/** A number stays taken while a process group or session bears it; that can only be once numbers are used again. */
function namesGroup(hart: Hart, pid: number): boolean {
  const { shared } = hart;
  if (shared.get(MACHINE_BASE + MACHINE_PID_WRAPPED) === 0) return false;
  let found = false;
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_PGID) === pid || shared.get(process + PROCESS_SID) === pid) found = true;
  });
  return found;
}

/** The task with number `pid`, or 0. The record stays while the caller holds TASKLIST_LOCK or is in an RCU section. */
export function findTask(shared: SharedMemory, pid: number): number {
  return pid > 0 && pid < PID_COUNT_MAX ? shared.loadAcquire(pidSlot(pid)) : 0;
}

/** Calls `visit` with every process that has its number, in the order of pids. Requires: TASKLIST_LOCK. */
export function forEachProcessLocked(hart: Hart, visit: (process: number) => void): void {
  const { shared } = hart;
  let left = shared.get(MACHINE_BASE + MACHINE_TASK_COUNT);
  for (let pid = 1; pid < PID_COUNT_MAX && left > 0; pid++) {
    const task = shared.loadOnce(pidSlot(pid));
    if (task === 0) continue;
    left--;
    const process = shared.get(task + TASK_PROCESS);
    if (process !== 0 && shared.get(process + PROCESS_LEADER) === task) visit(process);
  }
}

/** Takes the number back. Requires: TASKLIST_LOCK. */
export function detachPidLocked(hart: Hart, task: number): void {
  const { shared } = hart;
  shared.storeRelease(pidSlot(shared.get(task + TASK_PID)), 0);
  shared.set(MACHINE_BASE + MACHINE_TASK_COUNT, shared.get(MACHINE_BASE + MACHINE_TASK_COUNT) - 1);
}

/** `task` gives its own number back and goes on under `pid`, whose task has ended. Requires: TASKLIST_LOCK. */
export function takePidLocked(hart: Hart, task: number, pid: number): void {
  detachPidLocked(hart, task);
  hart.shared.set(task + TASK_PID, pid);
  hart.shared.storeRelease(pidSlot(pid), task);
}

/** The record goes after a grace period: no hart stands on it any more, and its number is taken back. */
export function freeTaskLater(hart: Hart, task: number): void {
  kmemCacheFreeRcu(hart, POOL_TASK, task);
}

/** Both. Requires: TASKLIST_LOCK. */
export function releaseTaskLocked(hart: Hart, task: number): void {
  detachPidLocked(hart, task);
  freeTaskLater(hart, task);
}

/** After the grace period: the process goes with the record of its leader, which is the last of the group. */
export function putProcessOf(hart: HartLocal, task: number): void {
  const process = hart.shared.get(task + TASK_PROCESS);
  if (process !== 0 && hart.shared.get(process + PROCESS_LEADER) === task) kmemCacheFree(hart, POOL_PROCESS, process);
  hart.shared.set(task + TASK_PROCESS, 0); // should this be called once more
}

/** Makes this hart's idle task and makes it current. Before the hart runs; init_mm exists and is loaded. */
export function makeIdleTask(hart: Hart): number {
  const { shared } = hart;
  const task = allocTask(hart);
  const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  for (let word = 0; word < CPUMASK_WORDS; word++) shared.set(task + TASK_CPUS_ALLOWED + word * 4, 0);
  shared.set(task + TASK_CPUS_ALLOWED + (hart.id >>> 5) * 4, 1 << (hart.id & 31));
  shared.set(task + TASK_FLAGS, PF_IDLE);
  setComm(shared, task, `idle/${hart.id}`);
  shared.set(task + TASK_ACTIVE_MM, initMm);
  hart.policies.lazyTlb.grab(hart, initMm);
  shared.storeRelease(task + TASK_STATE, TASK_RUNNING);
  shared.storeRelease(task + TASK_ON_HART, hart.id + 1);
  hart.set(HART_IDLE_TASK, task);
  hart.setCurrent(task);
  return task;
}

/** A kernel thread that runs step function `step` (KTHREAD_*), in state TASK_NEW: wakeTask starts it. 0: none left. */
export function makeKthread(hart: Hart, step: number, argument: number, name: string): number {
  const { shared } = hart;
  const task = allocTask(hart);
  if (task === 0) return 0;
  shared.set(task + TASK_FLAGS, PF_KTHREAD);
  shared.set(task + TASK_STEP, step);
  shared.set(task + TASK_STEP_ARG, argument);
  setComm(shared, task, name);
  spinLock(hart, TASKLIST_LOCK);
  const error = attachPidLocked(hart, task);
  spinUnlock(hart, TASKLIST_LOCK);
  if (error === 0) return task;
  kmemCacheFree(hart, POOL_TASK, task);
  return 0;
}

/** TASK_COMM as text. */
export function commOf(shared: SharedMemory, task: number): string {
  let name = "";
  for (let i = 0; i < COMM_BYTES; i++) {
    const byte = shared.u8[task + TASK_COMM + i];
    if (byte === 0) break;
    name += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return name;
}

/** Sets TASK_COMM to the first bytes of `name`. */
export function setComm(shared: SharedMemory, task: number, name: string): void {
  setCommBytes(shared, task, new TextEncoder().encode(name));
}

export function setCommBytes(shared: SharedMemory, task: number, bytes: Uint8Array): void {
  for (let i = 0; i < COMM_BYTES; i++) shared.u8[task + TASK_COMM + i] = i < COMM_BYTES - 1 ? (bytes[i] ?? 0) : 0;
}

function pidSlot(pid: number): number {
  return PID_BASE + pid * 4;
}
