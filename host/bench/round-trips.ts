// Round trips: out of the guest and back, and from one hart to another. Times; the baseline is what native Linux takes
// for the same errand.

import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { CAUSE_BREAKPOINT, EXIT_TRAP, HART_CAUSE, HART_PC, RAM_BASE } from "../../assembly/layout.ts";
import { instantiateCore } from "../machine/core.ts";
import { hartBase } from "../memory/hart-local.ts";
import { bareMachine } from "./bare-machine.ts";
import type { Bench, Measurable } from "./bench.ts";
import { elapsedNs, runChild } from "./child.ts";
import { timeGuest, timeNative } from "./guest.ts";
import { interleave, interleavePair, type Measurement } from "./interleave.ts";
import type { IpiWorkerData } from "./ipi-worker.ts";
import { makeRow, type Row } from "./row.ts";

const GROUP = "round trips";
const SYSCALLS = 3e6;
const TRAPS = 2e6;
const TURNS = 20_000;
const IPIS = { running: 100_000, parked: 2_000 } as const;

const C_J_SELF = 0xa001; // c.j 0
const C_EBREAK = 0x9002;
const RUN_BUDGET_INSTRS = 1000;

export const roundTripMeasurables: readonly Measurable[] = [
  { group: GROUP, names: ["system call", "trap"], measure: measureTraps },
  { group: GROUP, names: ["futex hand-over"], measure: measureHandOver },
  { group: GROUP, names: ["IPI, running hart"], measure: (bench) => measureIpi(bench, "running") },
  { group: GROUP, names: ["IPI, parked hart"], measure: (bench) => measureIpi(bench, "parked") },
];

/** getppid(2) in a loop; and ebreak, which leaves the core and is sent back in at once. */
async function measureTraps({ paths, repeats, baselines }: Bench): Promise<Row[]> {
  const native = baselines.native("syscall-loop");
  const trap = trapLoop(paths.coreWasm);
  const [calls, traps, nativeCalls] = await interleave(repeats, [
    async () => (await timeGuest(paths, 1, "syscall-loop", [SYSCALLS])) / SYSCALLS,
    trap,
    ...(native === null ? [] : [async () => (await timeNative(native, [SYSCALLS])) / SYSCALLS]),
  ]);
  const baseline = nativeCalls === undefined ? null : { name: "Linux", samples: nativeCalls };
  return [
    makeRow({ group: GROUP, name: "system call", unit: "ns" }, calls, { baseline, goal: { of: "ratio", atMost: 0.5 } }),
    makeRow({ group: GROUP, name: "trap", unit: "ns" }, traps, {
      baseline,
      note: "ebreak to TypeScript and back, without kernel work, against Linux's system call",
    }),
  ];
}

function trapLoop(coreWasm: string): Measurement {
  const shared = bareMachine(1);
  const core = instantiateCore(new WebAssembly.Module(readFileSync(coreWasm)), shared.memory);
  const block = hartBase(0);
  shared.set(RAM_BASE, C_EBREAK);
  shared.set(block + HART_PC, RAM_BASE);
  core.bind(block);
  const loop = (n: number) => {
    for (let i = 0; i < n; i++) {
      const exit = core.run(RUN_BUDGET_INSTRS);
      if (exit !== EXIT_TRAP || shared.get(block + HART_CAUSE) !== CAUSE_BREAKPOINT) throw new Error(`exit ${exit}`);
    }
  };
  loop(TRAPS / 4); // until it is compiled
  return () => {
    const start = performance.now();
    loop(TRAPS);
    return ((performance.now() - start) * 1e6) / TRAPS;
  };
}

/** Two threads that sleep and wake each other, on two harts. */
async function measureHandOver({ paths, repeats, baselines }: Bench): Promise<Row[]> {
  const native = baselines.native("futex-pingpong");
  const { ours, baseline } = await interleavePair(
    repeats,
    async () => (await timeGuest(paths, 2, "futex-pingpong", [TURNS])) / TURNS,
    native === null ? null : async () => (await timeNative(native, [TURNS])) / TURNS,
  );
  const options = { baseline: baseline && { name: "Linux", samples: baseline } };
  return [makeRow({ group: GROUP, name: "futex hand-over", unit: "ns" }, ours, options)];
}

async function measureIpi({ paths, repeats, baselines }: Bench, receiver: "running" | "parked"): Promise<Row[]> {
  const module = new WebAssembly.Module(readFileSync(paths.coreWasm));
  const ours = () => timeIpi(paths.ipiWorker, { core: module, receiver, rounds: IPIS[receiver] });
  const row = { group: GROUP, name: `IPI, ${receiver} hart`, unit: "ns" };
  const native = receiver === "running" ? baselines.native("ipi") : null;
  const theirs = async (path: string) => elapsedNs((await runChild(path, [`${IPIS.running}`])).stdout) / IPIS.running;
  const { ours: samples, baseline } = await interleavePair(
    repeats,
    ours,
    native === null ? null : () => theirs(native),
  );
  return [makeRow(row, samples, { baseline: baseline && { name: "membarrier(2)", samples: baseline } })];
}

async function timeIpi(
  workerPath: string,
  { core, receiver, rounds }: Pick<IpiWorkerData, "core" | "receiver" | "rounds">,
): Promise<number> {
  const shared = bareMachine(2);
  shared.set(RAM_BASE, C_J_SELF);
  const workers = [1, 0].map((id) => {
    const workerData: IpiWorkerData = { memory: shared.memory, core, id, receiver, rounds };
    return new Worker(workerPath, { workerData });
  });
  const gone = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
  try {
    return await new Promise<number>((resolve, reject) => {
      for (const worker of workers) worker.once("message", resolve).once("error", reject);
    });
  } finally {
    const patience = setTimeout(() => workers.map((worker) => worker.terminate()), 1000);
    await Promise.all(gone);
    clearTimeout(patience);
  }
}
