// The dear paths of the kernel - processes, hand-overs, copy on write, file faults, swap - beside the native build of
// the same program in the same turns. Each sample is the time of one errand.

import { dirname } from "node:path";
import type { Bench, Measurable, Suite } from "./bench.ts";
import { guestProgram, timeGuest, timeNative } from "./guest.ts";
import { interleavePair } from "./interleave.ts";
import type { BenchPaths } from "./paths.ts";
import { type Goal, makeRow, type Row } from "./row.ts";

const PROGRAM = "kernel-paths";

interface Errand {
  readonly group: string;
  readonly name: string;
  readonly mode: string;
  readonly harts: number;
  readonly rounds: number;
  /** Pages for each round, of 4 KiB or 2 MiB, where the errand is one page's. */
  readonly pages?: number;
  readonly goal?: Goal;
  readonly note?: string;
  /** Has the host no fair counterpart? */
  readonly alone?: boolean;
}

/** A fork, exec and wait of a small static program takes less than this. */
const EXEC_GOAL_US = 2_000;

const ERRANDS: readonly Errand[] = [
  { group: "processes", name: "fork, exit, wait", mode: "fork", harts: 2, rounds: 400 },
  {
    group: "processes",
    name: "fork, exec, wait",
    mode: "exec",
    harts: 2,
    rounds: 200,
    goal: { of: "value", atMost: EXEC_GOAL_US },
  },
  { group: "hand-overs", name: "pipe, there and back", mode: "pipe", harts: 2, rounds: 20_000 },
  { group: "hand-overs", name: "pipe, there and back, 1 hart", mode: "pipe", harts: 1, rounds: 20_000 },
  { group: "hand-overs", name: "context switch", mode: "yield", harts: 1, rounds: 50_000, note: "two for each turn" },
  {
    group: "faults",
    name: "copy on write",
    mode: "cow",
    harts: 1,
    rounds: 40,
    pages: 2048,
    goal: { of: "ratio", atMost: 1 / 1.5 },
  },
  {
    group: "faults",
    name: "page of a file",
    mode: "file",
    harts: 1,
    rounds: 60,
    pages: 2048,
    goal: { of: "ratio", atMost: 1 / 1.5 },
  },
  {
    group: "faults",
    name: "page from swap",
    mode: "swap",
    harts: 1,
    rounds: 10,
    pages: 2048,
    alone: true,
    note: "most hosts have no swap to compare with",
  },
  { group: "huge pages", name: "fault of 2 MiB", mode: "huge", harts: 1, rounds: 10, pages: 32 },
  { group: "huge pages", name: "collapse into 2 MiB", mode: "collapse", harts: 1, rounds: 6, pages: 32 },
];

export const kernelSuite: Suite = {
  name: "kernel",
  measurables: ERRANDS.map(
    (errand): Measurable => ({ group: errand.group, names: [errand.name], measure: (bench) => measure(bench, errand) }),
  ),
  summarize: () => [],
};

async function measure({ paths, repeats, baselines }: Bench, errand: Errand): Promise<Row[]> {
  const { mode, harts, rounds, pages = 1 } = errand;
  const args = [mode, rounds, pages];
  const options = optionsOf(mode, paths);
  const native = errand.alone ? null : baselines.native(PROGRAM);
  const perErrandUs = (ns: number) => ns / (rounds * pages) / 1000;
  const { ours, baseline } = await interleavePair(
    repeats,
    async () => perErrandUs(await timeGuest(paths, harts, PROGRAM, args, options)),
    native === null ? null : async () => perErrandUs(await timeNative(native, args)),
  );
  const row = { group: errand.group, name: errand.name, unit: "us" };
  return [
    makeRow(row, ours, {
      baseline: baseline && { name: "Linux", samples: baseline },
      goal: errand.goal,
      note: errand.note,
    }),
  ];
}

function optionsOf(mode: string, paths: BenchPaths): string[] {
  if (mode === "swap") return ["--swap", "64M"];
  return mode === "exec" ? ["--root", dirname(guestProgram(paths, PROGRAM))] : [];
}
