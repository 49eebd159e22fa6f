// Page faults a second: map, touch each page, unmap, on one hart and on two, each thread in a vma of its own or all in
// one, against the native build of the same program. How much a second core of this host is worth is measured in the
// same turns, by two native processes that share nothing.

import type { Bench, Measurable, Suite } from "./bench.ts";
import { timeGuest, timeNative } from "./guest.ts";
import { interleave, type Measurement } from "./interleave.ts";
import { makeRow, type Row } from "./row.ts";
import { spreadOf } from "./statistics.ts";

const GROUP = "faults";
const PAGES = 64;
const ROUNDS = 12_000;
const NATIVE_ROUNDS = 3_000;
const PAIR_KERNEL = ["mix", 200] as const;
const RATIO_GOAL = { of: "ratio", atLeast: 3 } as const;
const SCALING_GOAL = { of: "value", atLeast: 1.7 } as const;

type Sharing = "own" | "shared";

export const faultSuite: Suite = {
  name: "faults",
  measurables: (["own", "shared"] as const).map(
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
  return sharing === "own" ? "own vmas" : "one vma";
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
  const pair = baselines.native("compute");
  const [one, two, nativeOne, nativeTwo, cores] = await interleave(repeats, [
    guest(1),
    guest(2),
    ...native(1),
    ...native(2),
    ...(pair === null ? [] : [() => coresOfPair(pair)]),
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

/** Two harts cannot be twice as fast where two processes are not: the scaling is scaled to a whole second core. */
function scalingRows(sharing: Sharing, one: number[], two: number[], cores: number[] | undefined): Row[] {
  const raw = two.map((rate, index) => rate / one[index]);
  const calibrated = cores === undefined ? raw : raw.map((factor, index) => (factor * 2) / cores[index]);
  const name = `2 harts against 1, ${vmas(sharing)}`;
  const measured = `${spreadOf(raw).median.toFixed(2)} as measured`;
  const note =
    cores === undefined
      ? `${measured}; no native program to calibrate by`
      : `${measured}, here scaled to two whole cores`;
  const scaling = makeRow({ group: GROUP, name, unit: "x" }, calibrated, {
    goal: sharing === "own" ? SCALING_GOAL : undefined,
    note,
  });
  if (cores === undefined) return [scaling];
  const calibration = makeRow({ group: GROUP, name: `second core, ${vmas(sharing)}`, unit: "cores" }, cores, {
    note: "what two native processes at once get done, in processes alone",
  });
  return [scaling, calibration];
}

async function coresOfPair(compute: string): Promise<number> {
  const alone = await timeNative(compute, PAIR_KERNEL);
  const together = await Promise.all([timeNative(compute, PAIR_KERNEL), timeNative(compute, PAIR_KERNEL)]);
  return together.reduce((sum, ns) => sum + alone / ns, 0);
}
