// A hundred failing schedules, replayed here and in a fresh clone, give the same report to the byte; a schedule after a
// thousand aborted ones gives the trace of a fresh process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MUTATION_TABLE } from "../../../host/memory/mutation.ts";
import { SCENARIOS } from "../../../host/simulate/scenarios/all.ts";
import { pagewalk } from "../../support/process.ts";
import { clone, inClone } from "../clones.ts";
import type { Report } from "../report.ts";
import { runTests } from "../tests.ts";

const SCHEDULES = Number(process.env.ACCEPTANCE_RUNS ?? 100);
const FAMILIES = /^[ABF]-/;

export async function replays(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "acceptance-"));
  try {
    const other = await clone(report, directory, "pagewalk");
    const failures: string[] = [];
    for (let i = 0; i < SCHEDULES; i++) {
      const problem = await replayed(i, directory, other);
      if (problem !== "") failures.push(problem);
    }
    report.add(
      "failing schedules: the search's report, its replay, and its replay in a fresh clone",
      SCHEDULES,
      failures,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  await runTests(report, "schedules after 1,000 aborted ones", ["tests/simulate/aborted.test.ts"]);
}

const FOUND = MUTATION_TABLE.flatMap(({ id }) => {
  const scenario = SCENARIOS.find(({ finds }) => id in finds);
  return scenario === undefined || !FAMILIES.test(id) ? [] : [{ id, scenario: scenario.name }];
});

/** "" if all three reports are the same. */
async function replayed(number: number, directory: string, other: string): Promise<string> {
  const { id, scenario } = FOUND[number % FOUND.length];
  const seed = `${1 + Math.floor(number / FOUND.length)}`;
  const file = join(directory, `${number}.json`);
  const search = ["explore", scenario, "--mutate", id, "--seed", seed, "--jobs", "1", "--keep", file];
  const found = await pagewalk(search, { timeoutMs: 600_000 });
  if (found.status !== 1) return `${search.join(" ")}: exit code ${found.status}`;
  const report = found.stdout.toString().trimEnd().split("\n").slice(1, -1).join("\n");
  const here = await pagewalk(["explore", "--replay", file]);
  const there = await inClone(other, process.execPath, ["build/pagewalk.cjs", "explore", "--replay", file]);
  const same = [here, there].every(({ stdout }) => stdout.toString().trimEnd() === report);
  return same ? "" : `${search.join(" ")}: a replay says something else`;
}
