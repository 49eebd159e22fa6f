// A machine for mm alone: shared memory, real cores, harts with the default policies, and one task whose mm is under
// test. All harts live in this thread; hart 0 acts, and whenever it polls it also serves the mailboxes of the others,
// so a flush that waits for them ends.

import { readFileSync } from "node:fs";
import {
  ACCESS_LOAD,
  ACCESS_STORE,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_ONLINE_MASK,
  MM_BRK,
  MM_BRK_START,
  MM_MMAP_BASE,
  PAGE_BYTES,
  POOL_ANON_VMA,
  POOL_MAPPING,
  POOL_MM,
  POOL_PROCESS,
  POOL_TASK,
  POOL_VMA,
  POOL_VMA_NODE,
  PROCESS_RLIMIT_BYTES,
  PROCESS_RLIMITS,
  RAM_PFN_BASE,
  RLIMIT_COUNT,
  RUN_KERNEL,
  TASK_MM,
  TASK_PROCESS,
} from "../../assembly/layout.ts";
import { DoorbellController } from "../../host/kernel/interrupts.ts";
import { resolveConfig } from "../../host/machine/config.ts";
import { instantiateCore } from "../../host/machine/core.ts";
import { createMemory } from "../../host/machine/memory-map.ts";
import type { Core } from "../../host/memory/core.ts";
import { cpumaskSet } from "../../host/memory/cpumask.ts";
import { HartLocal } from "../../host/memory/hart-local.ts";
import { rcuAdvance, rcuPending, rcuQuiescent } from "../../host/memory/rcu.ts";
import type { SharedMemory } from "../../host/memory/shared.ts";
import { initKmemCaches, kmemCacheAlloc, kmemCacheLive } from "../../host/memory/slab.ts";
import { checkMm } from "../../host/mm/check-mm.ts";
import { switchMm } from "../../host/mm/context.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { freeFrameCount, initFrames } from "../../host/mm/frame/frames.ts";
import { initThp } from "../../host/mm/huge/thp.ts";
import { mmFrame } from "../../host/mm/lazy.ts";
import { initKernelMm, mmAlloc, mmput } from "../../host/mm/mm.ts";
import { mmRcuCallbacks } from "../../host/mm/rcu.ts";
import { checkLru, memoryInUse } from "../../host/mm/reclaim/check-lru.ts";
import { initSwap } from "../../host/mm/reclaim/swap-map.ts";
import { getUser32, putUser32 } from "../../host/mm/uaccess.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../../host/mm/vma/vma.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import { makePolicies, type PolicyNames, standard } from "../../host/policy/choose.ts";
import type { Hart } from "../../host/policy/hart.ts";
import type { Policies } from "../../host/policy/seams.ts";
import { BUILD } from "../support/paths.ts";
import { MemorySwapStore } from "../support/swap-store.ts";

export const MMAP_BASE = 0x3f_0000_0000;
export const BRK_START = 0x10_0000_0000;

class TestHart extends HartLocal implements Hart {
  readonly policies: Policies;
  readonly doorbell = new DoorbellController(this);

  constructor(id: number, shared: SharedMemory, core: Core, policies: PolicyNames) {
    super(id, shared, core, { now: () => performance.now() * 1e6 }, 0);
    this.policies = makePolicies(policies, mmFrame);
  }

  hasDeferredWork(): boolean {
    return false;
  }
}

export interface Vma {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
}

export class MmMachine {
  readonly shared: SharedMemory;
  readonly harts: TestHart[] = [];
  /** Hart 0. */
  readonly hart: TestHart;
  readonly process: number;
  readonly freeAtStart: number;
  mm = 0;

