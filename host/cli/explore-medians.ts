// `pagewalk explore --all --medians SEEDS`: how many schedules each strategy needs until it finds a mutation, as the
// median over so many seeds. Prints a table in Markdown.

import type { ExplorePool } from "../machine/explore.ts";
import type { StrategyName } from "../simulate/job.ts";
import type { ExploreFlags } from "./explore.ts";
import { jobOf, type Row, rowsOf, runOn, spread } from "./explore-rows.ts";
import { Progress } from "./progress.ts";

const STRATEGIES: readonly StrategyName[] = ["random", "pct", "mixed", "exhaustive"];

interface Trial {
  readonly row: Row;
  readonly strategy: StrategyName;
  readonly seed: number;
  /** Infinity: not within the limit. */
  needed: number;
}

export async function exploreMedians(pool: ExplorePool, families: readonly string[], flags: ExploreFlags) {
  const rows = rowsOf(families).filter(({ scenario }) => scenario !== "");
  const trials: Trial[] = [];
  for (const row of rows) {
    for (const strategy of STRATEGIES) {
      for (let seed = 1; seed <= flags.medians!; seed++) trials.push({ row, strategy, seed, needed: 0 });
    }
  }
  const progress = new Progress();
  let done = 0;
  await spread(pool, trials, async (worker, trial) => {
    const { row, strategy, seed } = trial;
    const { schedules, failure } = await runOn(pool, worker, {
      ...jobOf(row, flags),
      strategy,
      depth: flags.depth,
      seed,
      isCounting: true,
    });
    trial.needed = failure === null ? Number.POSITIVE_INFINITY : schedules;
    progress.show(`${++done} of ${trials.length} searches`);
  });
  progress.clear();
  const lines = [
    `| mutation | scenario | ${STRATEGIES.join(" | ")} |`,
    `|---|---|${STRATEGIES.map(() => "--:|").join("")}`,
  ];
  for (const row of rows) {
    const cells = STRATEGIES.map((strategy) => {
      const mine = trials.filter((trial) => trial.row === row && trial.strategy === strategy);
      return cellOf(mine.map(({ needed }) => needed));
    });
    lines.push(`| ${row.mutation} | \`${row.scenario}\` | ${cells.join(" | ")} |`);
  }
  const limits = `median of ${flags.medians} seeds, at most ${flags.schedules} schedules, depth ${flags.depth}`;
  process.stdout.write(`${[...lines, "", `${limits}; ${progress.seconds()} s`].join("\n")}\n`);
  return 0;
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
