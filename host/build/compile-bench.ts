// Step 5: build/bench.wasm, the loops of assembly/bench.ts over the core's modules, with the flags of the release core.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

type OptionValue = string | number | boolean | readonly string[];

export function compileBench(root: string): void {
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const { options } = JSON.parse(readFileSync(join(root, "asconfig.json"), "utf8")) as {
    options: Record<string, OptionValue>;
  };
  // asc adds the entries of asconfig.json to those named here, unless it is told of a configuration that does not exist
  const flags = ["--config", "none", ...Object.entries(options).flatMap(flagsOf), "--outFile", "build/bench.wasm"];
  const { status } = spawnSync(process.execPath, [asc, "assembly/bench.ts", ...flags], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("asc assembly/bench.ts failed");
}

function flagsOf([name, value]: [string, OptionValue]): string[] {
  if (value === true) return [`--${name}`];
  const values = Array.isArray(value) ? value : [value];
  return values.flatMap((one) => [`--${name}`, String(one)]);
}
