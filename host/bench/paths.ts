// Where the parts of an installation lie. In the npm package the C sources of the native baselines are missing.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface BenchPaths {
  /** Directory of package.json. */
  readonly root: string;
  readonly cli: string;
  readonly coreWasm: string;
  readonly benchWasm: string;
  readonly ipiWorker: string;
  readonly guestPrograms: string;
}

/** `moduleUrl` is the url of any file of the build, bundled or not. */
export function benchPaths(moduleUrl: string): BenchPaths {
  let root = dirname(fileURLToPath(moduleUrl));
  while (!existsSync(join(root, "package.json"))) {
    if (dirname(root) === root) throw new Error(`no package.json above ${fileURLToPath(moduleUrl)}`);
    root = dirname(root);
  }
  return {
    root,
    cli: join(root, "build/pagewalk.cjs"),
    coreWasm: join(root, "build/core.wasm"),
    benchWasm: join(root, "build/bench.wasm"),
    ipiWorker: join(root, "build/bench-worker.js"),
    guestPrograms: join(root, "guest-programs"),
  };
}
