// Where does a failure of the vma locks come in? The same seed, and as many schedules as it took to find it, under each
// step of the way from a lock beside the vma to records that are reused at once. (A report that shows without the
// newest step too is not that step's: the question that came up about one of syzkaller's.)

import type { ExplorePool } from "../../machine/explore.ts";
import type { ExploreJob, Failure } from "../../simulate/job.ts";
import { misfitOf } from "../../simulate/scenario.ts";
import { findScenario } from "../../simulate/scenarios/all.ts";

/** Steps before the default, refcount-typesafe. */
const STEPS = ["rwsem-external", "rwsem", "refcount"] as const;
const SCHEDULES_MIN = 200;

/** A line that names the first step that fails; "" for scenarios that are not about vma locks. */
export async function findFirstFailing(pool: ExplorePool, job: ExploreJob, failure: Failure): Promise<string> {
  if (!job.scenario.startsWith("D/")) return "";
  const schedules = Math.max(SCHEDULES_MIN, failure.index + 1);
  const said: string[] = [];
  const scenario = findScenario(job.scenario);
  for (const step of STEPS) {
    const policies = { ...job.policies, "vma-lock": step };
    // About the count alone: under the others it would fail by itself.
    if (scenario === undefined || misfitOf(scenario, policies) !== "") continue;
    const again = { ...job, policies, first: 0, step: 1, schedules, isCounting: true };
    const { failure: found } = await pool.explore(again, () => {});
    if (found !== null) {
      said.push(`${step} fails at schedule ${found.index}: ${found.violation.text.split("\n")[0]}`);
      return `vma-lock, seed ${job.seed}, ${schedules} schedules: ${said.join(", ")}\nfirst to fail: ${step}`;
    }
    said.push(`${step} holds`);
  }
  const last = job.policies["vma-lock"] ?? "refcount-typesafe";
  return `vma-lock, seed ${job.seed}, ${schedules} schedules: ${said.join(", ")}\nfirst to fail: ${last}`;
}
