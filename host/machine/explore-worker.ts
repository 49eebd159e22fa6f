// Entry of an explorer worker: all harts of a scenario live in this one thread. The build rewrites the bundle so that
// the kernel in it consists of generators. One explorer is kept, for the scenario, policies and mutation asked for
// last; what it has learned is for the same search alone.

import { Explorer } from "../simulate/explorer.ts";
import { replay, runJob, show } from "../simulate/job.ts";
import { findScenario } from "../simulate/scenarios/all.ts";
import type { ExploreReply, ExploreRequest } from "./explore.ts";
import { makeLaboratory } from "./laboratory.ts";
import { exploreModule, onExploreRequest } from "./node/explore-worker-side.ts";

let explorer: Explorer | null = null;
let explorerKey = "";
let searchKey = "";

onExploreRequest((request, reply) => {
  try {
    reply(serve(request, reply));
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    reply({ kind: "error", error: name, text: message });
  }
});

function serve(request: ExploreRequest, reply: (reply: ExploreReply) => void): ExploreReply {
  const explorerOfNow = explorerFor(request);
  if (request.showAfter !== undefined) {
    return { kind: "shown", trace: show(explorerOfNow, request.job, request.showAfter) };
  }
  if (request.choices !== undefined) return { kind: "replayed", failure: replay(explorerOfNow, request.choices) };
  const stop = new Int32Array(request.stop);
  const result = runJob(explorerOfNow, request.job, (progress) => {
    reply({ kind: "progress", progress });
    return Atomics.load(stop, 0) === 0;
  });
  return { kind: "done", result };
}

function explorerFor({ job }: ExploreRequest): Explorer {
  const key = JSON.stringify([job.scenario, job.policies, job.mutation, job.injects, job.strongMemory]);
  const search = JSON.stringify([job.seed, job.strategy, job.depth]);
  if (explorer !== null && key === explorerKey) {
    if (search !== searchKey) explorer.forgetLearned();
    searchKey = search;
    return explorer;
  }
  const scenario = findScenario(job.scenario);
  if (scenario === undefined) throw new Error(`no scenario ${job.scenario}`);
  const lab = makeLaboratory(exploreModule(), {
    harts: scenario.programs.length,
    policies: job.policies,
    mutation: job.mutation,
    ramBytes: scenario.ramBytes,
    pageWalkCache: scenario.pageWalkCache === true,
    weakMemory: scenario.weakMemory === true && job.strongMemory !== true,
  });
  explorer = new Explorer(scenario, lab, job.injects);
  explorerKey = key;
  searchKey = search;
  return explorer;
}
