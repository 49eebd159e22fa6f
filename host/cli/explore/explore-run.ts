// What `pagewalk explore` does once its options are read.

import { readFile, writeFile } from "node:fs/promises";
import { compileCore } from "../../machine/core.ts";
import { ConfigError, NotFoundError } from "../../machine/errors.ts";
import { ExplorePool } from "../../machine/explore.ts";
import { startExploreWorker } from "../../machine/node/explore-workers.ts";
import { readBuildFile } from "../../machine/node/files.ts";
import { MUTATION_TABLE, mutationNumber } from "../../memory/mutation.ts";
import { choosePolicies } from "../../policy/choose.ts";
import type { ExploreJob, Failure, JobProgress, JobResult } from "../../simulate/job.ts";
import { misfitOf, type Scenario } from "../../simulate/scenario.ts";
import { findScenario, SCENARIOS } from "../../simulate/scenarios/all.ts";
import { decodeSchedule, encodeSchedule, type ScheduleFile } from "../../simulate/schedule-file.ts";
import { sayError } from "../failure.ts";
import { Progress } from "../progress.ts";
import { exploreAll } from "./explore-all.ts";
import { exploreControls } from "./explore-controls.ts";
import type { ExploreFlags } from "./explore-flags.ts";
import { findFirstFailing } from "./explore-ladder.ts";
import { exploreMedians } from "./explore-medians.ts";
import { mergeResults, readResults } from "./explore-merge.ts";
import { exploreMode } from "./explore-modes.ts";

const FOUND = 1;

/** `given`: the options that were typed. Returns the exit code. */
export async function exploreCommand(scenario: string, flags: ExploreFlags, given: readonly string[]): Promise<number> {
  const mode = exploreMode(scenario, flags, given);
  switch (mode) {
    case "list":
      return list();
    case "replay":
      return withPool(1, (pool) => replayFile(pool, flags.replay!));
    case "show":
      return withPool(1, (pool) => showSchedule(pool, known(scenario), flags));
    case "merge":
      return merge(flags.merge!, flags.keep);
    case "search":
      return withPool(flags.jobs, (pool) => search(pool, known(scenario), flags));
  }
  const families = knownFamilies(flags.family);
  const explore = { "all --mutations": exploreAll, "all --medians": exploreMedians, "all --controls": exploreControls };
  return withPool(flags.jobs, (pool) => explore[mode](pool, families, flags));
}

/** A family without a scenario would be searched at once and without a report. */
function knownFamilies(list: string): string[] {
  const there = [...new Set(SCENARIOS.map(({ name }) => name.slice(0, name.indexOf("/"))))];
  const families = list.split(",");
  const unknown = families.find((family) => !there.includes(family));
  if (unknown !== undefined) throw new ConfigError(`family "${unknown}": there is ${there.join(", ")}`);
  return families;
}

function list(): number {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  for (const { name, summary, programs, finds } of SCENARIOS) {
    const mutations = Object.keys(finds);
    const what = mutations.length === 0 ? "" : ` (${mutations.join(", ")})`;
    process.stdout.write(`${name.padEnd(width)}  ${programs.length} harts  ${summary}${what}\n`);
  }
  return 0;
}

function known(name: string): Scenario {
  const scenario = findScenario(name);
  if (scenario === undefined) throw new ConfigError(`scenario ${name}: explore --list shows what there is`);
  return scenario;
}

export async function withPool<Result>(jobs: number, use: (pool: ExplorePool) => Promise<Result>): Promise<Result> {
  const core = await compileCore(await readBuildFile("core.wasm"));
  const pool = new ExplorePool(Array.from({ length: Math.max(1, jobs) }, () => startExploreWorker(core)));
  try {
    return await use(pool);
  } finally {
    await pool.dispose();
  }
}

