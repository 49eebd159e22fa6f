// What the compiled core depends on, as one hash: a build whose hash equals that of the last one keeps build/*.wasm,
// which saves most of its time. Of layout.ts only the constants count that some file of assembly/ imports, by value:
// a new field of a kernel object leaves the core as it is.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const OUTPUTS: readonly string[] = ["core.wasm", "core.wat", "core.checked.wasm", "core.checked.wat", "bench.wasm"];
const STAMP = "build/core.inputs";
const LAYOUT_IMPORT = /import\s*\{([^}]*)\}\s*from\s*"[./]*layout\.ts"/g;

/** The hash of everything that asc reads or that decides what it writes. `layout`: the constants by name. */
export function coreInputs(root: string, layout: Readonly<Record<string, unknown>>): string {
  const hash = createHash("sha256");
  const names = new Set<string>();
  for (const path of sourcesBelow(root, "assembly")) {
    if (path === "assembly/layout.ts") continue;
    const text = readFileSync(join(root, path), "utf8");
    hash.update(`${path}\n${text}\n`);
    for (const [, list] of text.matchAll(LAYOUT_IMPORT)) for (const name of namesOf(list)) names.add(name);
  }
  for (const name of [...names].sort()) hash.update(`${name}=${String(layout[name])}\n`);
  hash.update(readFileSync(join(root, "asconfig.json")));
  hash.update(readFileSync(join(root, "node_modules/assemblyscript/package.json")));
  return hash.digest("hex");
}

/** True if the last build compiled the same inputs and its outputs are still there. */
export function isCoreCurrent(root: string, inputs: string): boolean {
  if (!OUTPUTS.every((name) => existsSync(join(root, "build", name)))) return false;
  return existsSync(join(root, STAMP)) && readFileSync(join(root, STAMP), "utf8") === inputs;
}

export function noteCoreInputs(root: string, inputs: string): void {
  writeFileSync(join(root, STAMP), inputs);
}

function namesOf(importList: string): string[] {
  const bare = importList.replace(/\/\/.*$/gm, "");
  return bare.split(",").flatMap((part) => {
    const name = part.trim().split(/\s+as\s+/)[0] ?? "";
    return name === "" ? [] : [name];
  });
}

function sourcesBelow(root: string, folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...sourcesBelow(root, path));
    else if (path.endsWith(".ts")) found.push(path);
  }
  return found.sort();
}
