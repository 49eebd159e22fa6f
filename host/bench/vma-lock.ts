// What does a fault lock, and what does it cost: faults a second under each vma-lock policy, on 1 to 8 harts, for
// threads with vmas of their own (neighbours, or in page tables of their own), in one vma, and side by side with mmap
// and munmap; with the native build of the same program beside it. mmap-lock is the baseline.

import { POLICIES } from "../policy/registry.ts";
import type { Bench, Measurable, Suite } from "./bench.ts";
import { elapsedNs } from "./child.ts";
import { runGuest, timeNative } from "./guest.ts";
import { interleave, type Measurement } from "./interleave.ts";
import { statsOf } from "./machine-stats.ts";
import type { BenchPaths } from "./paths.ts";
import { makeRow, type Row } from "./row.ts";

interface Workload {
  readonly name: string;
  readonly program: "fault-loop" | "spf-test";
  /** For `threads` threads. */
  readonly args: (threads: number) => readonly (string | number)[];
  readonly faults: (threads: number) => number;
}

const BASELINE = "mmap-lock";
const HARTS = [1, 2, 4, 8] as const;
const PAGES = 64;
/** Of all threads: about a second, after the warm-up in which V8 compiles the kernel for each hart. */
const ROUNDS = 25_000;
const MAPS = 8;
const MAP_PAGES = 10;
const SPF_ROUNDS = 16_000; // of all threads
/** Of the workload that maps and faults: what a lock of its own is to bring on two harts. */
const GOAL = { of: "ratio", atLeast: 1.5 } as const;

const WORKLOADS: readonly Workload[] = [
  ...(["own", "apart", "shared"] as const).map(
    (sharing): Workload => ({
      name: { own: "own vmas", apart: "own page tables", shared: "one vma" }[sharing],
      program: "fault-loop",
      args: (threads) => [threads, PAGES, Math.ceil(ROUNDS / threads), sharing],
      faults: (threads) => threads * PAGES * Math.ceil(ROUNDS / threads),
    }),
  ),
  {
    name: "mmap and faults",
    program: "spf-test",
    args: (threads) => [threads, MAPS, MAP_PAGES, Math.ceil(SPF_ROUNDS / threads), "private"],
    faults: (threads) => threads * MAPS * MAP_PAGES * Math.ceil(SPF_ROUNDS / threads),
  },
];

/** Shown for each 1,000 faults: where the time goes if not into the faults themselves. */
const COUNTERS = ["vma_lock_abort", "mmap_lock_read", "mmap_lock_wait", "vma_line_bounces", "call_rcu_vma"] as const;

export const vmaLockSuite: Suite = {
  name: "vma-lock",
  measurables: WORKLOADS.flatMap((workload) =>
    HARTS.map(
      (harts): Measurable => ({
        group: groupOf(workload, harts),
        names: [...names(), "Linux"],
        measure: (bench) => measure(bench, workload, harts),
      }),
    ),
  ),
  summarize: () => [],
};

/** The baseline first. */
function names(): string[] {
  const all = POLICIES.filter(({ seam }) => seam === "vma-lock").map(({ name }) => name);
  return [BASELINE, ...all.filter((name) => name !== BASELINE)];
}

function groupOf({ name }: Workload, harts: number): string {
  return `${name}, ${harts} hart${harts === 1 ? "" : "s"}`;
}

async function measure({ paths, repeats, baselines }: Bench, workload: Workload, harts: number): Promise<Row[]> {
  const policies = names();
  const notes = policies.map(() => "");
  const native = baselines.native(workload.program);
  const perSecond = (ns: number): number => (workload.faults(harts) * 1e3) / ns;
  const guest = policies.map(
    (policy, index): Measurement =>
      async () => {
        const { ns, note } = await runOnce(paths, workload, harts, policy);
        notes[index] = note;
        return perSecond(ns);
      },
  );
  const linux: Measurement[] =
    native === null ? [] : [async () => perSecond(await timeNative(native, workload.args(harts)))];
  const samples = await interleave(repeats, [...guest, ...linux]);
  const goals = harts === 2 && workload.program === "spf-test";
  const rows = policies.map((policy, index) =>
    makeRow({ group: groupOf(workload, harts), name: policy, unit: "M/s" }, samples[index], {
      baseline: index === 0 ? null : { name: BASELINE, samples: samples[0] },
      goal: goals && policy.startsWith("refcount") ? GOAL : undefined,
      note: notes[index],
    }),
  );
  if (native === null) return rows;
  const beside = makeRow({ group: groupOf(workload, harts), name: "Linux", unit: "M/s" }, samples[policies.length], {
    baseline: { name: BASELINE, samples: samples[0] },
    note: "the native build",
  });
  return [...rows, beside];
}

async function runOnce(paths: BenchPaths, workload: Workload, harts: number, policy: string) {
  let stdout = "";
  const stats = await statsOf(async (file) => {
    const options = ["--harts", `${harts}`, "--policy", `vma-lock=${policy}`, "--json", file];
    const args = [...workload.args(harts).map(String), "--time"];
    ({ stdout } = await runGuest(paths, options, workload.program, args));
  });
  const ns = elapsedNs(stdout);
  const perHart = Math.round((workload.faults(harts) * 1e6) / ns / harts);
  const shown = COUNTERS.map((name) => ({ name, each: (stats.total[name] * 1000) / stats.total.pgfault }))
    .filter(({ each }) => each >= 1)
    .map(({ name, each }) => `${name} ${Math.round(each)}`);
  return { ns, note: [`${perHart} k/s per hart`, ...shown].join(", ") };
}
