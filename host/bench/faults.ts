// Page faults a second: map, touch each page, unmap, on one hart and on two, against the native build of the same
// program; each thread in a vma of its own (neighbours, which share a page table, or far apart) or all in one. How much
// a second core of this host is worth for this work is measured in the same turns, by two machines of one hart that
// share nothing.

import type { Bench, Measurable, Suite } from "./bench.ts";
import { timeGuest, timeNative } from "./guest.ts";
import { interleave, type Measurement } from "./interleave.ts";
import type { BenchPaths } from "./paths.ts";
import { makeRow, type Row } from "./row.ts";
import { spreadOf } from "./statistics.ts";

const GROUP = "faults";
const PAGES = 64;
/** About a second on one hart, after the program's own warm-up. */
const ROUNDS = 40_000;
const NATIVE_ROUNDS = 3_000;
const RATIO_GOAL = { of: "ratio", atLeast: 3 } as const;
const SCALING_GOAL = { of: "value", atLeast: 1.7 } as const;

const SHARINGS = ["own", "apart", "shared"] as const;
type Sharing = (typeof SHARINGS)[number];

export const faultSuite: Suite = {
  name: "faults",
  measurables: SHARINGS.map(
    (sharing): Measurable => ({
      group: GROUP,
      names: [
        rowName(1, sharing),
        rowName(2, sharing),
        `2 harts against 1, ${vmas(sharing)}`,
        `second core, ${vmas(sharing)}`,
      ],
      measure: (bench) => measureSharing(bench, sharing),
    }),
  ),
  summarize: () => [],
};

function vmas(sharing: Sharing): string {
  return { own: "own vmas", apart: "own page tables", shared: "one vma" }[sharing];
}

function rowName(harts: number, sharing: Sharing): string {
  return `${harts} hart${harts === 1 ? "" : "s"}, ${vmas(sharing)}`;
}

async function measureSharing({ paths, repeats, baselines }: Bench, sharing: Sharing): Promise<Row[]> {
  const guest =
    (harts: number): Measurement =>
    async () =>
      perSecond(harts, ROUNDS, await timeGuest(paths, harts, "fault-loop", [harts, PAGES, ROUNDS, sharing]));
  const program = baselines.native("fault-loop");
  const native = (harts: number): Measurement[] =>
    program === null
      ? []
      : [
          async () =>
            perSecond(harts, NATIVE_ROUNDS, await timeNative(program, [harts, PAGES, NATIVE_ROUNDS, sharing])),
        ];
  const [one, two, cores, nativeOne, nativeTwo] = await interleave(repeats, [
    guest(1),
    guest(2),
    () => coresOfPair(paths, sharing),
    ...native(1),
    ...native(2),
  ]);
  const rates = [rateRow(1, sharing, one, nativeOne, sharing === "own"), rateRow(2, sharing, two, nativeTwo, false)];
  return [...rates, ...scalingRows(sharing, one, two, cores)];
}

function perSecond(harts: number, rounds: number, ns: number): number {
  return (harts * PAGES * rounds * 1e9) / ns / 1e6;
}

function rateRow(harts: number, sharing: Sharing, ours: number[], native: number[] | undefined, judged: boolean): Row {
  return makeRow({ group: GROUP, name: rowName(harts, sharing), unit: "M/s" }, ours, {
    baseline: native === undefined ? null : { name: "Linux", samples: native },
    goal: judged ? RATIO_GOAL : undefined,
  });
}

/** Two harts cannot be faster than two machines that share nothing: the scaling is scaled to a whole second core. */
function scalingRows(sharing: Sharing, one: number[], two: number[], cores: number[]): Row[] {
  const raw = two.map((rate, index) => rate / one[index]);
  const calibrated = raw.map((factor, index) => (factor * 2) / cores[index]);
  const scaling = makeRow({ group: GROUP, name: `2 harts against 1, ${vmas(sharing)}`, unit: "x" }, calibrated, {
    goal: sharing === "own" ? SCALING_GOAL : undefined,
    note: `${spreadOf(raw).median.toFixed(2)} as measured, here scaled to two whole cores`,
  });
  const calibration = makeRow({ group: GROUP, name: `second core, ${vmas(sharing)}`, unit: "cores" }, cores, {
    note: "what two machines of one hart at once get done, in machines alone",
  });
  return [scaling, calibration];
}

async function coresOfPair(paths: BenchPaths, sharing: Sharing): Promise<number> {
  const machine = (): Promise<number> => timeGuest(paths, 1, "fault-loop", [1, PAGES, ROUNDS, sharing]);
  const alone = await machine();
  const together = await Promise.all([machine(), machine()]);
  return together.reduce((sum, ns) => sum + alone / ns, 0);
}
