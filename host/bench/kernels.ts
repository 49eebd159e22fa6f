// Guest instructions a second on the compute kernels, against qemu-riscv64 running the same ELF. The cost of a repeat
// is the difference between a long and a short run, each timed by the guest's own clock, divided by the difference of
// their repeats: start, translation and V8's compilation fall out, on both sides alike.

import type { Bench, Measurable } from "./bench.ts";
import { runGuest, timeGuest, timeQemu } from "./guest.ts";
import { interleavePair } from "./interleave.ts";
import { statsOf } from "./machine-stats.ts";
import { makeRow, type Row } from "./row.ts";
import { geometricMean } from "./statistics.ts";

const GROUP = "kernels";
/** Short runs have this part of the repeats of the long ones. */
const SHORT = 1 / 4;
/** A busy host may make a short run take longer than a long one: then both are run again, so often. */
const ATTEMPTS = 4;
const MIX = "mix";
const RATIO_EACH = 0.12;
const RATIO_GEOMEAN = 0.28;
const MIX_MIPS = 600;

/** Repeats of the long run: about a third of a second in the interpreter, on a quiet host. */
const REPEATS: Readonly<Record<string, number>> = {
  sieve: 60,
  crc32: 80,
  chase: 20,
  memcpy: 100,
  sha256: 48,
  qsort: 16,
  fib: 64,
  calls: 16,
  mix: 64,
};

export const kernelMeasurables: readonly Measurable[] = Object.keys(REPEATS).map((kernel) => ({
  group: GROUP,
  names: [kernel],
  measure: async (bench) => [await measureKernel(bench, kernel)],
}));

/** The geometric mean of the ratios of the eight kernels; the mix has a goal of its own. */
export function kernelGeomean(rows: readonly Row[]): readonly Row[] {
  const kernels = rows.filter(({ group, name, ratio }) => group === GROUP && name !== MIX && ratio !== null);
  if (kernels.length < 2) return [];
  const repeats = Math.min(...kernels.map(({ value }) => value.samples.length));
  const meanOf = (samplesOf: (row: Row) => readonly number[]) =>
    Array.from({ length: repeats }, (_, repeat) => geometricMean(kernels.map((row) => samplesOf(row)[repeat])));
  return [
    makeRow(
      { group: GROUP, name: `geometric mean of ${kernels.length}`, unit: "MIPS" },
      meanOf(({ value }) => value.samples),
      {
        baseline: { name: "qemu-riscv64", samples: meanOf(({ baseline }) => baseline!.value.samples) },
        goal: { of: "ratio", atLeast: RATIO_GEOMEAN },
      },
    ),
  ];
}

async function measureKernel({ paths, repeats, baselines }: Bench, kernel: string): Promise<Row> {
  const long = REPEATS[kernel];
  const short = Math.ceil(long * SHORT);
  const instructions = await instructionsPerRepeat(paths, kernel);
  /** From nanoseconds of both runs to millions of instructions a second. */
  const mips = async (time: (count: number) => Promise<number>) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const shortNs = await time(short);
      const longNs = await time(long);
      if (longNs > shortNs) return (instructions * (long - short) * 1e3) / (longNs - shortNs);
    }
    return Number.NaN;
  };
  const { qemu } = baselines;
  const { ours, baseline } = await interleavePair(
    repeats,
    () => mips((count) => timeGuest(paths, 1, "compute", [kernel, count])),
    qemu === null ? null : () => mips((count) => timeQemu(qemu, paths, "compute", [kernel, count])),
  );
  return makeRow({ group: GROUP, name: kernel, unit: "MIPS" }, ours, {
    baseline: baseline && { name: "qemu-riscv64", samples: baseline },
    goal: kernel === MIX ? { of: "value", atLeast: MIX_MIPS } : { of: "ratio", atLeast: RATIO_EACH },
  });
}

/** Exact and the same in every run: the difference of two counts. */
async function instructionsPerRepeat(paths: Bench["paths"], kernel: string): Promise<number> {
  const count = async (repeats: number) => {
    const { total } = await statsOf((file) =>
      runGuest(paths, ["--harts", "1", "--json", file], "compute", [kernel, `${repeats}`]),
    );
    return total.instret;
  };
  return (await count(2)) - (await count(1));
}
