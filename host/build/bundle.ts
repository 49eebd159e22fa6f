// Step 6: the host, as few files as a start can read quickly.
//
//   worker.threaded.js        one hart; the schedule hook is compiled away
//   worker.deterministic.js   the same with the hook
//   bench-worker.js           one hart of the IPI benchmark
//   explore-worker.js         all harts of a scenario in one thread: the kernel as generators
//   index.js, pagewalk.js     library, command

import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { toGenerators } from "./generators.ts";

interface Bundle {
  readonly entry: string;
  readonly out: string;
  readonly schedulePoints: boolean;
  readonly command?: boolean;
  /** The bundle is rewritten: see generators.ts. */
  readonly generators?: boolean;
}

const BUNDLES: readonly Bundle[] = [
  { entry: "host/machine/worker.ts", out: "worker.threaded.js", schedulePoints: false },
  { entry: "host/machine/worker.ts", out: "worker.deterministic.js", schedulePoints: true },
  { entry: "host/bench/ipi-worker.ts", out: "bench-worker.js", schedulePoints: false },
  { entry: "host/machine/explore-worker.ts", out: "explore-worker.js", schedulePoints: true, generators: true },
  { entry: "host/index.ts", out: "index.js", schedulePoints: false },
  { entry: "host/cli/main.ts", out: "pagewalk.js", schedulePoints: false, command: true },
];

export async function bundleHost(root: string, sha256: string): Promise<void> {
  const present = BUNDLES.filter(({ entry }) => existsSync(join(root, entry)));
  await Promise.all(present.map((bundle) => build(options(root, bundle, sha256))));
  for (const { out, command, generators } of present) {
    const path = join(root, "build", out);
    if (command) chmodSync(path, 0o755);
    if (generators) writeFileSync(path, toGenerators(readFileSync(path, "utf8")));
  }
}

function options(
  root: string,
  { entry, out, schedulePoints, command, generators }: Bundle,
  sha256: string,
): BuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(root, "build", out),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    minifySyntax: generators !== true, // `if (false)` goes away; but so would the call of suspend()
    define: {
      __SCHEDULE_POINTS__: String(schedulePoints),
      __MUTATIONS__: String(schedulePoints),
      __CORE_SHA256__: JSON.stringify(sha256),
    },
    // commander is CommonJS and asks for node: modules through require
    banner: { js: `${command ? "#!/usr/bin/env node\n" : ""}${REQUIRE}` },
    logLevel: "warning",
  };
}

const REQUIRE =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';
