// Litmus tests of the memory model on real workers, through the guest program of the same name.

import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

export interface LitmusRow {
  readonly test: string;
  readonly variant: string;
  readonly rounds: number;
  readonly forbidden: number;
}

export interface LitmusResult {
  readonly status: number;
  readonly rows: readonly LitmusRow[];
}

/** Runs one test or all, one variant or all. `relaxed`: fails with 2 where an allowed reordering never showed. */
export async function runLitmus(harts: number, which: string, rounds: number, relaxed = false): Promise<LitmusResult> {
  const [name, variant = "all"] = which.split(" ");
  const flags = relaxed ? ["--relaxed"] : [];
  const args = ["run", "--harts", `${harts}`, `${PREBUILT}/litmus`, name, variant, `${rounds}`, ...flags];
  const { stdout, status } = await pagewalk(args, { timeoutMs: 1_200_000 });
  const rows = [...stdout.toString().matchAll(/^(\S+)\s+(\S+)\s+(\d+) rounds, forbidden (\d+)/gm)].map((match) => {
    return { test: match[1], variant: match[2], rounds: Number(match[3]), forbidden: Number(match[4]) };
  });
  return { status, rows };
}
