// `pagewalk explore --all --medians SEEDS`: how many schedules each strategy needs until it finds a mutation, as the
// median over so many seeds. Prints a table in Markdown. With --log it goes on where the log ends.

import type { ExplorePool } from "../../machine/explore.ts";
import type { ExploreJob, StrategyName } from "../../simulate/job.ts";
import { Progress } from "../progress.ts";
import type { ExploreFlags } from "./explore-flags.ts";
import { addToLog, type LogLine, readLog } from "./explore-log.ts";
import { jobOf, type Row, rowsOf, runOn, spread } from "./explore-rows.ts";

const STRATEGIES: readonly StrategyName[] = ["random", "pct", "mixed", "exhaustive"];

interface Trial {
  readonly row: Row;
  readonly job: ExploreJob;
  readonly key: string;
}

interface Done extends LogLine {
  /** Null: not within the limit. */
  readonly needed: number | null;
}

export async function exploreMedians(pool: ExplorePool, families: readonly string[], flags: ExploreFlags) {
  const rows = rowsOf(families).filter(({ scenario }) => scenario !== "");
  const trials = rows.flatMap((row) => trialsOf(row, flags));
  const { log } = flags;
  const done = log === undefined ? new Map<string, Done>() : await readLog<Done>(log, new Set(trials.map(keyOf)));
  const progress = new Progress();
  const wanted = trials.filter(({ key }) => !done.has(key));
  await spread(pool, wanted, async (worker, { job, key }) => {
    const { schedules, failure } = await runOn(pool, worker, job);
    const line: Done = { key, needed: failure === null ? null : schedules };
    done.set(key, line);
    if (log !== undefined) await addToLog(log, line);
    progress.show(`${done.size} of ${trials.length} searches`);
  });
  progress.clear();
  const lines = [
    `| mutation | scenario | ${STRATEGIES.join(" | ")} |`,
    `|---|---|${STRATEGIES.map(() => "--:|").join("")}`,
  ];
  for (const row of rows) {
    const cells = STRATEGIES.map((strategy) => {
      const mine = trials.filter((trial) => trial.row === row && trial.job.strategy === strategy);
      return cellOf(mine.map(({ key }) => done.get(key)?.needed ?? Number.POSITIVE_INFINITY));
    });
    lines.push(`| ${row.mutation} | \`${row.scenario}\` | ${cells.join(" | ")} |`);
  }
  const limits = `median of ${flags.medians} seeds, at most ${flags.schedules} schedules, depth ${flags.depth}`;
  process.stdout.write(`${[...lines, "", `${limits}; ${progress.seconds()} s`].join("\n")}\n`);
  return 0;
}

/** Each strategy with each seed. */
function trialsOf(row: Row, flags: ExploreFlags): Trial[] {
  const { depth, schedules } = flags;
  return STRATEGIES.flatMap((strategy) =>
    Array.from({ length: flags.medians! }, (_, index): Trial => {
      const job = { ...jobOf(row, flags), strategy, depth, seed: index + 1, isCounting: true };
      const policies = JSON.stringify(job.policies);
      const search = `${strategy} depth ${depth} seed ${job.seed} in ${schedules}`;
      return { row, job, key: `${row.mutation} ${row.scenario} ${policies} ${search}` };
    }),
  );
}

function keyOf({ key }: Trial): string {
  return key;
}

/** The median; how many seeds found nothing, if some did not. */
function cellOf(needed: number[]): string {
  needed.sort((a, b) => a - b);
  const missed = needed.filter((count) => count === Number.POSITIVE_INFINITY).length;
  const upper = needed[needed.length >>> 1];
  const median = Math.round((needed[(needed.length - 1) >>> 1] + upper) / 2);
  if (upper === Number.POSITIVE_INFINITY) return `- (${needed.length - missed}/${needed.length})`;
  return missed === 0 ? `${median}` : `${median} (${needed.length - missed}/${needed.length})`;
}
