// Step 2: AssemblyScript to WebAssembly, by asc with asconfig.json.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

export function compileCore(root: string, target: "release" | "checked"): void {
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const { status } = spawnSync(process.execPath, [asc, "--target", target], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`asc --target ${target} failed`);
}
