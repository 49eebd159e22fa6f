// times and getrusage: what a process and the children that it has waited for have used.

import {
  HART_BUFFER,
  MM_RSS,
  MM_RSS_HIGH,
  PROCESS_CHILD_MAXRSS,
  PROCESS_CHILD_RUNTIME_NS,
  PROCESS_MAXRSS,
  TASK_MM,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../../memory/errno.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { processRuntime } from "../process/runtime.ts";
import { RUSAGE_BYTES, storeRusage } from "../process/rusage.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { childCountsLocked, processCountsLocked, taskCounts, type UsageCounts } from "../process/usage-counts.ts";
import { argAddress, argInt, storeU64 } from "../registers.ts";
import { runtimeOfCurrent } from "../sched/sched.ts";
import { NS_PER_SECOND, USER_HZ } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const usageCalls: readonly (readonly [number, SystemCall])[] = [
  [153, call("times", ["pointer"], sysTimes)],
  [165, call("getrusage", ["int", "pointer"], sysGetrusage)],
];

const TMS_BYTES = 32;
const TMS_CHILDREN = 16; // tms_cutime

/** Ticks since boot. User and system time are not told apart: all of it is user time. */
function sysTimes(hart: Hart): number {
  const va = argAddress(hart, 0);
  const buffer = hart.base + HART_BUFFER;
  if (va !== 0) {
    hart.core.zeroBytes(buffer, TMS_BYTES);
    storeU64(hart, buffer, ticks(processRuntime(hart)));
    storeU64(hart, buffer + TMS_CHILDREN, ticks(childRuntime(hart)));
    if (copyToUser(hart, va, buffer, TMS_BYTES) < 0) return -EFAULT;
  }
  return ticks(hart.clock.now());
}

function ticks(ns: number): number {
  return Math.floor(ns / (NS_PER_SECOND / USER_HZ));
}

function childRuntime(hart: Hart): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  const ns = hart.shared.getF64(process + PROCESS_CHILD_RUNTIME_NS);
  spinUnlock(hart, TASKLIST_LOCK);
  return ns;
}

function countsOf(
  hart: Hart,
  process: number,
  read: (shared: SharedMemory, process: number) => UsageCounts,
): UsageCounts {
  spinLock(hart, TASKLIST_LOCK);
  const counts = read(hart.shared, process);
  spinUnlock(hart, TASKLIST_LOCK);
  return counts;
}

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;
const RUSAGE_THREAD = 1;

function sysGetrusage(hart: Hart): number {
  const { shared, current } = hart;
  const who = argInt(hart, 0);
  const process = shared.get(current + TASK_PROCESS);
  const buffer = hart.base + HART_BUFFER;
  if (who === RUSAGE_CHILDREN) {
    const pages = shared.loadOnce(process + PROCESS_CHILD_MAXRSS);
    storeRusage(hart, buffer, childRuntime(hart), pages, countsOf(hart, process, childCountsLocked));
  } else if (who === RUSAGE_SELF || who === RUSAGE_THREAD) {
    const ns = who === RUSAGE_SELF ? processRuntime(hart) : runtimeOfCurrent(hart);
    const mm = shared.get(current + TASK_MM);
    // The high mark is raised only when pages go.
    const now = Math.max(shared.loadOnce(mm + MM_RSS), shared.loadOnce(mm + MM_RSS_HIGH));
    const pages = Math.max(now, shared.loadOnce(process + PROCESS_MAXRSS));
    const counts = who === RUSAGE_SELF ? countsOf(hart, process, processCountsLocked) : taskCounts(shared, current);
    storeRusage(hart, buffer, ns, pages, counts);
  } else {
    return -EINVAL;
  }
  return copyToUser(hart, argAddress(hart, 1), buffer, RUSAGE_BYTES);
}
