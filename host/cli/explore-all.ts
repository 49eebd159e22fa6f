// `pagewalk explore --all --mutations`: every mutation of some families, each in the scenario that shows it, until it
// is caught; and the same scenarios without a mistake, ten times as long, where nothing may be reported.

import type { ExplorePool } from "../machine/explore.ts";
import { MUTATION_TABLE } from "../memory/mutation.ts";
import type { ExploreJob, JobResult } from "../simulate/job.ts";
import type { PolicyChoice } from "../simulate/laboratory.ts";
import { SCENARIOS } from "../simulate/scenarios/all.ts";
import type { ExploreFlags } from "./explore.ts";
import { Progress } from "./progress.ts";

const CONTROL_FACTOR = 10;
const CONTROL_SCHEDULES_MIN = 100;

/** Where the mistake is the combination itself, the control is the combination that is right. */
const CONTROL_POLICIES: Readonly<Record<string, PolicyChoice>> = { "A-M5": { cpumask: "exact" } };

interface Row {
  readonly mutation: string;
  readonly job: ExploreJob;
  needed: number;
  caught: boolean;
  /** What the checkers said, or what the control was accused of. */
  said: string;
}

/** Returns the exit code: 0 only if all are caught and no control is accused. */
export async function exploreAll(pool: ExplorePool, families: readonly string[], flags: ExploreFlags): Promise<number> {
  const wanted = MUTATION_TABLE.filter(({ id }) => families.includes(id.split("-")[0]));
  const rows = wanted.flatMap(({ id }) => rowOf(id, flags));
  const without = wanted.filter(({ id }) => !rows.some(({ mutation }) => mutation === id));
  const progress = new Progress();
  let schedules = 0;
  let done = 0;
  const note = (result: JobResult) => {
    schedules += result.schedules;
    done++;
    progress.show(`${done} of ${2 * rows.length} searches, ${schedules} schedules, ${progress.rate(schedules)}/s`);
  };
  await spread(pool, rows, async (worker, row) => {
    const result = await run(pool, worker, row.job);
    row.caught = result.failure !== null;
    row.needed = result.schedules;
    row.said = result.failure?.violation.text.split("\n")[0] ?? "nothing";
    note(result);
  });
  const accused: string[] = [];
  await spread(pool, rows, async (worker, row) => {
    const count = Math.max(CONTROL_SCHEDULES_MIN, CONTROL_FACTOR * (row.caught ? row.needed : 0));
    const policies = { ...row.job.policies, ...CONTROL_POLICIES[row.mutation] };
    const control = { ...row.job, policies, mutation: "", schedules: Math.min(count, flags.schedules) };
    const result = await run(pool, worker, control);
    if (result.failure !== null) accused.push(`${row.job.scenario}: ${result.failure.violation.text}`);
    note(result);
  });
  progress.clear();
  for (const row of rows) process.stdout.write(`${lineOf(row)}\n`);
  for (const { id, mistake } of without) process.stdout.write(`${id.padEnd(6)}no scenario shows it yet: ${mistake}\n`);
  for (const line of accused) process.stdout.write(`false report: ${line}\n`);
  const caught = rows.filter((row) => row.caught).length;
  process.stdout.write(`caught ${caught}/${wanted.length}, false reports ${accused.length}, ${schedules} schedules\n`);
  return caught === wanted.length && accused.length === 0 ? 0 : 1;
}

function rowOf(mutation: string, flags: ExploreFlags): Row[] {
  const scenario = SCENARIOS.find(({ finds }) => mutation in finds);
  if (scenario === undefined) return [];
  const { strategy, depth, seed, schedules } = flags;
  const policies = { ...scenario.policies, ...scenario.finds[mutation] };
  const job = { scenario: scenario.name, policies, mutation, strategy, depth, seed, first: 0, step: 1, schedules };
  return [{ mutation, job, needed: 0, caught: false, said: "" }];
}

/** Each worker takes the next row as soon as it is free. */
async function spread(pool: ExplorePool, rows: readonly Row[], work: (worker: number, row: Row) => Promise<void>) {
  let next = 0;
  const serve = async (worker: number) => {
    while (next < rows.length) await work(worker, rows[next++]);
  };
  await Promise.all(Array.from({ length: pool.size }, (_, worker) => serve(worker)));
}

function run(pool: ExplorePool, worker: number, job: ExploreJob): Promise<JobResult> {
  return pool.runOn(worker, { job, stop: new SharedArrayBuffer(4) }, () => {});
}

function lineOf({ mutation, job, needed, caught, said }: Row): string {
  const outcome = caught ? `after ${needed}` : `not in ${needed}`;
  return `${mutation.padEnd(6)}${job.scenario.padEnd(26)}${outcome.padEnd(14)}${said}`;
}
