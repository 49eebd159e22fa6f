// The life of a hart's worker: builds the hart around the shared memory and runs the kernel until the machine stops.
// The build makes two bundles of it, with and without schedule points; node/worker-entry.ts loads one of them.
//
// Joining. MACHINE_HARTS_RUNNING starts at 1, for hart 0; a worker that comes up late may join only while the count is
// not 0, because the hart that brings it to 0 frees what is left. MACHINE_WORKERS_INSIDE covers the whole time in which
// a worker touches the machine: when it falls to 0 after a stop, memory is quiet.

import { MACHINE_BASE, MACHINE_HARTS_RUNNING, MACHINE_WORKERS_INSIDE, STOP_OOPS } from "../../assembly/layout.ts";
import { pulseHost, stopMachine } from "../devices/power.ts";
import { bootHart } from "../kernel/boot.ts";
import { runHart } from "../kernel/hart-loop.ts";
import { KernelHart } from "../kernel/kernel-hart.ts";
import { MachineStopped } from "../memory/errors.ts";
import { SCHEDULE_POINTS } from "../memory/schedule.ts";
import { SharedMemory } from "../memory/shared.ts";
import { mmFrame } from "../mm/lazy.ts";
import { writeOops } from "../observe/oops.ts";
import { makePolicies } from "../policy/choose.ts";
import type { PolicyEntry } from "../policy/seams.ts";
import { HostClock, VirtualClock } from "./clock.ts";
import { instantiateCore } from "./core.ts";
import { BatonScheduler } from "./deterministic.ts";
import { DyingScheduler } from "./dying-scheduler.ts";
import { hrtimeNs } from "./node/clock.ts";
import { loadPolicyModule } from "./node/policy-module.ts";
import { hostFiles } from "./node/root.ts";
import { NodeSwapStore } from "./node/swap-store.ts";
import { oopsLine, oopsReport } from "./oops-report.ts";
import type { WorkerData } from "./worker-data.ts";

const RUNNING = (MACHINE_BASE + MACHINE_HARTS_RUNNING) >>> 2;
const INSIDE = (MACHINE_BASE + MACHINE_WORKERS_INSIDE) >>> 2;

/** Runs one hart from its start to its end. Without a module from outside the worker never turns to its event loop. */
export function runWorker(data: WorkerData): void {
  if (data.policyModule === "") main(data, []);
  else void runWithModule(data);
}

async function runWithModule(data: WorkerData): Promise<void> {
  const { printAtOnce } = await import("./node/print-at-once.ts"); // streams, which no other hart needs
  printAtOnce();
  main(data, await loadPolicyModule(data.policyModule));
}

function main(data: WorkerData, extraPolicies: readonly PolicyEntry[]): void {
  const shared = new SharedMemory(data.memory);
  Atomics.add(shared.i32, INSIDE, 1);
  try {
    if (data.hartId === 0 || join(shared)) liveAsHart(shared, data, extraPolicies);
  } catch (error) {
    reportBug(shared, data.hartId, error, () => oopsLine(data.hartId, error));
  }
  Atomics.sub(shared.i32, INSIDE, 1);
  pulseHost(shared);
}

/** Adds this hart to the running ones; false if the machine is already over. */
function join(shared: SharedMemory): boolean {
  for (;;) {
    const running = Atomics.load(shared.i32, RUNNING);
    if (running === 0) return false;
    if (Atomics.compareExchange(shared.i32, RUNNING, running, running + 1) === running) return true;
  }
}

function liveAsHart(shared: SharedMemory, data: WorkerData, extraPolicies: readonly PolicyEntry[]): void {
  const core = instantiateCore(data.core, data.memory);
  const isDeterministic = data.driver === "deterministic";
  const clock = isDeterministic ? new VirtualClock(shared) : new HostClock(shared, hrtimeNs);
  const policies = makePolicies(data.policies, mmFrame, extraPolicies);
  const hart = new KernelHart(data.hartId, shared, core, clock, data.spinCount, policies);
  if (SCHEDULE_POINTS && data.dieInLock !== null) {
    shared.scheduler = new DyingScheduler(shared, data.hartId, data.dieInLock);
  }
  if (data.swapFd !== null) hart.swapStore = new NodeSwapStore(data.swapFd, shared.u8);
  if (data.root !== null) hart.host = hostFiles(data.root, shared.u8, data.workerCount);
  if (!isDeterministic) {
    bootAndRun(hart, data);
    return;
  }
  const scheduler = new BatonScheduler(shared, data.hartId);
  shared.scheduler = scheduler;
  scheduler.enter();
  try {
    bootAndRun(hart, data);
  } finally {
    scheduler.leave();
  }
}

function bootAndRun(hart: KernelHart, data: WorkerData): void {
  try {
    bootHart(hart, data.init);
    runHart(hart);
  } catch (error) {
    hart.shared.scheduler = null; // the report is no part of the schedule
    reportBug(hart.shared, hart.id, error, () => oopsReport(hart, error));
  }
}

/** An exception that the kernel did not expect: the machine stops and says where it was. */
function reportBug(shared: SharedMemory, hartId: number, error: unknown, report: () => string): void {
  if (error instanceof MachineStopped) return;
  writeOops(shared, report());
  stopMachine(shared, STOP_OOPS, 0, hartId);
}
