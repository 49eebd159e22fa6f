// The explorer worker's end of worker_threads: requests come in, replies go out, one request at a time.

import { parentPort, workerData } from "node:worker_threads";
import type { ExploreReply, ExploreRequest } from "../explore.ts";

export function exploreModule(): WebAssembly.Module {
  return (workerData as { core: WebAssembly.Module }).core;
}

export function onExploreRequest(serve: (request: ExploreRequest, reply: (reply: ExploreReply) => void) => void): void {
  parentPort?.on("message", (request: ExploreRequest) => serve(request, (reply) => parentPort?.postMessage(reply)));
}
