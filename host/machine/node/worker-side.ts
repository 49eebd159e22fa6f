// The worker's end of worker_threads.

import { workerData as data } from "node:worker_threads";
import type { WorkerData } from "../worker-data.ts";

export const workerData = data as WorkerData;
