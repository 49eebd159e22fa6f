// The mutation score, and which mistakes the memory model alone shows.

import { pagewalk } from "../../support/process.ts";
import type { Report } from "../report.ts";
import { runTests } from "../tests.ts";

const FAMILIES = process.env.ACCEPTANCE_FAMILIES ?? "A,B,F";
const SEEDS = process.env.ACCEPTANCE_SEEDS ?? "20";
const MINUTES_MAX = 10;

export async function mutationScore(report: Report): Promise<void> {
  const table = ["explore", "--all", "--family", FAMILIES, "--mutations"];
  const { stdout, status, elapsedMs } = await pagewalk(table, { timeoutMs: 4 * MINUTES_MAX * 60_000 });
  const lines = stdout.toString().trimEnd().split("\n");
  report.note(lines.join("\n"));
  const wrong = lines.filter((line) => / not in \d+ |no scenario|^false report/.test(line));
  report.add(`${lines.at(-1)}`, Math.max(1, lines.length - 2), status === 0 ? [] : wrong);
  const late = elapsedMs < MINUTES_MAX * 60_000 ? [] : [`it took ${(elapsedMs / 60_000).toFixed(1)} minutes`];
  report.add(`done in ${MINUTES_MAX} minutes`, 1, late);
  const medians = ["explore", "--all", "--family", FAMILIES, "--medians", SEEDS];
  const { stdout: rows } = await pagewalk(medians, { timeoutMs: 6 * 3600_000 });
  report.note(rows.toString());
}

export async function barriers(report: Report): Promise<void> {
  await runTests(report, "A-M4, F-M1 under the memory model alone; B-M2 without", [
    "tests/simulate/memory-model.test.ts",
  ]);
}
