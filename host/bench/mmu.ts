// TLB, walk, flush and reference counts: the core's own modules in loops (assembly/bench.ts) against the same algorithm
// in C under gcc -O2 (guest-programs/native/mmu.c). Nanoseconds an operation; the ratio is time against time.

import { readFileSync } from "node:fs";
import {
  MM_BASE,
  MM_COUNT,
  PAGE_BASE,
  PAGE_REFCOUNT,
  RAM_PFN_BASE,
  TLB_ENTRIES_DEFAULT,
} from "../../assembly/layout.ts";
import { makeFence } from "../machine/fence.ts";
import type { Core } from "../memory/core.ts";
import { HartLocal, hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { getPage, putPage } from "../mm/frame/page-refs.ts";
import { bareMachine, mapPages, withoutTrap } from "./bare-machine.ts";
import type { Bench, Measurable } from "./bench.ts";
import { elapsedNs, runChild } from "./child.ts";
import { interleavePair } from "./interleave.ts";
import { type Goal, makeRow, type Row } from "./row.ts";

interface BenchExports {
  bind(hart: number): void;
  touch(): void;
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
  run(core: BenchExports, n: number): bigint;
}

const REFCOUNT_WORD = MM_BASE + MM_COUNT;
const HIT_GOAL: Goal = { of: "ratio", atMost: 1.2 };
const WALK_GOAL: Goal = { of: "ratio", atMost: 1.7 };
const REFCOUNT_GOAL: Goal = { of: "ratio", atMost: 1.1 };
/** Before the first measurement: V8 replaces its baseline code between calls, some time after it found them hot. */
const WARM_UP_CALLS = 20;
const WARM_UP_MS = 300;
const REFERENCES = 1e7;

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

/** The kernel's own references to a frame (mm/frame/page-refs.ts), which are TypeScript, against the same yardstick. */
const pageReference: Measurable = {
  group: "mmu",
  names: ["page reference, kernel"],
  measure: async (bench) => {
    const shared = bareMachine(1);
    const hart = new HartLocal(0, shared, {} as Core, { now: () => 0 }, 0);
    shared.set(PAGE_BASE + PAGE_REFCOUNT, 1); // of the first frame
    const run = (n: number) => {
      for (let i = 0; i < n; i++) {
        getPage(hart, RAM_PFN_BASE);
        putPage(hart, RAM_PFN_BASE);
      }
    };
    warmUp(() => run(REFERENCES / 100));
    const row = { name: "page reference, kernel", twin: "refcount", count: REFERENCES, goal: REFCOUNT_GOAL };
    return [await against(bench, row, () => nsEach(REFERENCES, () => run(REFERENCES)))];
  },
};

export const mmuMeasurables: readonly Measurable[] = [
  ...OPERATIONS.map((operation) => ({
    group: "mmu",
    names: [operation.name],
    measure: async (bench: Bench) => [await measureOperation(bench, operation)],
  })),
  pageReference,
];

function measureOperation(bench: Bench, operation: Operation): Promise<Row> {
  const shared = bareMachine(1);
  const core = boundCore(bench.paths.benchWasm, shared);
  core.touch();
  warmUp(() => operation.run(core, operation.count / 100));
  return against(bench, operation, () => {
    core.touch();
    return withoutTrap(shared, operation.name, () =>
      nsEach(operation.count, () => operation.run(core, operation.count)),
    );
  });
}

/** `time` in turns with the same number of operations in C. */
async function against(bench: Bench, operation: Omit<Operation, "run">, time: () => number): Promise<Row> {
  const { name, twin, count, goal } = operation;
  const native = bench.baselines.native("mmu");
  const timeTwin = async (path: string) => {
    const { stdout } = await runChild(path, [twin, `${count}`, `${TLB_ENTRIES_DEFAULT}`]);
    return elapsedNs(stdout) / count;
  };
  const theirs = native === null ? null : () => timeTwin(native);
  const { ours, baseline } = await interleavePair(bench.repeats, time, theirs);
  return makeRow({ group: "mmu", name, unit: "ns" }, ours, {
    baseline: baseline && { name: "gcc -O2", samples: baseline },
    goal,
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
  return core;
}

function warmUp(call: () => void): void {
  const end = performance.now() + WARM_UP_MS;
  for (let calls = 0; calls < WARM_UP_CALLS || performance.now() < end; calls++) call();
}

function nsEach(count: number, work: () => void): number {
  const start = performance.now();
  work();
  return ((performance.now() - start) * 1e6) / count;
}
