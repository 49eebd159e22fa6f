// The small machine that the explorer works on: all its harts, cores included, in the calling thread.

import {
  HART_OPTIONS,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_ONLINE_MASK,
  OPTION_PWC,
  RAM_PFN_BASE,
  RUN_KERNEL,
} from "../../assembly/layout.ts";
import { KernelHart } from "../kernel/kernel-hart.ts";
import { makeIdleTask } from "../kernel/process/task.ts";
import { rcuCallbacks } from "../kernel/rcu-callbacks.ts";
import type { Core } from "../memory/core.ts";
import { cpumaskSet } from "../memory/cpumask.ts";
import { hartBase } from "../memory/hart-local.ts";
import { SharedMemory } from "../memory/shared.ts";
import { initKmemCaches } from "../memory/slab.ts";
import { switchMm } from "../mm/context.ts";
import { initFrames } from "../mm/frame/frames.ts";
import { initThp } from "../mm/huge/thp.ts";
import { mmFrame } from "../mm/lazy.ts";
import { initKernelMm } from "../mm/mm.ts";
import { makePolicies, type PolicyNames } from "../policy/choose.ts";
import { runToEnd } from "../simulate/coroutine.ts";
import type { Laboratory, LaboratoryOptions } from "../simulate/laboratory.ts";
import { watched } from "../simulate/scenarios/watched.ts";
import { VirtualClock } from "./clock.ts";
import { type ResolvedConfig, resolveConfig } from "./config.ts";
import { instantiateCore } from "./core.ts";
import { createMemory } from "./memory-map.ts";

/** 1 MiB: scenarios map a handful of pages. */
const RAM_BYTES = 1 << 20;
const TLB_ENTRIES = 64;
const DECODE_PAGES = 16;

export function makeLaboratory(module: WebAssembly.Module, options: LaboratoryOptions): Laboratory {
  const config = smallConfig(options);
  const shared = createMemory(config, { realtimeNs: 0, hrtimeNs: 0 }, false);
  if (options.pageWalkCache) for (let id = 0; id < options.harts; id++) addOption(shared, id, OPTION_PWC);
  initKmemCaches(shared);
  initFrames(shared, RAM_PFN_BASE);
  initThp(shared);
  const harts: KernelHart[] = [];
  for (let id = 0; id < options.harts; id++) harts.push(makeHart(module, shared, id, config.policies));
  runToEnd(() => initKernelMm(harts[0]));
  for (const hart of harts) {
    runToEnd(() => cpumaskSet(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, hart.id));
    runToEnd(() => switchMm(hart, 0, shared.get(MACHINE_BASE + MACHINE_INIT_MM)));
    runToEnd(() => makeIdleTask(hart));
  }
  return { shared, harts, weakMemory: options.weakMemory };
}

function addOption(shared: SharedMemory, id: number, option: number): void {
  shared.set(hartBase(id) + HART_OPTIONS, shared.get(hartBase(id) + HART_OPTIONS) | option);
}

function makeHart(module: WebAssembly.Module, shared: SharedMemory, id: number, names: PolicyNames): KernelHart {
  const own = new SharedMemory(shared.memory);
  own.hartId = id;
  const core = withModel(instantiateCore(module, shared.memory), own);
  const policies = watched(makePolicies(names, mmFrame));
  const hart = new KernelHart(id, own, core, new VirtualClock(shared), 0, policies);
  hart.rcuCallbacks = rcuCallbacks;
  core.bind(hart.base);
  hart.set(HART_RUN_STATE, RUN_KERNEL);
  return hart;
}

/** The core reads memory itself: what the hart's own store buffer holds for it is committed first. */
function withModel(core: Core, shared: SharedMemory): Core {
  const functions = Object.entries(core as unknown as Record<string, (...args: unknown[]) => unknown>);
  const wrapped = functions.map(([name, call]) => {
    if (name === "loadSatp") return [name, () => loadSatp(core, shared)];
    const inKernel = name === "zeroBytes" || name === "copyBytes" || name === "saveContext" || name === "zeroPage";
    const isAccess = /^(copy|clear|strncpy|user|run)/.test(name);
    if (!inKernel && !isAccess) return [name, call];
    const committing = (...args: unknown[]) => {
      if (inKernel) shared.model?.commitAll();
      else shared.model?.commitTables();
      return call(...args);
    };
    return [name, committing];
  });
  return Object.fromEntries(wrapped) as Core;
}

function loadSatp(core: Core, shared: SharedMemory): void {
  core.loadSatp();
  shared.observer?.satpLoaded(shared.hartId);
}

function smallConfig({ harts, policies, mutation, ramBytes = RAM_BYTES }: LaboratoryOptions): ResolvedConfig {
  const config = resolveConfig({
    program: new Uint8Array(),
    harts,
    tlbEntries: TLB_ENTRIES,
    decodePages: DECODE_PAGES,
    seed: 1,
    policy: policies,
    mutate: mutation,
  });
  return { ...config, ramBytes }; // less than a user may choose
}
