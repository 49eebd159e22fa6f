// `pagewalk explore --all --mutations`: every mutation of some families, each in the scenario that shows it, until it
// is caught; and the same scenarios without a mistake, ten times as long, where nothing may be reported.

import { writeFile } from "node:fs/promises";
import type { ExplorePool } from "../../machine/explore.ts";
import type { JobResult } from "../../simulate/job.ts";
import { Progress } from "../progress.ts";
import type { ExploreFlags } from "./explore-flags.ts";
import { jobOf, type Row, rowsOf, runOn, spread } from "./explore-rows.ts";

const CONTROL_FACTOR = 10;
const CONTROL_SCHEDULES_MIN = 100;

interface Search {
  readonly row: Row;
  needed: number;
  caught: boolean;
  /** What the checkers said. */
  said: string;
}

/** Returns the exit code: 0 only if all are caught and no control is accused. */
export async function exploreAll(pool: ExplorePool, families: readonly string[], flags: ExploreFlags): Promise<number> {
  const rows = rowsOf(families);
  const searches: Search[] = rows
    .filter(({ scenario }) => scenario !== "")
    .map((row) => ({ row, needed: 0, caught: false, said: "" }));
  const progress = new Progress();
  let schedules = 0;
  let done = 0;
  const note = (result: JobResult) => {
    schedules += result.schedules;
    done++;
    progress.show(`${done} of ${2 * searches.length} searches, ${schedules} schedules, ${progress.rate(schedules)}/s`);
  };
  await spread(pool, searches, async (worker, search) => {
    const result = await runOn(pool, worker, { ...jobOf(search.row, flags), isCounting: true });
    search.caught = result.failure !== null;
    search.needed = result.schedules;
    search.said = result.failure?.violation.text.split("\n")[0] ?? "nothing";
    note(result);
  });
  const accused: string[] = [];
  await spread(pool, searches, async (worker, { row, caught, needed }) => {
    const count = Math.max(CONTROL_SCHEDULES_MIN, CONTROL_FACTOR * (caught ? needed : 0));
    const control = { ...jobOf(row, flags), policies: row.controlPolicies, mutation: "" };
    const result = await runOn(pool, worker, { ...control, schedules: Math.min(count, flags.schedules) });
    if (result.failure !== null) accused.push(`${row.scenario}: ${result.failure.violation.text}`);
    note(result);
  });
  progress.clear();
  for (const search of searches) process.stdout.write(`${lineOf(search)}\n`);
  for (const { mutation, scenario, mistake } of rows) {
    if (scenario === "") process.stdout.write(`${mutation.padEnd(6)}no scenario shows it yet: ${mistake}\n`);
  }
  for (const line of accused) process.stdout.write(`false report: ${line}\n`);
  const caught = searches.filter((search) => search.caught).length;
  const rate = `${progress.rate(schedules)}/s`;
  if (flags.json !== undefined) {
    const report = { caught, total: rows.length, falseReports: accused, schedules, mutations: searches.map(entryOf) };
    await writeFile(flags.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  process.stdout.write(`${searches.length} searches and their controls: ${progress.seconds()} s, ${rate}\n`);
  process.stdout.write(`caught ${caught}/${rows.length}, false reports ${accused.length}, ${schedules} schedules\n`);
  return caught === rows.length && accused.length === 0 ? 0 : 1;
}

/** For --json. */
function entryOf({ row: { mutation, mistake, scenario, policies }, caught, needed, said }: Search) {
  return { mutation, mistake, scenario, policies, caught, schedules: needed, report: said };
}

function lineOf({ row, needed, caught, said }: Search): string {
  const outcome = caught ? `after ${needed}` : `not in ${needed}`;
  return `${row.mutation.padEnd(6)}${row.scenario.padEnd(26)}${outcome.padEnd(14)}${said}`;
}
