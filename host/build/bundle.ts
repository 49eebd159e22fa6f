// Step 6: the host, as few files as a start can read quickly.
//
//   worker.threaded.cjs       one hart; the schedule hook is compiled away
//   worker.deterministic.cjs  the same with the hook
//   worker.entry.cjs          what starts the first of them, from the compile cache
//   bench-worker.js           one hart of the IPI benchmark
//   explore-worker.js         all harts of a scenario in one thread: the kernel as generators
//   index.js, pagewalk.cjs    library, command
//   explore.cjs, bench.cjs, syscalls.cjs   what the command loads when it is asked for just that
//
// What every run loads is CommonJS: it spares Node's module loader, and Node's own modules (net, zlib, child_process)
// are loaded when the code that needs them is.

import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { toGenerators } from "./generators.ts";

interface Bundle {
  readonly entry: string;
  readonly out: string;
  readonly schedulePoints: boolean;
  readonly command?: boolean;
  readonly commonJs?: boolean;
  /** The bundle is rewritten: see generators.ts. */
  readonly generators?: boolean;
}

const BUNDLES: readonly Bundle[] = [
  { entry: "host/machine/worker.ts", out: "worker.threaded.cjs", schedulePoints: false, commonJs: true },
  { entry: "host/machine/worker.ts", out: "worker.deterministic.cjs", schedulePoints: true, commonJs: true },
  { entry: "host/machine/node/worker-entry.ts", out: "worker.entry.cjs", schedulePoints: false, commonJs: true },
  { entry: "host/bench/ipi-worker.ts", out: "bench-worker.js", schedulePoints: false },
  { entry: "host/machine/explore-worker.ts", out: "explore-worker.js", schedulePoints: true, generators: true },
  { entry: "host/index.ts", out: "index.js", schedulePoints: false },
  { entry: "host/cli/main.ts", out: "pagewalk.cjs", schedulePoints: false, commonJs: true, command: true },
  { entry: "host/cli/explore/explore-run.ts", out: "explore.cjs", schedulePoints: false, commonJs: true },
  { entry: "host/bench/run.ts", out: "bench.cjs", schedulePoints: false, commonJs: true },
  { entry: "host/kernel/syscall/describe.ts", out: "syscalls.cjs", schedulePoints: false, commonJs: true },
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
  { entry, out, schedulePoints, commonJs, command, generators }: Bundle,
  sha256: string,
): BuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(root, "build", out),
    bundle: true,
    platform: "node",
    format: commonJs ? "cjs" : "esm",
    target: "node20",
    minifySyntax: generators !== true, // `if (false)` goes away; but so would the call of suspend()
    define: {
      __SCHEDULE_POINTS__: String(schedulePoints),
      __MUTATIONS__: String(schedulePoints),
      __CORE_SHA256__: JSON.stringify(sha256),
      ...(commonJs && { "import.meta.url": "__url" }),
    },
    minifyWhitespace: commonJs === true, // less to scan at every start
    plugins: command ? [bundlesOfTheirOwn(root)] : [],
    banner: { js: `${command ? "#!/usr/bin/env node\n" : ""}${commonJs ? URL_OF_FILE : ""}` },
    logLevel: "warning",
  };
}

/** What the command imports when it is asked for, and is the entry of a bundle, stays there: a run need not read it. */
function bundlesOfTheirOwn(root: string): Plugin {
  return {
    name: "bundles-of-their-own",
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        const other = BUNDLES.find(({ entry }) => join(root, entry) === join(resolveDir, path));
        return kind === "dynamic-import" && other !== undefined
          ? { path: `./${other.out}`, external: true }
          : undefined;
      });
    },
  };
}

const URL_OF_FILE = 'const __url = require("node:url").pathToFileURL(__filename).href;';
