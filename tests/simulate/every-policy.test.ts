// Every scenario under every policy of what it is about, but those that it excludes: a few schedules, of which the
// checkers say nothing. A scenario that would accuse a policy of what is not its mistake says so by `onlyFor`.

import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { ExplorePool, type ExploreReply, type ExploreWorker } from "../../host/machine/explore.ts";
import { choosePolicies } from "../../host/policy/choose.ts";
import { POLICIES } from "../../host/policy/registry.ts";
import type { SeamName } from "../../host/policy/seams.ts";
import type { ExploreJob } from "../../host/simulate/job.ts";
import { misfitOf } from "../../host/simulate/scenario.ts";
import { SCENARIOS } from "../../host/simulate/scenarios/all.ts";
import { BUILD } from "../support/paths.ts";

const TIMEOUT_MS = 400_000;
const SCHEDULES = 10;
/** By family. */
const SEAMS: Readonly<Record<string, readonly SeamName[]>> = {
  "A/": ["lazy-tlb"],
  "B/": ["tlb-flush"],
  "D/": ["vma-lock"],
  "F/": ["lazy-tlb"],
};

/** As machine/node/explore-workers.ts, but with the built worker. */
function startWorker(): ExploreWorker {
  const core = new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`));
  const worker = new Worker(`${BUILD}/explore-worker.js`, { workerData: { core }, execArgv: [] });
  let onReply: (reply: ExploreReply) => void = () => {};
  worker.on("message", (reply: ExploreReply) => onReply(reply));
  worker.on("error", ({ name, message }) => onReply({ kind: "error", error: name, text: message }));
  return {
    request(request, listener) {
      onReply = listener;
      worker.postMessage(request);
    },
    async terminate() {
      await worker.terminate();
    },
  };
}

function jobsOf(family: string): ExploreJob[] {
  const choices = SCENARIOS.filter(({ name }) => name.startsWith(family)).flatMap((scenario) =>
    POLICIES.filter(({ seam }) => SEAMS[family].includes(seam)).map(({ seam, name }) => ({
      scenario,
      policies: { ...scenario.policies, [seam]: name },
    })),
  );
  return choices
    .filter(({ scenario, policies }) => misfitOf(scenario, policies) === "" && !("error" in choosePolicies(policies)))
    .map(({ scenario: { name }, policies }) => ({
      scenario: name,
      policies,
      mutation: "",
      strategy: "mixed",
      depth: 3,
      seed: 1,
      first: 0,
      step: 1,
      schedules: SCHEDULES,
      injects: [],
      isCounting: true,
    }));
}

test.each(Object.keys(SEAMS))(
  "no scenario of %s accuses a policy of its seam",
  async (family) => {
    const pool = new ExplorePool([startWorker()]);
    const reports: string[] = [];
    for (const job of jobsOf(family)) {
      const { failure } = await pool.explore(job);
      const { scenario, policies } = job;
      if (failure !== null) reports.push(`${scenario} ${JSON.stringify(policies)}: ${failure.violation.text}`);
    }
    await pool.dispose();
    expect(reports).toEqual([]);
  },
  TIMEOUT_MS,
);
