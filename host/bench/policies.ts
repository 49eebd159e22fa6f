// Which policy wins where: the same guest program under each policy of a seam, in turns, threaded, with the counters
// that explain the difference. The default policy is the baseline.

import { POLICIES, SEAMS } from "../policy/registry.ts";
import type { SeamName } from "../policy/seams.ts";
import type { Bench, Measurable, Suite } from "./bench.ts";
import { elapsedNs } from "./child.ts";
import { runGuest } from "./guest.ts";
import { interleave } from "./interleave.ts";
import { statsOf } from "./machine-stats.ts";
import type { BenchPaths } from "./paths.ts";
import { makeRow, type Row } from "./row.ts";
import type { Spread } from "./statistics.ts";

interface Workload {
  readonly group: string;
  readonly seam: SeamName;
  readonly harts: number;
  readonly program: string;
  readonly args: readonly (string | number)[];
  /** What the rate counts. */
  readonly operations: number;
  /** Counters shown per operation. */
  readonly counters: readonly string[];
}

const LAZY_COUNTERS = ["mm_count_atomics", "shoot_lazies_ipi_sent", "unlazy_in_flush", "hazard_scan_cpus"];
const FLUSH_COUNTERS = ["ipi_sent", "tlbi_broadcast", "nr_tlb_local_flush_all", "tlb_miss"];
// A second and more: in the first half second V8 is still compiling the kernel, and every policy is as slow.
const TURNS = 120_000;
const CHILDREN = 1_200;
const FLUSH_ROUNDS = 12_000;
const PAGE_BY_PAGE_ROUNDS = 600;

/** Each thread gives back all its pages by one call a round. */
function range(harts: number, pages: number): Workload {
  const rounds = Math.ceil(FLUSH_ROUNDS / Math.max(1, pages / 8));
  return {
    group: `tlb_flush ${pages} page${pages === 1 ? "" : "s"}, ${harts} harts`,
    seam: "tlb-flush",
    harts,
    program: "tlb-flush",
    args: [harts, pages, rounds, "range"],
    operations: harts * rounds,
    counters: FLUSH_COUNTERS,
  };
}

const WORKLOADS: readonly Workload[] = [
  {
    group: "ctxsw_idle, 2 harts",
    seam: "lazy-tlb",
    harts: 2,
    program: "ctxsw-idle",
    args: [1, TURNS],
    operations: TURNS,
    counters: LAZY_COUNTERS,
  },
  ...[1, 4].map(
    (threads): Workload => ({
      group: `fork_exit_storm ${threads} thread${threads === 1 ? "" : "s"}, 4 harts`,
      seam: "lazy-tlb",
      harts: 4,
      program: "fork-exit-storm",
      args: [CHILDREN, 4, threads],
      operations: CHILDREN,
      counters: LAZY_COUNTERS,
    }),
  ),
  ...[1, 8, 33, 64, 512].map((pages) => range(2, pages)),
  range(4, 8),
  {
    group: "tlb_flush page by page, 2 harts",
    seam: "tlb-flush",
    harts: 2,
    program: "tlb-flush",
    args: [2, 32, PAGE_BY_PAGE_ROUNDS, "page"],
    operations: 2 * 32 * PAGE_BY_PAGE_ROUNDS,
    counters: FLUSH_COUNTERS,
  },
  {
    group: "fork_exit_storm 4 threads, 4 harts, by mask",
    seam: "cpumask",
    harts: 4,
    program: "fork-exit-storm",
    args: [CHILDREN, 4, 4],
    operations: CHILDREN,
    counters: ["ipi_sent", "ipi_useless", "tlb_flush_deferred"],
  },
];

export const policySuite: Suite = {
  name: "policies",
  measurables: WORKLOADS.map(
    (workload): Measurable => ({
      group: workload.group,
      names: namesOf(workload.seam),
      measure: (bench) => measure(bench, workload),
    }),
  ),
  summarize: (rows) => [...new Set(rows.map(({ group }) => group))].map((group) => winnerOf(group, rows)),
};

/** The default first: it is what the others are compared with. */
function namesOf(seam: SeamName): string[] {
  const { standard } = SEAMS[seam];
  const others = POLICIES.filter((entry) => entry.seam === seam && entry.name !== standard).map(({ name }) => name);
  return [standard, ...others];
}

async function measure({ paths, repeats }: Bench, workload: Workload): Promise<Row[]> {
  const names = namesOf(workload.seam);
  const notes = names.map(() => "");
  const samples = await interleave(
    repeats,
    names.map((name, index) => async () => {
      const { perSecond, note } = await runOnce(paths, workload, name);
      notes[index] = note;
      return perSecond;
    }),
  );
  return names.map((name, index) =>
    makeRow({ group: workload.group, name, unit: "k/s" }, samples[index], {
      baseline: index === 0 ? null : { name: names[0], samples: samples[0] },
      note: notes[index] === "" ? undefined : notes[index],
    }),
  );
}

async function runOnce(paths: BenchPaths, workload: Workload, policy: string) {
  const { seam, harts, program, args, operations, counters } = workload;
  let stdout = "";
  const stats = await statsOf(async (file) => {
    const options = ["--harts", `${harts}`, "--policy", `${seam}=${policy}`, "--json", file];
    ({ stdout } = await runGuest(paths, options, program, [...args.map(String), "--time"]));
  });
  const shown = counters
    .map((name) => ({ name, each: stats.total[name] / operations }))
    .filter(({ each }) => each >= 0.001)
    .map(({ name, each }) => `${name} ${each.toFixed(2)}`);
  return { perSecond: (operations * 1e6) / elapsedNs(stdout), note: shown.join(", ") };
}

/**
 * Rates: more is better. The note names the policy that leads the default by most, turn by turn, unless it was slower
 * in one of the turns: then the difference is noise.
 */
function winnerOf(group: string, rows: readonly Row[]): Row {
  const [standard, ...others] = rows.filter((row) => row.group === group);
  const leads = others.filter(({ ratio }) => ratio !== null && ratio.min > 1);
  const best = leads.reduce((winner, row) => (leadOf(row) > leadOf(winner) ? row : winner), standard);
  const lead = best.ratio === null ? "" : ` of ${standard.name}, ${rangeOf(best.ratio)}`;
  const note = lead === "" ? `${standard.name}, the default` : `${best.name}, ${leadOf(best).toFixed(2)}${lead}`;
  return { ...best, group: "winners", name: group, baseline: null, ratio: null, note };
}

function leadOf({ ratio }: Row): number {
  return ratio?.median ?? 1;
}

function rangeOf({ min, max }: Spread): string {
  return `${min.toFixed(2)} to ${max.toFixed(2)}`;
}
