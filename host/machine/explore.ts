// Explorers on all cores: a job is cut into shards, one for each worker, or many jobs are handed to whoever is free.

import type { ExploreJob, Failure, JobProgress, JobResult, Trace } from "../simulate/job.ts";

export interface ExploreRequest {
  readonly job: ExploreJob;
  /** Replay these instead of a search. */
  readonly choices?: readonly number[];
  /** Instead of a search, show the job's first schedule, after so many others that are given up in the middle. */
  readonly showAfter?: number;
  /** One word: not 0 ends the job at its next look. */
  readonly stop: SharedArrayBuffer;
}

export type ExploreReply =
  | { readonly kind: "progress"; readonly progress: JobProgress }
  | { readonly kind: "done"; readonly result: JobResult }
  | { readonly kind: "replayed"; readonly failure: Failure | null }
  | { readonly kind: "shown"; readonly trace: Trace }
  | { readonly kind: "error"; readonly error: string; readonly text: string };

export interface ExploreWorker {
  /** One at a time; the last reply is not "progress". */
  request(request: ExploreRequest, onReply: (reply: ExploreReply) => void): void;
  terminate(): Promise<void>;
}

export class ExplorePool {
  readonly #workers: readonly ExploreWorker[];

  constructor(workers: readonly ExploreWorker[]) {
    this.#workers = workers;
  }

  get size(): number {
    return this.#workers.length;
  }

  /** The job on all workers; ends when one has found something. The failure with the lowest number is reported. */
  async explore(job: ExploreJob, onProgress: (progress: JobProgress) => void = () => {}): Promise<JobResult> {
    const stop = new SharedArrayBuffer(4);
    const shards = this.#workers.map((_, i) => {
      return { ...job, first: job.first + i * job.step, step: job.step * this.#workers.length };
    });
    const reached = shards.map(() => NOTHING);
    const results = await Promise.all(
      shards.map((shard, i) =>
        this.runOn(i, { job: shard, stop }, (progress) => {
          reached[i] = progress;
          onProgress(addProgress(reached));
        }).then((result) => {
          if (result.failure !== null) Atomics.store(new Int32Array(stop), 0, 1);
          return result;
        }),
      ),
    );
    const failures = results.flatMap(({ failure }) => (failure === null ? [] : [failure]));
    failures.sort((a, b) => a.index - b.index);
    const isComplete = results.every((result) => result.isComplete);
    return { ...addProgress(results), isComplete, failure: failures[0] ?? null };
  }

  async replay(job: ExploreJob, choices: readonly number[]): Promise<Failure | null> {
    const reply = await this.#ask(0, { job, choices, stop: new SharedArrayBuffer(4) }, () => {});
    if (reply.kind !== "replayed") throw new Error(`an explorer replied ${reply.kind} to a replay`);
    return reply.failure;
  }

  async show(job: ExploreJob, after: number): Promise<Trace> {
    const reply = await this.#ask(0, { job, showAfter: after, stop: new SharedArrayBuffer(4) }, () => {});
    if (reply.kind !== "shown") throw new Error(`an explorer replied ${reply.kind} when asked to show`);
    return reply.trace;
  }

  /** One job on one worker. */
  async runOn(
    worker: number,
    request: ExploreRequest,
    onProgress: (progress: JobProgress) => void,
  ): Promise<JobResult> {
    const reply = await this.#ask(worker, request, onProgress);
    if (reply.kind !== "done") throw new Error(`an explorer replied ${reply.kind} to a job`);
    return reply.result;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #ask(worker: number, request: ExploreRequest, onProgress: (progress: JobProgress) => void): Promise<ExploreReply> {
    return new Promise((resolve, reject) => {
      this.#workers[worker].request(request, (reply) => {
        if (reply.kind === "progress") onProgress(reply.progress);
        else if (reply.kind === "error") reject(Object.assign(new Error(reply.text), { name: reply.error }));
        else resolve(reply);
      });
    });
  }
}

const NOTHING: JobProgress = { schedules: 0, points: 0, sharedWords: 0, pointsReached: 0, pointsSwitched: 0 };

/** Of shards: what they have found out about the scenario is mostly the same, so the one that knows most speaks. */
export function addProgress(parts: readonly JobProgress[]): JobProgress {
  return parts.reduce(
    (total, part) => ({
      schedules: total.schedules + part.schedules,
      points: total.points + part.points,
      sharedWords: Math.max(total.sharedWords, part.sharedWords),
      pointsReached: Math.max(total.pointsReached, part.pointsReached),
      pointsSwitched: Math.max(total.pointsSwitched, part.pointsSwitched),
    }),
    NOTHING,
  );
}
