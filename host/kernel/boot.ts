// From an empty shared memory to a running machine. Hart 0 makes the kernel's objects and the first process; the other
// harts wait for MACHINE_BOOTED and then start on their idle tasks.

import {
  HART_IDLE_TASK,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_BOOTED,
  MACHINE_FRAMES_AT_BOOT,
  MACHINE_INIT_MM,
  MACHINE_ONLINE_MASK,
  RUN_KERNEL,
  TASK_ACTIVE_MM,
  TASK_ON_HART,
} from "../../assembly/layout.ts";
import { cpumaskSet } from "../memory/cpumask.ts";
import { hartBase } from "../memory/hart-local.ts";
import { FOREVER, park } from "../memory/park.ts";
import { initPools } from "../memory/pool.ts";
import { switchMm } from "../mm/context.ts";
import { freeFrameCount, initFrames } from "../mm/frames.ts";
import { initKernelMm, mmgrab } from "../mm/mm.ts";
import type { KernelHart } from "./kernel-hart.ts";
import { wakeTask } from "./sched.ts";
import { initTasks, makeIdleTask, makeInitTask } from "./task.ts";

export interface InitProgram {
  /** Path as the user gave it: argv[0], AT_EXECFN and the name in messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** Brings `hart` to the point where runHart can take over. `init` is given on hart 0 alone. */
export function bootHart(hart: KernelHart, init: InitProgram | null): void {
  hart.core.bind(hart.base);
  hart.shared.storeRelease(hart.base + HART_RUN_STATE, RUN_KERNEL);
  if (init !== null) bootMachine(hart, init);
  else awaitBoot(hart);
  startIdle(hart);
}

function bootMachine(hart: KernelHart, init: InitProgram): void {
  const { shared } = hart;
  initPools(shared);
  initFrames(shared);
  initTasks(shared);
  initKernelMm(hart);
  for (let id = 0; id < hart.hartCount; id++) {
    shared.set(hartBase(id) + HART_IDLE_TASK, makeIdleTask(hart, id));
  }
  startIdle(hart);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_AT_BOOT, freeFrameCount(shared));
  const task = makeInitTask(hart, init);
  if (task !== 0) wakeTask(hart, task);
  shared.storeRelease(MACHINE_BASE + MACHINE_BOOTED, 1);
  shared.notify(MACHINE_BASE + MACHINE_BOOTED);
}

function awaitBoot(hart: KernelHart): void {
  while (hart.shared.loadAcquire(MACHINE_BASE + MACHINE_BOOTED) === 0) {
    park(hart, MACHINE_BASE + MACHINE_BOOTED, 0, FOREVER);
    hart.checkStop();
  }
}

/** The hart's first task is its idle task, which borrows init_mm: the kernel half alone. */
function startIdle(hart: KernelHart): void {
  const { shared } = hart;
  if (hart.current !== 0) return;
  const idle = hart.get(HART_IDLE_TASK);
  const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  shared.set(idle + TASK_ON_HART, hart.id + 1);
  shared.set(idle + TASK_ACTIVE_MM, initMm);
  mmgrab(hart, initMm);
  switchMm(hart, 0, initMm);
  hart.setCurrent(idle);
  cpumaskSet(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, hart.id);
}
