// The main thread's end of worker_threads: one worker for each hart.

import { availableParallelism } from "node:os";
import { SHARE_ENV, Worker } from "node:worker_threads";
import type { WorkerData } from "../worker-data.ts";

export interface HartWorker {
  terminate(): Promise<void>;
}

/** `onDeath` is told once, when the worker has ended for whatever reason; `error` is what it died of, or null. */
export function startWorker(data: WorkerData, onDeath: (error: Error | null) => void): HartWorker {
  // That bundle has the schedule points, and the mutations.
  const kind = data.dieInLock === null && !data.mutated ? data.driver : "deterministic";
  // A policy module is imported, which a script from the compile cache cannot do.
  const file = kind === "threaded" && data.policyModule === "" ? "entry" : kind;
  const bundle = new URL(`./worker.${file}.cjs`, import.meta.url);
  // A hart returns only at the end of the machine, so its stdio, which goes through the event loop, is of no use.
  const worker = new Worker(bundle, {
    workerData: data,
    env: SHARE_ENV,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 2 }, // the kernel makes little garbage: 3 MiB less for each hart
    name: `hart ${data.hartId}`,
  });
  let failure: Error | null = null;
  worker.on("error", (error) => {
    failure = error;
  });
  worker.on("exit", () => onDeath(failure));
  return {
    async terminate() {
      await worker.terminate();
    },
  };
}

/** Processors that this process may use. */
export function processorCount(): number {
  return availableParallelism();
}
