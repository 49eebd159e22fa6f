// `pagewalk explore --merge`: the results of shards, which may have run anywhere, as one.

import { readFile } from "node:fs/promises";
import { ConfigError, NotFoundError } from "../../machine/errors.ts";
import { addProgress } from "../../machine/explore.ts";
import type { ExploreJob, JobResult } from "../../simulate/job.ts";

/** What --json writes. */
export interface ExploreResult extends JobResult {
  readonly job: ExploreJob;
}

/** Throws a ConfigError unless all are shards of one job, each given once. */
export function mergeResults(results: readonly ExploreResult[]): ExploreResult {
  const jobs = new Set(results.map(({ job }) => JSON.stringify({ ...job, first: 0 })));
  if (jobs.size > 1) throw new ConfigError("these results are of different searches: give all shards of one");
  const firsts = new Set(results.map(({ job }) => job.first));
  if (firsts.size < results.length) throw new ConfigError("a shard is given twice");
  const failures = results.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  failures.sort((a, b) => a.index - b.index);
  return {
    job: results[0].job,
    ...addProgress(results),
    isComplete: results.length === results[0].job.step && results.every(({ isComplete }) => isComplete),
    failure: failures[0] ?? null,
  };
}

export async function readResults(files: readonly string[]): Promise<ExploreResult[]> {
  const results: ExploreResult[] = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => {
      throw new NotFoundError(`${file}: cannot be read`);
    });
    results.push(parse(file, text));
  }
  return results;
}

function parse(file: string, text: string): ExploreResult {
  try {
    const result = JSON.parse(text) as ExploreResult;
    if (typeof result.schedules === "number" && typeof result.job?.step === "number") return result;
  } catch {
    // said below
  }
  throw new ConfigError(`${file}: not a result of explore --json`);
}
