// A few harts in this thread that switch tasks by hand: what each borrows, and what becomes of an mm that others
// borrow. Whichever hart waits serves the others as well, so an interrupt is answered.

import { readFileSync } from "node:fs";
import {
  HART_COUNTERS,
  HART_IDLE_TASK,
  HART_IRQ_OFF_DEPTH,
  HART_LOADED_MM,
  HART_RUN_STATE,
  HART_SATP_ROOT,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_ONLINE_MASK,
  MM_ROOT_PFN,
  MM_USERS,
  PAGE_FLAGS,
  PAGE_PT_MM,
  PF_KTHREAD,
  PG_TABLE,
  POOL_MM,
  RAM_PFN_BASE,
  RUN_KERNEL,
  TASK_ACTIVE_MM,
  TASK_CPUS_ALLOWED,
  TASK_FLAGS,
  TASK_HART,
  TASK_MM,
} from "../../assembly/layout.ts";
import { KernelHart } from "../../host/kernel/kernel-hart.ts";
import { handleNmi } from "../../host/kernel/nmi.ts";
import { allocTask, makeIdleTask } from "../../host/kernel/process/task.ts";
import { enqueueOn } from "../../host/kernel/sched/placement.ts";
import { exitMm, finishLazy, releaseBorrowedMm, switchActiveMm } from "../../host/kernel/sched/switch.ts";
import { resolveConfig } from "../../host/machine/config.ts";
import { instantiateCore } from "../../host/machine/core.ts";
import { createMemory } from "../../host/machine/memory-map.ts";
import { cpumaskSet } from "../../host/memory/cpumask.ts";
import type { SharedMemory } from "../../host/memory/shared.ts";
import { initKmemCaches, kmemCacheLive } from "../../host/memory/slab.ts";
import { switchMm } from "../../host/mm/context.ts";
import { freeFrameCount, initFrames } from "../../host/mm/frame/frames.ts";
import { pageOf } from "../../host/mm/frame/page.ts";
import { initThp } from "../../host/mm/huge/thp.ts";
import { mmFrame } from "../../host/mm/lazy.ts";
import { initKernelMm, mmAlloc, mmget, mmput } from "../../host/mm/mm.ts";
import { makePolicies } from "../../host/policy/choose.ts";
import { BUILD } from "../support/paths.ts";

const module = new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`));

export class LazyMachine {
  readonly shared: SharedMemory;
  readonly harts: KernelHart[] = [];
  readonly initMm: number;
  readonly #freeAtStart: number;

  constructor(policy: Readonly<Record<string, string>>, { harts = 3, mutate = "" } = {}) {
    const config = resolveConfig({ program: new Uint8Array(), harts, ramBytes: 1 << 24, seed: 1, policy, mutate });
    this.shared = createMemory(config, { realtimeNs: 0, hrtimeNs: 0 }, false);
    initKmemCaches(this.shared);
    initFrames(this.shared, RAM_PFN_BASE);
    initThp(this.shared);
    const clock = { now: () => performance.now() * 1e6 };
    for (let id = 0; id < harts; id++) {
      const core = instantiateCore(module, this.shared.memory);
      const hart = new KernelHart(id, this.shared, core, clock, 0, makePolicies(config.policies, mmFrame));
      hart.interrupts = { serve: () => this.#serveAll() };
      core.bind(hart.base);
      hart.set(HART_RUN_STATE, RUN_KERNEL);
      this.harts.push(hart);
      cpumaskSet(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, id);
    }
    initKernelMm(this.harts[0]);
    this.initMm = this.shared.get(MACHINE_BASE + MACHINE_INIT_MM);
    for (const hart of this.harts) {
      switchMm(hart, 0, this.initMm);
      makeIdleTask(hart);
    }
    this.#freeAtStart = freeFrameCount(this.shared);
  }

  /** An mm and one user task in it for each of `harts`; the mm's users are the tasks. */
  process(harts: number): { mm: number; tasks: number[] } {
    const mm = mmAlloc(this.harts[0]);
    for (let i = 1; i < harts; i++) mmget(this.harts[0], mm);
    const tasks = Array.from({ length: harts }, () => {
      const task = allocTask(this.harts[0]);
      this.shared.set(task + TASK_MM, mm);
      this.shared.set(task + TASK_ACTIVE_MM, mm);
      return task;
    });
    return { mm, tasks };
  }

  kthread(): number {
    const task = allocTask(this.harts[0]);
    this.shared.set(task + TASK_FLAGS, PF_KTHREAD);
    return task;
  }

  /** The context switch, as schedule() does it. */
  run(hart: KernelHart, next: number): void {
    const previous = hart.current;
    if (previous === next) return;
    switchActiveMm(hart, previous, next);
    hart.setCurrent(next);
    finishLazy(hart);
  }

  /** Puts a task on the hart's queue, for schedule() to find. */
  enqueue(hart: KernelHart, task: number): void {
    this.shared.set(task + TASK_HART, hart.id);
    this.shared.set(task + TASK_CPUS_ALLOWED, -1);
    enqueueOn(hart, hart.id, task);
  }

  idle(hart: KernelHart): void {
    this.run(hart, hart.get(HART_IDLE_TASK));
  }

  /** The current task ends; the hart stays on its mm. */
  exit(hart: KernelHart): void {
    const mm = exitMm(hart);
    this.idle(hart);
    mmput(hart, mm);
  }

  isAlive(mm: number): boolean {
    return this.shared.get(mm + MM_ROOT_PFN) !== 0;
  }

  isUsed(mm: number): boolean {
    return this.shared.get(mm + MM_USERS) > 0;
  }

  borrows(hart: KernelHart, mm: number): boolean {
    return hart.get(HART_LOADED_MM) === mm && this.shared.get(hart.current + TASK_MM) === 0;
  }

  counter(counter: number): number {
    return this.harts.reduce((sum, hart) => sum + hart.get(HART_COUNTERS + counter), 0);
  }

  /** A-I1 and A-I2, one line for each hart that breaks them. */
  problems(): string[] {
    const problems: string[] = [];
    for (const hart of this.harts) {
      const loaded = hart.get(HART_LOADED_MM);
      const root = hart.get(HART_SATP_ROOT);
      const page = pageOf(root);
      const isLive =
        loaded === this.initMm ||
        (this.shared.get(page + PAGE_FLAGS) === PG_TABLE && this.shared.get(page + PAGE_PT_MM) === loaded);
      if (!isLive || root !== this.shared.get(loaded + MM_ROOT_PFN)) {
        problems.push(`hart ${hart.id} walks a root that was freed`);
      }
      try {
        handleNmi(hart);
      } catch (error) {
        problems.push(`hart ${hart.id}: ${(error as Error).message}`);
      }
    }
    return problems;
  }

  /** Every hart goes idle and hands back what it borrows: one line for each thing that is left. */
  finish(): string[] {
    for (const hart of this.harts) {
      this.idle(hart);
      releaseBorrowedMm(hart);
    }
    const problems = this.problems();
    const mms = kmemCacheLive(this.shared, POOL_MM) - 1;
    if (mms !== 0) problems.push(`${mms} mms lost`);
    const frames = this.#freeAtStart - freeFrameCount(this.shared);
    if (frames !== 0) problems.push(`${frames} frames lost`);
    return problems;
  }

  #serveAll(): void {
    for (const hart of this.harts) hart.doorbell.serve(hart.get(HART_IRQ_OFF_DEPTH) !== 0);
  }
}
