// One piece of work for the explorer: some schedules of one scenario under one strategy. A job can be cut into shards
// by giving each every n-th schedule, or that part of the exhaustive search.

import { nameOf } from "../check/names.ts";
import type { Explorer } from "./explorer.ts";
import { BLOCK_BYTES } from "./image.ts";
import type { Injection } from "./injection.ts";
import type { PolicyChoice } from "./laboratory.ts";
import { minimise } from "./minimise.ts";
import { AbortingStrategy } from "./strategy/aborting.ts";
import { ExhaustiveStrategy } from "./strategy/exhaustive.ts";
import { MixedStrategy } from "./strategy/mixed.ts";
import { PctStrategy } from "./strategy/pct.ts";
import { RandomStrategy } from "./strategy/random.ts";
import { ReplayStrategy } from "./strategy/replay.ts";
import { RoundRobinStrategy } from "./strategy/round-robin.ts";
import type { Strategy } from "./strategy.ts";
import { TraceTable } from "./trace-table.ts";
import { MISFIT, type Violation } from "./violation.ts";

export const STRATEGY_NAMES = ["mixed", "random", "pct", "exhaustive", "round-robin"] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

export interface ExploreJob {
  readonly scenario: string;
  /** What differs from the default. */
  readonly policies: PolicyChoice;
  readonly mutation: string;
  readonly strategy: StrategyName;
  /** Of the bugs that PCT looks for; exhaustive: one more than the preemptions. */
  readonly depth: number;
  readonly seed: number;
  /** Schedules first, first + step, ... below `schedules`. */
  readonly first: number;
  readonly step: number;
  readonly schedules: number;
  /** Besides what the scenario injects. */
  readonly injects: readonly Injection[];
  /** Accesses are sequentially consistent, whatever the scenario says. */
  readonly strongMemory?: boolean;
  /** A failing schedule is wanted as it was found: only that there is one matters. */
  readonly isCounting?: boolean;
}

/** One schedule from its beginning to its end. */
export interface Trace {
  readonly table: readonly string[];
  readonly steps: number;
  /** Of the whole table, of which only the end is shown. */
  readonly hash: string;
  readonly violation: Violation | null;
}

export interface Failure {
  readonly index: number;
  readonly violation: Violation;
  readonly choices: readonly number[];
  /** With a column per hart. */
  readonly table: readonly string[];
}

export interface JobProgress {
  readonly schedules: number;
  /** Accesses of all schedules. */
  readonly points: number;
  readonly sharedWords: number;
  /** Where a hart was about to use a word that matters (coverage.ts), and where another one has gone ahead there. */
  readonly pointsReached: number;
  readonly pointsSwitched: number;
}

export interface JobResult extends JobProgress {
  /** The strategy has no schedule left. */
  readonly isComplete: boolean;
  readonly failure: Failure | null;
}

const LOOK_AT_CLOCK_EVERY = 16;
const PROGRESS_MS = 200;

/** `goOn` is told how far it is about five times a second; false ends the job. */
export function runJob(explorer: Explorer, job: ExploreJob, goOn: (progress: JobProgress) => boolean): JobResult {
  const strategy = makeStrategy(job);
  let schedules = 0;
  let points = 0;
  let isComplete = false;
  let reportedMs = performance.now();
  for (let index = job.first; index < job.schedules; index += job.step) {
    if (!explorer.run(strategy, index)) {
      isComplete = true;
      break;
    }
    schedules++;
    points += explorer.points;
    const progress = progressOf(explorer, schedules, points);
    if (explorer.violation !== null)
      return { ...progress, isComplete, failure: failureOf(explorer, index, job.isCounting === true) };
    if (schedules % LOOK_AT_CLOCK_EVERY !== 0 || performance.now() - reportedMs < PROGRESS_MS) continue;
    reportedMs = performance.now();
    if (!goOn(progress)) break;
  }
  return { ...progressOf(explorer, schedules, points), isComplete, failure: null };
}

function progressOf(explorer: Explorer, schedules: number, points: number): JobProgress {
  const { sharedWords, pointsReached, pointsSwitched } = explorer.learned;
  return { schedules, points, sharedWords, pointsReached, pointsSwitched };
}

/** Runs the recorded choices again: null if nothing is wrong with them. Throws if they do not fit. */
export function replay(explorer: Explorer, choices: readonly number[]): Failure | null {
  const { violation, table } = trace(explorer, new ReplayStrategy(choices, true), 0);
  if (violation?.kind === MISFIT) throw new Error(`the schedule is of another kernel or scenario: ${violation.text}`);
  return violation === null ? null : { index: 0, violation, choices, table };
}

/** The job's first schedule. After others that were given up in the middle it must be what it is without them. */
export function show(explorer: Explorer, job: ExploreJob, after: number): Trace {
  const fresh = trace(explorer, makeStrategy(job), job.first);
  if (after === 0) return fresh;
  const choices = [...explorer.choices];
  const memory = explorer.fingerprint();
  const aborting = new AbortingStrategy(job.seed);
  for (let index = 0; index < after; index++) explorer.run(aborting, index);
  const now = explorer.fingerprint();
  const block = memory.findIndex((hash, at) => hash !== now[at]);
  if (block >= 0) throw new Error(`a schedule has left something behind near ${nameOf(block * BLOCK_BYTES)}`);
  return trace(explorer, new ReplayStrategy(choices, true), 0);
}

function trace(explorer: Explorer, strategy: Strategy, index: number): Trace {
  const table = new TraceTable(explorer.lab.shared, explorer.lab.harts.length);
  explorer.recorder = (hart, kind, address) => table.record(hart, kind, address);
  try {
    explorer.run(strategy, index);
  } finally {
    explorer.recorder = null;
  }
  const { violation } = explorer;
  return { table: table.lines(), steps: table.steps, hash: table.hash(), violation };
}

function failureOf(explorer: Explorer, index: number, asItIs: boolean): Failure {
  const { violation } = explorer;
  if (asItIs) return { index, violation: violation!, choices: [...explorer.choices], table: [] };
  const choices = minimise(explorer, [...explorer.choices], violation!.kind);
  const found = replay(explorer, choices);
  if (found === null) throw new Error("a failing schedule did not fail again: the explorer is not deterministic");
  return { ...found, index };
}

function makeStrategy({ strategy, seed, depth, first, step }: ExploreJob): Strategy {
  switch (strategy) {
    case "mixed":
      return new MixedStrategy(seed);
    case "random":
      return new RandomStrategy(seed);
    case "pct":
      return new PctStrategy(seed, depth);
    case "exhaustive":
      return new ExhaustiveStrategy(seed, depth, first % step, step);
    case "round-robin":
      return new RoundRobinStrategy(seed);
  }
}
