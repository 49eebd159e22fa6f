// From an empty shared memory to a running machine. Hart 0 makes the kernel's objects and the first process; the other
// harts wait for MACHINE_BOOTED and then start on their idle tasks.

import {
  CONSOLE_TTY_EXTERNAL,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_BOOTED,
  MACHINE_FRAMES_AT_BOOT,
  MACHINE_INIT_MM,
  MACHINE_ONLINE_MASK,
  MACHINE_OPTIONS,
  MACHINE_TASK_COUNT_MAX,
  OPTION_DETERMINISTIC,
  PF_KSWAPD,
  PF_KTHREAD,
  RAM_PFN_BASE,
  RUN_KERNEL,
  TASK_FLAGS,
} from "../../assembly/layout.ts";
import { consoleFlags } from "../devices/console.ts";
import { initTermios } from "../devices/tty/termios.ts";
import { hostPageIo } from "../fs/host/host-type.ts";
import { initVdso } from "../loader/vdso.ts";
import { cpumaskSet } from "../memory/cpumask.ts";
import { FOREVER, park } from "../memory/park.ts";
import { initKmemCaches } from "../memory/slab.ts";
import { switchMm } from "../mm/context.ts";
import { freeFrameCount, initFrames } from "../mm/frame/frames.ts";
import { ramFrameCount } from "../mm/frame/page.ts";
import { initWatermarks } from "../mm/frame/watermark.ts";
import { initThp } from "../mm/huge/thp.ts";
import { initKernelMm } from "../mm/mm.ts";
import { initOvercommit } from "../mm/overcommit.ts";
import type { InitProgram } from "./exec/init-program.ts";
import { fileHooks } from "./file/file-hooks.ts";
import { FS_TYPES } from "./file/fs-types.ts";
import { makeInitTask } from "./init.ts";
import type { KernelHart } from "./kernel-hart.ts";
import { writeKernelLine } from "./kernel-line.ts";
import { wakeKhugepaged } from "./memory/khugepaged.ts";
import { wakeKswapd } from "./memory/kswapd.ts";
import { outOfMemory, waitForMemory } from "./memory/oom.ts";
import { userFault } from "./memory/userfault.ts";
import { userfaultEvents } from "./memory/userfaultfd-events.ts";
import { makeIdleTask, makeKthread } from "./process/task.ts";
import { rcuCallbacks } from "./rcu-callbacks.ts";
import { KTHREAD_KHUGEPAGED, KTHREAD_KSWAPD, KTHREAD_RCU_WATCH } from "./sched/kthread.ts";
import { wakeTask } from "./sched/wake.ts";

/** MIN_THREADS, and a kernel thread or two. */
const TASK_COUNT_MIN = 32;
const BOOTED = MACHINE_BASE + MACHINE_BOOTED;

/** Brings `hart` to the point where runHart can take over. `init` is given on hart 0 alone. */
export function bootHart(hart: KernelHart, init: InitProgram | null): void {
  hart.core.bind(hart.base);
  hart.rcuCallbacks = rcuCallbacks;
  hart.fileHooks = fileHooks;
  hart.fsTypes = FS_TYPES;
  hart.pageIo = hostPageIo;
  hart.wakeKswapd = () => wakeKswapd(hart);
  hart.waitForMemory = (mm) => waitForMemory(hart, mm);
  hart.wakeKhugepaged = () => wakeKhugepaged(hart);
  hart.outOfMemory = () => outOfMemory(hart);
  hart.userFault = userFault;
  hart.userfaultEvents = userfaultEvents;
  hart.warn = (_hart, text) => writeKernelLine(hart, `pagewalk: warning: ${text}`);
  hart.shared.storeRelease(hart.base + HART_RUN_STATE, RUN_KERNEL);
  if (init !== null) {
    initKernel(hart);
    startIdle(hart);
    startInit(hart, init);
    hart.shared.storeRelease(BOOTED, 1);
    hart.shared.notify(BOOTED);
  } else {
    awaitBoot(hart);
    startIdle(hart);
  }
}

function initKernel(hart: KernelHart): void {
  const { shared } = hart;
  initKmemCaches(shared);
  initFrames(shared, RAM_PFN_BASE);
  initWatermarks(shared);
  initThp(shared);
  initOvercommit(shared);
  initKernelMm(hart);
  // What Linux lets threads take of memory (max_threads): an eighth, in kernel stacks of 16 KiB.
  shared.set(MACHINE_BASE + MACHINE_TASK_COUNT_MAX, Math.max(ramFrameCount(shared) >>> 5, TASK_COUNT_MIN));
  initTermios(shared, (consoleFlags(hart) & CONSOLE_TTY_EXTERNAL) !== 0);
  initVdso(hart);
  // All of them before any task exists: a new task may run on every hart that will take part.
  for (let id = 0; id < hart.hartCount; id++) cpumaskSet(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, id);
}

function startInit(hart: KernelHart, init: InitProgram): void {
  const { shared } = hart;
  shared.set(MACHINE_BASE + MACHINE_FRAMES_AT_BOOT, freeFrameCount(shared));
  const task = makeInitTask(hart, init);
  if (task !== 0) wakeTask(hart, task);
  const kswapd = makeKthread(hart, KTHREAD_KSWAPD, 0, "kswapd0");
  if (kswapd !== 0) {
    shared.set(kswapd + TASK_FLAGS, PF_KTHREAD | PF_KSWAPD);
    wakeTask(hart, kswapd);
  }
  // Not in the deterministic driver: while a guest waits for input, virtual time would run away with the timers of
  // these.
  if ((shared.get(MACHINE_BASE + MACHINE_OPTIONS) & OPTION_DETERMINISTIC) === 0) {
    const watch = makeKthread(hart, KTHREAD_RCU_WATCH, 0, "rcu_watch");
    if (watch !== 0) wakeTask(hart, watch);
    const khugepaged = makeKthread(hart, KTHREAD_KHUGEPAGED, 0, "khugepaged");
    if (khugepaged !== 0) wakeTask(hart, khugepaged);
  }
}

function awaitBoot(hart: KernelHart): void {
  while (hart.shared.loadAcquire(BOOTED) === 0) {
    park(hart, BOOTED, 0, FOREVER);
    hart.checkStop();
  }
}

/** The hart's first task is its idle task, which borrows init_mm: the kernel half alone. */
function startIdle(hart: KernelHart): void {
  switchMm(hart, 0, hart.shared.get(MACHINE_BASE + MACHINE_INIT_MM));
  makeIdleTask(hart);
}
