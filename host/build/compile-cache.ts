// The last step: V8's compile cache of the threaded worker, taken at the end of a run of hello, so that it holds what
// every program needs to start and to end. A start without it compiles for longer than everything else takes.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";

const TIMEOUT_MS = 60_000;

/** Before the bundle changes: of that V8 compares only the length. */
export function dropCompileCache(root: string): void {
  rmSync(join(root, "build/worker.threaded.cache"), { force: true });
}

/** Without hello, or if it does not run, there is no cache: then programs start more slowly. */
export function makeCompileCache(root: string): void {
  const hello = join(root, "guest-programs/prebuilt/hello");
  if (!existsSync(hello)) return;
  const env = { ...process.env, PAGEWALK_MAKE_COMPILE_CACHE: "1" };
  spawnSync(process.execPath, [join(root, "build/pagewalk.cjs"), "run", hello], { env, timeout: TIMEOUT_MS });
}
