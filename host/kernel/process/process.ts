// Thread groups (Linux: signal_struct) and what the threads of one share: limits, exit status, the program's path.

import {
  FD_COUNT_MAX,
  MACHINE_BASE,
  MACHINE_TASK_COUNT_MAX,
  POOL_PROCESS,
  PROCESS_BYTES,
  PROCESS_EXE,
  PROCESS_EXE_BYTES,
  PROCESS_EXE_BYTES_MAX,
  PROCESS_LEADER,
  PROCESS_PGID,
  PROCESS_RLIMIT_BYTES,
  PROCESS_RLIMITS,
  PROCESS_SID,
  PROCESS_START_NS,
  PROCESS_TASK_RECORDS,
  PROCESS_TGID,
  PROCESS_THREAD_COUNT,
  PROCESS_THREADS,
  PSIG_BYTES,
  RLIMIT_COUNT,
  TASK_PID,
  TASK_PROCESS,
  TASK_THREAD_NEXT,
  TASK_THREAD_PREV,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { kmemCacheAlloc } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";
import { psigOf } from "../signal/sigqueue.ts";
import {
  RLIM_INFINITY_F64,
  RLIMIT_CORE,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RTPRIO,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
  STACK_LIMIT_BYTES,
} from "../uapi.ts";

const MEMLOCK_LIMIT_BYTES = 8 * 1024 * 1024; // MLOCK_LIMIT of Linux 6
const MSGQUEUE_LIMIT_BYTES = 819200; // MQ_BYTES_MAX

/** A zeroed process with Linux's default limits, led by `leader`, or 0. */
export function allocProcess(hart: Hart, leader: number): number {
  const { shared } = hart;
  const process = kmemCacheAlloc(hart, POOL_PROCESS);
  if (process === 0) return 0;
  hart.core.zeroBytes(process, PROCESS_BYTES);
  hart.core.zeroBytes(psigOf(process), PSIG_BYTES);
  shared.set(process + PROCESS_LEADER, leader);
  shared.setF64(process + PROCESS_START_NS, hart.clock.now());
  for (let resource = 0; resource < RLIMIT_COUNT; resource++) {
    setLimit(shared, process, resource, RLIM_INFINITY_F64, RLIM_INFINITY_F64);
  }
  setLimit(shared, process, RLIMIT_STACK, STACK_LIMIT_BYTES, RLIM_INFINITY_F64);
  setLimit(shared, process, RLIMIT_CORE, 0, RLIM_INFINITY_F64);
  const tasks = shared.get(MACHINE_BASE + MACHINE_TASK_COUNT_MAX) / 2;
  setLimit(shared, process, RLIMIT_NPROC, tasks, tasks);
  setLimit(shared, process, RLIMIT_NOFILE, FD_COUNT_MAX, FD_COUNT_MAX);
  setLimit(shared, process, RLIMIT_MEMLOCK, MEMLOCK_LIMIT_BYTES, MEMLOCK_LIMIT_BYTES);
  setLimit(shared, process, RLIMIT_SIGPENDING, tasks, tasks);
  setLimit(shared, process, RLIMIT_MSGQUEUE, MSGQUEUE_LIMIT_BYTES, MSGQUEUE_LIMIT_BYTES);
  setLimit(shared, process, RLIMIT_NICE, 0, 0);
  setLimit(shared, process, RLIMIT_RTPRIO, 0, 0);
  return process;
}

/** The leader has its number: the process, its group and its session are named after it. */
export function nameProcess(shared: SharedMemory, process: number): void {
  const tgid = shared.get(shared.get(process + PROCESS_LEADER) + TASK_PID);
  shared.set(process + PROCESS_TGID, tgid);
  shared.set(process + PROCESS_PGID, tgid);
  shared.set(process + PROCESS_SID, tgid);
}

export function softLimit(shared: SharedMemory, process: number, resource: number): number {
  return shared.getF64(process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES);
}

export function hardLimit(shared: SharedMemory, process: number, resource: number): number {
  return shared.getF64(process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES + 8);
}

export function setLimit(shared: SharedMemory, process: number, resource: number, soft: number, hard: number): void {
  shared.setF64(process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES, soft);
  shared.setF64(process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES + 8, hard);
}

/** `task` joins the thread group, at the head of its list. Requires: TASKLIST_LOCK. */
export function addThreadLocked(shared: SharedMemory, process: number, task: number): void {
  const first = shared.get(process + PROCESS_THREADS);
  shared.set(task + TASK_PROCESS, process);
  shared.set(task + TASK_THREAD_PREV, 0);
  shared.set(task + TASK_THREAD_NEXT, first);
  if (first !== 0) shared.set(first + TASK_THREAD_PREV, task);
  shared.set(process + PROCESS_THREADS, task);
  shared.set(process + PROCESS_THREAD_COUNT, shared.get(process + PROCESS_THREAD_COUNT) + 1);
  shared.set(process + PROCESS_TASK_RECORDS, shared.get(process + PROCESS_TASK_RECORDS) + 1);
}

/** `task` leaves the list; returns how many live threads are left. Requires: TASKLIST_LOCK. */
export function removeThreadLocked(shared: SharedMemory, process: number, task: number): number {
  const next = shared.get(task + TASK_THREAD_NEXT);
  const previous = shared.get(task + TASK_THREAD_PREV);
  if (next !== 0) shared.set(next + TASK_THREAD_PREV, previous);
  if (previous === 0) shared.set(process + PROCESS_THREADS, next);
  else shared.set(previous + TASK_THREAD_NEXT, next);
  const left = shared.get(process + PROCESS_THREAD_COUNT) - 1;
  shared.set(process + PROCESS_THREAD_COUNT, left);
  return left;
}

/** Remembers the program's path for /proc/self/exe. That is always absolute, and the guest's directory is the root. */
export function setExePath(shared: SharedMemory, process: number, path: string): void {
  const absolute = path.startsWith("/") ? path : `/${path.replace(/^(\.\/+)+/, "")}`;
  setExeBytes(shared, process, new TextEncoder().encode(absolute));
}

export function setExeBytes(shared: SharedMemory, process: number, path: Uint8Array): void {
  const bytes = path.subarray(0, PROCESS_EXE_BYTES_MAX);
  shared.u8.set(bytes, process + PROCESS_EXE);
  shared.set(process + PROCESS_EXE_BYTES, bytes.length);
}
