// `npm run acceptance -- N`: bundles the runner, which is TypeScript like all tests, and starts it.

import { mkdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const outfile = `${root}/build/tests/acceptance.js`;

process.env.PAGEWALK_ROOT = root;
mkdirSync(`${root}/build/tests`, { recursive: true });
await build({
  entryPoints: [`${root}/tests/acceptance/main.ts`],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning",
});
await import(pathToFileURL(outfile).href);
