// The main thread's end: one explorer worker, which serves one request at a time.

import { Worker } from "node:worker_threads";
import type { ExploreReply, ExploreRequest, ExploreWorker } from "../explore.ts";

export function startExploreWorker(core: WebAssembly.Module): ExploreWorker {
  const worker = new Worker(new URL("./explore-worker.js", import.meta.url), { workerData: { core }, execArgv: [] });
  let onReply: ((reply: ExploreReply) => void) | null = null;
  worker.on("message", (reply: ExploreReply) => onReply?.(reply));
  worker.on("error", (error) => onReply?.({ kind: "error", text: error.stack ?? error.message }));
  return {
    request(request: ExploreRequest, listener: (reply: ExploreReply) => void) {
      onReply = listener;
      worker.postMessage(request);
    },
    async terminate() {
      await worker.terminate();
    },
  };
}
