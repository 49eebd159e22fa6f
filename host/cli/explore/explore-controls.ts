// `pagewalk explore --all --controls N --log FILE`: N schedules of every scenario, under each choice of policies that
// the mutation table runs it with, and without a mistake: nothing may be reported. Long, so it goes on where its log
// ends, and can be cut into shards; logs of shards are added up by writing them into one file and running it again.

import type { ExplorePool } from "../../machine/explore.ts";
import type { ExploreJob } from "../../simulate/job.ts";
import { SCENARIOS } from "../../simulate/scenarios/all.ts";
import { Progress } from "../progress.ts";
import type { ExploreFlags } from "./explore-flags.ts";
import { addToLog, type LogLine, readLog } from "./explore-log.ts";
import { jobOf, type Row, rowsOf, runOn, spread } from "./explore-rows.ts";

/** A line of the log is so many schedules. */
const PIECE_SCHEDULES = 500;

interface Piece {
  readonly key: string;
  readonly job: ExploreJob;
}

interface Done extends LogLine {
  readonly schedules: number;
  /** What was wrong, or "". */
  readonly report: string;
}

/** Returns the exit code: 0 only if all pieces are done and nothing was reported. */
export async function exploreControls(pool: ExplorePool, families: readonly string[], flags: ExploreFlags) {
  const pieces = piecesOf(families, flags);
  const log = flags.log ?? "explore-controls.log";
  const done = await readLog<Done>(log, new Set(pieces.map(({ key }) => key)));
  const { index, count } = flags.shard ?? { index: 1, count: 1 };
  const wanted = pieces.filter(({ key }, at) => at % count === index - 1 && !done.has(key));
  const progress = new Progress();
  let schedules = 0;
  await spread(pool, wanted, async (worker, { key, job }) => {
    const result = await runOn(pool, worker, job);
    const report = result.failure === null ? "" : `${result.failure.violation.kind}: ${result.failure.violation.text}`;
    const line: Done = { key, schedules: result.schedules, report };
    done.set(key, line);
    await addToLog(log, line);
    schedules += result.schedules;
    progress.show(`${done.size} of ${pieces.length} pieces, ${progress.rate(schedules)}/s`);
  });
  progress.clear();
  const reports = [...done.values()].filter(({ report }) => report !== "");
  for (const { key, report } of reports) process.stdout.write(`false report: ${key}: ${report.split("\n")[0]}\n`);
  const total = [...done.values()].reduce((sum, line) => sum + line.schedules, 0);
  const parts = `${done.size} of ${pieces.length} pieces`;
  process.stdout.write(`controls: ${parts}, ${total} schedules, false reports ${reports.length}\n`);
  return done.size === pieces.length && reports.length === 0 ? 0 : 1;
}

/** Round by round over all scenarios, so that a run that is cut short has looked at each. */
function piecesOf(families: readonly string[], flags: ExploreFlags): Piece[] {
  const jobs = new Map<string, ExploreJob>();
  const add = (row: Row) => {
    const job = { ...jobOf(row, flags), policies: row.controlPolicies, mutation: "" };
    jobs.set(`${job.scenario} ${JSON.stringify(job.policies)} ${job.strategy} seed ${job.seed}`, job);
  };
  for (const row of rowsOf(families)) if (row.scenario !== "") add(row);
  for (const { name, policies = {} } of SCENARIOS) {
    if (!families.includes(name.split("/")[0])) continue;
    add({ mutation: "", mistake: "", scenario: name, policies, controlPolicies: policies });
  }
  const pieces: Piece[] = [];
  for (let first = 0; first < flags.controls!; first += PIECE_SCHEDULES) {
    const schedules = first + PIECE_SCHEDULES;
    for (const [name, job] of jobs) pieces.push({ key: `${name} from ${first}`, job: { ...job, first, schedules } });
  }
  return pieces;
}
