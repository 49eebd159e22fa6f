// Entry of a threaded hart's worker: runs worker.threaded.cjs with V8's compile cache, which the build has left beside
// it. V8 looks itself whether the cache fits its version, its flags (so whether cli/start-quickly.ts has been there)
// and the bundle's length; if not, or without one, the bundle is compiled as ever.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { MACHINE_BASE, MACHINE_WORKERS_INSIDE } from "../../../assembly/layout.ts";
import { SharedMemory } from "../../memory/shared.ts";
import { workerData } from "./worker-side.ts";

const INSIDE = (MACHINE_BASE + MACHINE_WORKERS_INSIDE) >>> 2;

const path = fileURLToPath(new URL("./worker.threaded.cjs", import.meta.url));
const cache = fileURLToPath(new URL("./worker.threaded.cache", import.meta.url));

// As Node wraps a CommonJS module, without a new line: a stack trace must fit the file.
const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, "utf8")}\n})`;
const script = new Script(source, { filename: path, cachedData: readCache() });
if (process.env.PAGEWALK_MAKE_COMPILE_CACHE === undefined) run();
else makeCache();

function run(): void {
  script.runInThisContext()({}, createRequire(path), { exports: {} }, path, dirname(path));
}

/** For the build (host/build/compile-cache.ts): what a whole run has compiled. The machine waits for it to end. */
function makeCache(): void {
  const { i32 } = new SharedMemory(workerData.memory);
  Atomics.add(i32, INSIDE, 1);
  run();
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