  constructor(harts = 1, ramBytes = 1 << 26, policies: Partial<PolicyNames> = {}, mutate = "") {
    const config = resolveConfig({ program: new Uint8Array(), harts, ramBytes, seed: 1, mutate });
    this.shared = createMemory(config, { realtimeNs: 0, hrtimeNs: 0 }, false);
    const module = new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`));
    initKmemCaches(this.shared);
    initFrames(this.shared, RAM_PFN_BASE);
    initThp(this.shared);
    for (let id = 0; id < harts; id++) {
      const core: Core = instantiateCore(module, this.shared.memory);
      const hart = new TestHart(id, this.shared, core, { ...standard(), ...policies });
      hart.rcuCallbacks = mmRcuCallbacks;
      core.bind(hart.base);
      hart.set(HART_RUN_STATE, RUN_KERNEL);
      this.harts.push(hart);
      cpumaskSet(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, id);
    }
    this.hart = this.harts[0];
    this.hart.interrupts = { serve: () => this.#serveOthers() };
    initKernelMm(this.hart);
    for (const hart of this.harts) switchMm(hart, 0, this.shared.get(MACHINE_BASE + MACHINE_INIT_MM));
    const task = kmemCacheAlloc(this.hart, POOL_TASK);
    this.process = kmemCacheAlloc(this.hart, POOL_PROCESS);
    this.shared.set(task + TASK_PROCESS, this.process);
    for (let i = 0; i < RLIMIT_COUNT; i++) this.setRlimit(i, 2 ** 64);
    for (const hart of this.harts) hart.setCurrent(task);
    this.freeAtStart = freeFrameCount(this.shared);
  }

  /** A new address space, loaded on every hart. */
  start(): number {
    this.mm = mmAlloc(this.hart);
    this.shared.setF64(this.mm + MM_MMAP_BASE, MMAP_BASE);
    this.shared.setF64(this.mm + MM_BRK_START, BRK_START);
    this.shared.setF64(this.mm + MM_BRK, BRK_START);
    for (const hart of this.harts) switchMm(hart, this.shared.get(MACHINE_BASE + MACHINE_INIT_MM), this.mm);
    this.shared.set(this.hart.current + TASK_MM, this.mm);
    return this.mm;
  }

  /** The task and every hart go over to another address space. */
  enter(mm: number): void {
    for (const hart of this.harts) switchMm(hart, this.mm, mm);
    this.shared.set(this.hart.current + TASK_MM, mm);
    this.mm = mm;
  }

  /** A swap store of `slots` pages in this process's memory. */
  useSwap(slots: number): MemorySwapStore {
    initSwap(this.shared, slots);
    const store = new MemorySwapStore(this.shared.u8);
    for (const hart of this.harts) hart.swapStore = store;
    return store;
  }

  /** Ends the address space; returns what it left behind, one line each. */
  finish(): string[] {
    const problems = [...checkMm(this.hart, this.mm), ...checkLru(this.hart)];
    for (const hart of this.harts) switchMm(hart, this.mm, this.shared.get(MACHINE_BASE + MACHINE_INIT_MM));
    mmput(this.hart, this.mm);
    this.drainRcu();
    const lost = this.freeAtStart - freeFrameCount(this.shared);
    if (lost !== 0) problems.push(`${lost} frames lost`);
    for (const [what, count] of Object.entries(memoryInUse(this.shared))) {
      if (count !== 0) problems.push(`${count} ${what} lost`);
    }
    for (const [name, pool] of Object.entries({
      vma: POOL_VMA,
      node: POOL_VMA_NODE,
      mapping: POOL_MAPPING,
      anonVma: POOL_ANON_VMA,
      mm: POOL_MM,
    })) {
      const live = kmemCacheLive(this.shared, pool) - (pool === POOL_MM ? 1 : 0);
      if (live !== 0) problems.push(`${live} records of pool ${name} lost`);
    }
    return problems;
  }

  drainRcu(): void {
    for (const hart of this.harts) {
      while (rcuPending(hart)) {
        for (const each of this.harts) rcuQuiescent(each);
        rcuAdvance(hart, mmRcuCallbacks);
      }
    }
  }

  setRlimit(resource: number, bytes: number): void {
    this.shared.setF64(this.process + PROCESS_RLIMITS + resource * PROCESS_RLIMIT_BYTES, bytes);
  }

  /** The word that the guest would read, or -EFAULT. */
  load(va: number, hart: Hart = this.hart): number {
    return getUser32(hart, va);
  }

  /** 0 or -EFAULT. */
  store(va: number, value: number, hart: Hart = this.hart): number {
    return putUser32(hart, va, value);
  }

  /** The word by whatever translation the hart has now, or null when it would fault: nothing is resolved. */
  peek(va: number, hart: Hart): number | null {
    const word = hart.core.userLoad32(va);
    return word < 0n ? null : Number(word);
  }

  fault(va: number, access: number): number {
    return handleMmFault(this.hart, this.mm, va, access);
  }

  touch(va: number, pages: number, access = ACCESS_STORE): void {
    for (let i = 0; i < pages; i++) {
      if (access === ACCESS_LOAD) this.load(va + i * PAGE_BYTES);
      else this.store(va + i * PAGE_BYTES, i + 1);
    }
  }

  vmas(): Vma[] {
    const found: Vma[] = [];
    for (let vma = vmaFind(this.hart, this.mm, 0); vma !== 0; ) {
      const end = vmaEnd(this.hart, vma);
      found.push({ start: vmaStart(this.hart, vma), end, flags: vmaFlags(this.hart, vma) });
      vma = vmaFind(this.hart, this.mm, end);
    }
    return found;
  }

  #serveOthers(): void {
    for (const hart of this.harts) {
      if (hart === this.hart) continue;
      hart.doorbell.serve();
    }
  }
}
