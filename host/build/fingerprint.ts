// Step 4: build/core.json says from which layout and instruction table the core was made. The loader compares, so that
// a core and a host of different builds never share a memory.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function fingerprint(root: string): string {
  const hash = createHash("sha256");
  for (const name of ["layout.ts", "isa.ts"]) hash.update(readFileSync(join(root, "assembly", name)));
  return hash.digest("hex");
}

export function writeFingerprint(root: string): string {
  const sha256 = fingerprint(root);
  writeFileSync(join(root, "build/core.json"), `${JSON.stringify({ sha256 })}\n`);
  return sha256;
}
