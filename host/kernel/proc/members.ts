// Directories of /proc whose entries come and go: processes, threads, descriptors.

import {
  FD_COUNT_MAX,
  FD_RECORD_BYTES,
  FILES_LOCK,
  FILES_TABLE,
  MACHINE_BASE,
  MACHINE_TASK_COUNT,
  PID_BASE,
  PID_COUNT_MAX,
  PROCESS_LEADER,
  PROCESS_THREADS,
  TASK_FILES,
  TASK_PID,
  TASK_PROCESS,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import type { ProcTarget } from "./node.ts";
import { targetOf, withTask } from "./target.ts";

/** /proc itself. As in Linux a thread's number is found too, but only processes are listed. */
export function findProcess(hart: Hart, _of: ProcTarget, name: string): ProcTarget | undefined {
  return targetOf(hart, numberOf(name));
}

export function listProcesses(hart: Hart): string[] {
  const { shared } = hart;
  const names: string[] = [];
  spinLock(hart, TASKLIST_LOCK);
  let left = shared.get(MACHINE_BASE + MACHINE_TASK_COUNT);
  for (let pid = 1; pid < PID_COUNT_MAX && left > 0; pid++) {
    const task = shared.loadOnce(PID_BASE + pid * 4);
    if (task === 0) continue;
    left--;
    const process = shared.get(task + TASK_PROCESS);
    if (process === 0 || shared.get(process + PROCESS_LEADER) === task) names.push(`${pid}`);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return names;
}

/** /proc/PID/task. */
export function findThread(hart: Hart, of: ProcTarget, name: string): ProcTarget | undefined {
  const thread = targetOf(hart, numberOf(name));
  if (thread === undefined) return undefined;
  const group = processOf(hart, of);
  return group !== 0 && processOf(hart, thread) === group ? thread : undefined;
}

function processOf(hart: Hart, target: ProcTarget): number {
  return withTask(hart, target, 0, (_task, process) => process);
}

export function listThreads(hart: Hart, of: ProcTarget): string[] {
  const { shared } = hart;
  return withTask(hart, of, [], (task, process) => {
    if (process === 0) return [`${shared.get(task + TASK_PID)}`];
    const names: string[] = [];
    let thread = shared.get(process + PROCESS_THREADS);
    for (; thread !== 0; thread = shared.get(thread + TASK_THREAD_NEXT)) names.push(`${shared.get(thread + TASK_PID)}`);
    // A zombie has no threads, but its leader is there until it is waited for.
    return names.length > 0 ? names.reverse() : [`${shared.get(task + TASK_PID)}`];
  });
}

/** /proc/PID/fd and fdinfo. */
export function findDescriptor(hart: Hart, of: ProcTarget, name: string): ProcTarget | undefined {
  const fd = numberOf(name);
  return fd < FD_COUNT_MAX && `${fd}` === name && fileAt(hart, of, fd) !== 0 ? { ...of, fd } : undefined;
}

export function listDescriptors(hart: Hart, of: ProcTarget): string[] {
  const names: string[] = [];
  withFiles(hart, of, undefined, (files) => {
    for (let fd = 0; fd < FD_COUNT_MAX; fd++) if (slot(hart, files, fd) !== 0) names.push(`${fd}`);
  });
  return names;
}

/** The open file behind a descriptor: to be told from 0 only. */
function fileAt(hart: Hart, of: ProcTarget, fd: number): number {
  return withFiles(hart, of, 0, (files) => slot(hart, files, fd));
}

/**
 * Calls `use` with the target's descriptor table, locked; `absent` if it has none. TASKLIST_LOCK is held, so that the
 * task can not give the table up: see exitFiles.
 */
export function withFiles<T>(hart: Hart, target: ProcTarget, absent: T, use: (files: number) => T): T {
  return withTask(hart, target, absent, (task) => {
    const files = hart.shared.loadAcquire(task + TASK_FILES);
    if (files === 0) return absent;
    spinLock(hart, files + FILES_LOCK);
    try {
      return use(files);
    } finally {
      spinUnlock(hart, files + FILES_LOCK);
    }
  });
}

function slot(hart: Hart, files: number, fd: number): number {
  return hart.shared.get(files + FILES_TABLE + fd * FD_RECORD_BYTES);
}

/** A decimal number as Linux's name_to_int takes it, else -1. */
function numberOf(name: string): number {
  return /^(0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : -1;
}
