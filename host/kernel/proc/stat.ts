// /proc/PID/stat, for programs: 52 numbers by position. (fs/proc/array.c, do_task_stat; Documentation/filesystems/
// proc.rst, table 1-4)

import {
  MM_ARG_END,
  MM_ARG_START,
  MM_BRK_START,
  MM_DATA_VM,
  MM_END_CODE,
  MM_ENV_END,
  MM_ENV_START,
  MM_RSS,
  MM_STACK_TOP,
  MM_STACK_VM,
  MM_START_CODE,
  MM_TOTAL_VM,
  PAGE_BYTES,
  PROCESS_CHILD_RUNTIME_NS,
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_EXIT_CODE,
  PROCESS_EXIT_SIGNAL,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_START_NS,
  PROCESS_TGID,
  PROCESS_THREAD_COUNT,
  PROCESS_THREADS,
  TASK_HART,
  TASK_NICE,
  TASK_PID,
  TASK_RUNTIME_NS,
  TASK_THREAD_NEXT,
  TTY_BASE,
  TTY_PGRP,
  TTY_SESSION,
} from "../../../assembly/layout.ts";
import { rssOf } from "../../mm/rss.ts";
import type { Hart } from "../../policy/hart.ts";
import { softLimit } from "../process/process.ts";
import { commOf } from "../process/task.ts";
import { childCountsLocked, NO_COUNTS, processCountsLocked, taskCounts } from "../process/usage-counts.ts";
import { runtimeOfCurrent } from "../sched/sched.ts";
import { RLIM_INFINITY_F64, RLIMIT_RSS } from "../uapi.ts";
import { ticks } from "./cpu.ts";
import { stateLetter } from "./task-state.ts";

/** Major 5 would be /dev/tty itself: the console's own number, 5:1, as Linux encodes it. */
const TTY_DEVICE = (5 << 8) | 1;
const PRIORITY_NORMAL = 20;
const RSSLIM_INFINITY = "18446744073709551615";
/** What mm fields are without an mm. */
const NO_MM = 0;

/** `whole`: of the process (its threads together) rather than of one thread. Requires: TASKLIST_LOCK. */
export function statTextLocked(hart: Hart, task: number, process: number, mm: number, whole: boolean): string {
  const { shared } = hart;
  const of = (field: number) => (process === 0 ? 0 : shared.get(process + field));
  const address = (field: number) => (mm === NO_MM ? 0 : shared.getF64(mm + field));
  const pages = (field: number) => (mm === NO_MM ? 0 : Math.max(shared.loadOnce(mm + field), 0));
  const parent = of(PROCESS_PARENT);
  const hasTty = of(PROCESS_SID) !== 0 && shared.get(TTY_BASE + TTY_SESSION) === of(PROCESS_SID);
  const runtime = process === 0 || !whole ? taskRuntime(hart, task) : runtimeLocked(hart, process);
  const counts = process === 0 || !whole ? taskCounts(shared, task) : processCountsLocked(shared, process);
  const childCounts = process === 0 ? NO_COUNTS : childCountsLocked(shared, process);
  const limit = process === 0 ? 0 : softLimit(shared, process, RLIMIT_RSS);
  return `${[
    shared.get(task + TASK_PID),
    `(${commOf(shared, task)})`,
    stateLetter(hart, task, process)[0],
    parent === 0 ? 0 : shared.get(parent + PROCESS_TGID),
    of(PROCESS_PGID),
    of(PROCESS_SID),
    hasTty ? TTY_DEVICE : 0,
    hasTty ? shared.get(TTY_BASE + TTY_PGRP) : -1,
    0, // flags
    counts.minorFaults,
    childCounts.minorFaults,
    counts.majorFaults,
    childCounts.majorFaults,
    ticks(runtime),
    0, // stime: see cpu.ts
    ticks(process === 0 ? 0 : shared.getF64(process + PROCESS_CHILD_RUNTIME_NS)),
    0,
    PRIORITY_NORMAL + shared.get(task + TASK_NICE),
    shared.get(task + TASK_NICE),
    process === 0 ? 1 : of(PROCESS_THREAD_COUNT),
    0, // itrealvalue
    ticks(process === 0 ? 0 : shared.getF64(process + PROCESS_START_NS)),
    pages(MM_TOTAL_VM) * PAGE_BYTES,
    pages(MM_RSS),
    limit >= RLIM_INFINITY_F64 ? RSSLIM_INFINITY : limit,
    address(MM_START_CODE),
    address(MM_END_CODE),
    address(MM_STACK_TOP),
    0, // kstkesp, kstkeip
    0,
    0, // signal, blocked, sigignore, sigcatch: obsolete, see status
    0,
    0,
    0,
    0, // wchan
    0, // nswap, cnswap
    0,
    of(PROCESS_EXIT_SIGNAL),
    shared.get(task + TASK_HART),
    0, // rt_priority, policy
    0,
    0, // delayacct_blkio_ticks
    0, // guest_time, cguest_time
    0,
    0, // start_data, end_data
    0,
    address(MM_BRK_START),
    address(MM_ARG_START),
    address(MM_ARG_END),
    address(MM_ENV_START),
    address(MM_ENV_END),
    of(PROCESS_EXIT_CODE),
  ].join(" ")}\n`;
}

function runtimeLocked(hart: Hart, process: number): number {
  const { shared } = hart;
  let ns = shared.getF64(process + PROCESS_DEAD_RUNTIME_NS);
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    ns += taskRuntime(hart, task);
  }
  return ns;
}

function taskRuntime(hart: Hart, task: number): number {
  return task === hart.current ? runtimeOfCurrent(hart) : hart.shared.getF64(task + TASK_RUNTIME_NS);
}

/** size, resident, shared, text, lib, data, dirty: pages. (proc_pid_statm) */
export function statmText(hart: Hart, mm: number): string {
  if (mm === NO_MM) return "0 0 0 0 0 0 0\n";
  const { shared } = hart;
  const { total, file, shmem } = rssOf(hart, mm);
  const data = shared.get(mm + MM_DATA_VM) + shared.get(mm + MM_STACK_VM);
  return `${shared.get(mm + MM_TOTAL_VM)} ${total} ${file + shmem} 0 0 ${data} 0\n`;
}
