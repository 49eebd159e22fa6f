// A short run should not wait for a compiler, nor for a worker that could have been started before. The first import of
// main.ts: what it does is done while the rest of the command is loaded.

import { setFlagsFromString } from "node:v8";
import { startSpareWorker } from "../machine/node/workers.ts";

/**
 * How much WebAssembly V8 runs before it optimizes a function, in its own unit (about a byte of code for each backward
 * jump). The default, 1,800,000, is some forty turns of the interpreter's loop: then two threads optimize it for 40 ms,
 * and a program that ends meanwhile, such as hello, waits for them, because that work cannot be called off. This value
 * is some 2,000 turns, well below a millisecond.
 */
const TIERING_BUDGET = 100_000_000;
/** The flag was seen in these: V8 complains aloud of a flag that it does not know. */
const FIRST_NODE = 20;
const LAST_NODE = 24;

if (process.argv[2] === "run") {
  delayOptimizing();
  startSpareWorker();
}

/** Before the first worker, for which V8 compares flags, and the core. The flag is the whole process's. */
function delayOptimizing(): void {
  const node = Number.parseInt(process.versions.node, 10);
  if (node >= FIRST_NODE && node <= LAST_NODE) setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
}
