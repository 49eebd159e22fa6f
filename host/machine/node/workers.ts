// The main thread's end of worker_threads: one worker for each hart.
//
// A worker takes Node longer to start than a short program runs. Whoever knows early that there will be a machine
// starts a spare one, which loads the kernel meanwhile; the first hart gets it.

import { availableParallelism } from "node:os";
import { SHARE_ENV, Worker } from "node:worker_threads";
import type { WorkerData } from "../worker-data.ts";

export interface HartWorker {
  terminate(): Promise<void>;
}

interface StartedWorker {
  readonly worker: Worker;
  /** Resolves when the worker has ended: what it died of, or null. */
  readonly ended: Promise<Error | null>;
}

let spare: StartedWorker | null = null;

/** For a process that will run one machine: it can exit while the worker starts, but not end by itself. */
export function startSpareWorker(): void {
  try {
    spare ??= newWorker(null);
  } catch {
    // The host is out of threads or memory: whoever asks for a worker is told.
  }
}

/** `onDeath` is told once, when the worker has ended for whatever reason; `error` is what it died of, or null. */
export function startWorker(data: WorkerData, onDeath: (error: Error | null) => void): HartWorker {
  const { worker, ended } = spare ?? newWorker(data);
  if (spare !== null) worker.postMessage(data);
  spare = null;
  void ended.then(onDeath);
  return {
    async terminate() {
      await worker.terminate();
    },
  };
}

/** `data` null: the worker waits for it in a message. */
function newWorker(data: WorkerData | null): StartedWorker {
  const worker = new Worker(new URL("./worker.entry.cjs", import.meta.url), {
    workerData: data,
    env: SHARE_ENV,
    execArgv: [],
    // A hart returns only at the end of the machine, so its stdio, which goes through the event loop, is of no use.
    // Left alone, Node pipes it to the process's: that loads its stream code, and of eleven pipes it warns aloud.
    stdout: true,
    stderr: true,
    resourceLimits: { maxYoungGenerationSizeMb: 2 }, // the kernel makes little garbage: 3 MiB less for each hart
    name: `hart ${data?.hartId ?? 0}`,
  });
  const ended = new Promise<Error | null>((resolve) => {
    let failure: Error | null = null;
    worker.on("error", (error) => {
      failure = error;
    });
    worker.on("exit", () => resolve(failure));
  });
  return { worker, ended };
}

/** Processors that this process may use. */
export function processorCount(): number {
  return availableParallelism();
}
