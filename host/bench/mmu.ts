// TLB, walk, flush and reference counts: the core's own modules in loops (assembly/bench.ts) against the same algorithm
// in C under gcc -O2 (guest-programs/native/mmu.c). Nanoseconds an operation; the ratio is time against time.

import { readFileSync } from "node:fs";
import { MM_BASE, MM_COUNT, TLB_ENTRIES_DEFAULT } from "../../assembly/layout.ts";
import { makeFence } from "../machine/fence.ts";
import { hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { bareMachine, mapPages, withoutTrap } from "./bare-machine.ts";
import type { Bench, Measurable } from "./bench.ts";
import { elapsedNs, runChild } from "./child.ts";
import { interleavePair } from "./interleave.ts";
import { type Goal, makeRow } from "./row.ts";

interface BenchExports {
  bind(hart: number): void;
  loadHits(n: number): bigint;
  storeHits(n: number): bigint;
  walks(n: number): bigint;
  misses(n: number): bigint;
  flushOnes(n: number): bigint;
  flushAsids(n: number): bigint;
  flushAlls(n: number): bigint;
  refcounts(word: number, n: number): bigint;
  incrementsNotZero(word: number, n: number): bigint;
}

interface Operation {
  readonly name: string;
  /** Argument of the C program. */
  readonly twin: string;
  readonly count: number;
  readonly goal?: Goal;
  run(core: BenchExports, n: number): unknown;
}

const REFCOUNT_WORD = MM_BASE + MM_COUNT;
const HIT_GOAL: Goal = { of: "ratio", atMost: 1.2 };
const WALK_GOAL: Goal = { of: "ratio", atMost: 1.7 };
const REFCOUNT_GOAL: Goal = { of: "ratio", atMost: 1.1 };
/** Calls before the first measurement: V8 replaces its baseline code between calls, some time after it found them hot. */
const WARM_UP_CALLS = 20;
const WARM_UP_MS = 300;

const OPERATIONS: readonly Operation[] = [
  { name: "TLB hit, load", twin: "load-hit", count: 2e7, goal: HIT_GOAL, run: (core, n) => core.loadHits(n) },
  { name: "TLB hit, store", twin: "store-hit", count: 2e7, goal: HIT_GOAL, run: (core, n) => core.storeHits(n) },
  { name: "walk", twin: "walk", count: 1e7, goal: WALK_GOAL, run: (core, n) => core.walks(n) },
  { name: "TLB miss: walk, fill", twin: "miss", count: 5e6, run: (core, n) => core.misses(n) },
  { name: "fill, flush one", twin: "flush-one", count: 1e7, run: (core, n) => core.flushOnes(n) },
  { name: "flush ASID", twin: "flush-asid", count: 1e5, run: (core, n) => core.flushAsids(n) },
  { name: "flush all", twin: "flush-all", count: 2e5, run: (core, n) => core.flushAlls(n) },
  {
    name: "refcount inc, dec",
    twin: "refcount",
    count: 2e7,
    goal: REFCOUNT_GOAL,
    run: (core, n) => core.refcounts(REFCOUNT_WORD, n),
  },
  {
    name: "inc-not-zero",
    twin: "inc-not-zero",
    count: 2e7,
    goal: REFCOUNT_GOAL,
    run: (core, n) => core.incrementsNotZero(REFCOUNT_WORD, n),
  },
];

export const mmuMeasurables: readonly Measurable[] = OPERATIONS.map((operation) => ({
  group: "mmu",
  names: [operation.name],
  measure: async (bench) => [await measure(bench, operation)],
}));

async function measure({ paths, repeats, baselines }: Bench, operation: Operation) {
  const shared = bareMachine(1);
  const core = boundCore(paths.benchWasm, shared);
  const time = () => withoutTrap(shared, operation.name, () => timeRun(core, operation));
  warmUp(() => operation.run(core, operation.count / 100));
  const native = baselines.native("mmu");
  const timeTwin = async (path: string) => {
    const { stdout } = await runChild(path, [operation.twin, `${operation.count}`, `${TLB_ENTRIES_DEFAULT}`]);
    return elapsedNs(stdout) / operation.count;
  };
  const { ours, baseline } = await interleavePair(repeats, time, native && (() => timeTwin(native)));
  return makeRow({ group: "mmu", name: operation.name, unit: "ns" }, ours, {
    baseline: baseline && { name: "gcc -O2", samples: baseline },
    goal: operation.goal,
  });
}

function boundCore(wasmPath: string, shared: SharedMemory): BenchExports {
  mapPages(shared);
  shared.set(REFCOUNT_WORD, 1);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasmPath)), {
    env: { memory: shared.memory },
    host: { fence: makeFence() },
  });
  const core = instance.exports as unknown as BenchExports;
  core.bind(hartBase(0));
  core.loadHits(4096); // touches the pages and puts them into the TLB
  return core;
}

function warmUp(call: () => void): void {
  const end = performance.now() + WARM_UP_MS;
  for (let calls = 0; calls < WARM_UP_CALLS || performance.now() < end; calls++) call();
}

function timeRun(core: BenchExports, operation: Operation): number {
  core.loadHits(4096);
  const start = performance.now();
  operation.run(core, operation.count);
  return ((performance.now() - start) * 1e6) / operation.count;
}
