// The rows of the mutation table, each with the scenario that shows it and the policies under which it does, and what
// spreads searches over workers: shared by the commands that go through all of them.

import type { ExplorePool } from "../../machine/explore.ts";
import { MUTATION_TABLE } from "../../memory/mutation.ts";
import type { ExploreJob, JobResult } from "../../simulate/job.ts";
import type { PolicyChoice } from "../../simulate/laboratory.ts";
import type { Scenario } from "../../simulate/scenario.ts";
import { SCENARIOS } from "../../simulate/scenarios/all.ts";
import { type ExploreFlags, STRATEGY_DEFAULT } from "./explore-flags.ts";

/** Where the mistake is the combination itself, the control is the combination that is right. */
const CONTROL_POLICIES: Readonly<Record<string, PolicyChoice>> = { "A-M5": { cpumask: "exact" } };

export interface Row {
  readonly mutation: string;
  readonly mistake: string;
  /** "" if no scenario shows it. */
  readonly scenario: string;
  readonly policies: PolicyChoice;
  /** Of the scenario. */
  readonly search?: Scenario["search"];
  /** Under which the same scenario must not be accused. */
  readonly controlPolicies: PolicyChoice;
}

export function rowsOf(families: readonly string[]): Row[] {
  return MUTATION_TABLE.filter(({ id }) => families.includes(id.split("-")[0])).map(({ id, mistake }) => {
    const scenario = SCENARIOS.find(({ finds }) => id in finds);
    const policies = { ...scenario?.policies, ...scenario?.finds[id] };
    const controlPolicies = { ...policies, ...CONTROL_POLICIES[id] };
    return {
      mutation: id,
      mistake,
      scenario: scenario?.name ?? "",
      policies,
      search: scenario?.search,
      controlPolicies,
    };
  });
}

/** The search for a row's mutation, as the flags say, or the scenario if they leave the strategy open. */
export function jobOf({ scenario, policies, mutation, search }: Row, flags: ExploreFlags): ExploreJob {
  const { seed, schedules, inject } = flags;
  const { strategy, depth } = flags.strategy === STRATEGY_DEFAULT && search !== undefined ? search : flags;
  return { scenario, policies, mutation, strategy, depth, seed, injects: inject, first: 0, step: 1, schedules };
}

/** Each worker takes the next one as soon as it is free. */
export async function spread<Item>(
  pool: ExplorePool,
  items: readonly Item[],
  work: (worker: number, item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const serve = async (worker: number) => {
    while (next < items.length) await work(worker, items[next++]);
  };
  await Promise.all(Array.from({ length: pool.size }, (_, worker) => serve(worker)));
}

export function runOn(pool: ExplorePool, worker: number, job: ExploreJob): Promise<JobResult> {
  return pool.runOn(worker, { job, stop: new SharedArrayBuffer(4) }, () => {});
}
