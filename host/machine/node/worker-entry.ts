// Entry of a hart's worker: loads the bundle that its machine needs, and runs the hart. worker.threaded.cjs is run with
// V8's compile cache, which the build has left beside it. V8 looks itself whether the cache fits its version, its flags
// (so whether cli/start-quickly.ts has been there) and the bundle's length; if not, or without one, the bundle is
// compiled as ever.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { MACHINE_BASE, MACHINE_WORKERS_INSIDE } from "../../../assembly/layout.ts";
import { SharedMemory } from "../../memory/shared.ts";
import type { WorkerData } from "../worker-data.ts";

/** What machine/worker.ts exports. */
interface Kernel {
  runWorker(data: WorkerData): void;
}

const INSIDE = (MACHINE_BASE + MACHINE_WORKERS_INSIDE) >>> 2;

const path = fileURLToPath(new URL("./worker.threaded.cjs", import.meta.url));
const cache = fileURLToPath(new URL("./worker.threaded.cache", import.meta.url));
const require = createRequire(path);

// A spare worker compiles the bundle that most machines need before it knows what it will be asked for.
if (workerData !== null) runHart(workerData as WorkerData, compileThreaded);
else {
  const script = compileThreaded();
  parentPort?.once("message", (data: WorkerData) => runHart(data, () => script));
}

function runHart(data: WorkerData, threaded: () => Script): void {
  // The other bundle has the schedule points, and the mutations.
  const isThreaded = data.driver === "threaded" && data.dieInLock === null && !data.mutated;
  if (!isThreaded) load("./worker.deterministic.cjs").runWorker(data);
  // A policy module is imported, which a script from the compile cache cannot do.
  else if (data.policyModule !== "") load("./worker.threaded.cjs").runWorker(data);
  else if (process.env.PAGEWALK_MAKE_COMPILE_CACHE === undefined) evaluate(threaded()).runWorker(data);
  else makeCache(threaded(), data);
}

function load(bundle: string): Kernel {
  return require(bundle) as Kernel;
}

function compileThreaded(): Script {
  // As Node wraps a CommonJS module, without a new line: a stack trace must fit the file. esbuild writes ASCII alone,
  // and to read that as UTF-8 takes ten times as long.
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, "latin1")}\n})`;
  return new Script(source, { filename: path, cachedData: readCache() });
}

function evaluate(script: Script): Kernel {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, path, dirname(path));
  return module.exports as Kernel;
}

/** For the build (host/build/compile-cache.ts): what a whole run has compiled. The machine waits for it to end. */
function makeCache(script: Script, data: WorkerData): void {
  const { i32 } = new SharedMemory(data.memory);
  Atomics.add(i32, INSIDE, 1);
  evaluate(script).runWorker(data);
  // As a whole or not at all: V8 does not look whether the bytes are right.
  writeFileSync(`${cache}.new`, script.createCachedData());
  renameSync(`${cache}.new`, cache);
  Atomics.sub(i32, INSIDE, 1);
}

function readCache(): Buffer | undefined {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
}