async function search(pool: ExplorePool, scenario: Scenario, flags: ExploreFlags): Promise<number> {
  const job = jobFor(scenario, flags);
  sayNotices(job);
  const progress = new Progress();
  const describe = (reached: JobProgress) =>
    `${reached.schedules} schedules, ${progress.rate(reached.schedules)}/s, ${coverageOf(reached)}`;
  const result = await pool.explore(job, (reached) => progress.show(describe(reached)));
  progress.clear();
  process.stdout.write(`${scenario.name}: ${describe(result)}, ${progress.seconds()} s: ${outcome(result)}\n`);
  if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify({ job, ...result }, null, 2)}\n`);
  if (result.failure === null) return 0;
  await keep(job, result.failure, flags.keep);
  const ladder = await findFirstFailing(pool, job, result.failure);
  if (ladder !== "") process.stdout.write(`${ladder}\n`);
  return FOUND;
}

/** What the flags ask for, in this scenario. */
function jobFor(scenario: Scenario, flags: ExploreFlags): ExploreJob {
  if (flags.mutate !== "" && mutationNumber(flags.mutate) === 0) {
    throw new ConfigError(`mutation ${flags.mutate}: there is ${MUTATION_TABLE.map(({ id }) => id).join(", ")}`);
  }
  const policies = { ...scenario.policies, ...scenario.finds[flags.mutate], ...flags.policy };
  const misfit = misfitOf(scenario, policies);
  if (misfit !== "") throw new ConfigError(misfit);
  return {
    scenario: scenario.name,
    policies,
    mutation: flags.mutate,
    strategy: flags.strategy,
    depth: flags.depth,
    seed: flags.seed,
    first: (flags.shard?.index ?? 1) - 1,
    step: flags.shard?.count ?? 1,
    schedules: flags.schedules,
    injects: flags.inject,
    strongMemory: flags.strongMemory === true,
  };
}

function sayNotices({ policies, mutation }: ExploreJob): void {
  const chosen = choosePolicies(policies, mutation);
  if ("error" in chosen) throw new ConfigError(chosen.error);
  for (const notice of chosen.notices) sayError(`pagewalk: ${notice}\n`);
}

function coverageOf({ sharedWords, pointsReached, pointsSwitched }: JobProgress): string {
  return `${sharedWords} shared words, switches at ${pointsSwitched} of ${pointsReached} points`;
}

async function showSchedule(pool: ExplorePool, scenario: Scenario, flags: ExploreFlags): Promise<number> {
  const job = { ...jobFor(scenario, flags), first: flags.show! };
  const { table, steps, hash, violation } = await pool.show(job, flags.after);
  const verdict = violation === null ? [] : [`${violation.kind}: ${violation.text}`];
  process.stdout.write(`${[...table, ...verdict, `${steps} steps, trace ${hash}`].join("\n")}\n`);
  return violation === null ? 0 : FOUND;
}

function outcome({ failure, isComplete }: Pick<JobResult, "failure" | "isComplete">): string {
  if (failure !== null) return `schedule ${failure.index} is wrong`;
  return isComplete ? "nothing found, and no schedule is left" : "nothing found";
}

/** Prints the failure, and keeps it: what was searched for so long is shown even if its file cannot be written. */
async function keep(job: ExploreJob, failure: Failure, path: string | undefined): Promise<void> {
  const { scenario, policies, mutation, injects, strongMemory, strategy, seed } = job;
  const { index, violation, choices } = failure;
  print(failure);
  const stem = [scenario.replaceAll("/", "-"), mutation, `seed${seed}`].filter((part) => part !== "").join("-");
  const file = path ?? `${stem}.schedule.json`;
  const schedule = { scenario, policies, mutation, injects, strongMemory, strategy, seed, index, violation, choices };
  try {
    await writeFile(file, encodeSchedule(schedule));
  } catch (error) {
    sayError(`pagewalk: the schedule is not kept: ${(error as Error).message}; say --keep FILE\n`);
    return;
  }
  process.stdout.write(`replay: pagewalk explore --replay ${file}\n`);
}

async function merge(files: readonly string[], path: string | undefined): Promise<number> {
  const { job, failure, isComplete, ...reached } = mergeResults(await readResults(files));
  const parts = `${files.length} of ${job.step} shards`;
  process.stdout.write(`${job.scenario}: ${parts}, ${reached.schedules} schedules, ${coverageOf(reached)}: `);
  process.stdout.write(`${outcome({ failure, isComplete })}\n`);
  if (failure === null) return 0;
  await keep(job, failure, path);
  return FOUND;
}

async function replayFile(pool: ExplorePool, file: string): Promise<number> {
  const schedule = await readSchedule(file);
  known(schedule.scenario);
  const failure = await pool.replay(jobOf(schedule), schedule.choices);
  if (failure === null) {
    process.stdout.write(`${schedule.scenario}: the schedule runs without a bug\n`);
    return 0;
  }
  print(failure);
  return FOUND;
}

async function readSchedule(file: string): Promise<ScheduleFile> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new NotFoundError(`${file}: cannot be read`);
  });
  try {
    return decodeSchedule(text);
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
}

function jobOf({ scenario, policies, mutation, injects = [], strongMemory, seed }: ScheduleFile): ExploreJob {
  const unused = { strategy: "random", depth: 0, first: 0, step: 1, schedules: 1 } as const;
  return { scenario, policies, mutation, injects, strongMemory, seed, ...unused };
}

function print({ violation, table }: Failure): void {
  process.stdout.write(`${[...table, `${violation.kind}: ${violation.text}`].join("\n")}\n`);
}
