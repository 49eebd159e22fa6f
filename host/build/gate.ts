// Step 3: the release core must hold nothing that each instance would write again into the shared memory, or that runs
// before bind(): no data segment, no start function, no runtime of AssemblyScript.

import { readFileSync } from "node:fs";

const SECTION_START = 8;
const SECTION_DATA = 11;

/** Throws with the reason if the core may not be shared by several harts. */
export function checkCore(wasmPath: string, watPath: string): void {
  const sections = sectionIds(readFileSync(wasmPath));
  if (sections.includes(SECTION_DATA)) throw new Error(`${wasmPath} has a data segment`);
  if (sections.includes(SECTION_START)) throw new Error(`${wasmPath} has a start function`);
  if (readFileSync(watPath, "utf8").includes("~lib/rt")) throw new Error(`${watPath} holds code of ~lib/rt`);
}

function sectionIds(wasm: Uint8Array): number[] {
  const ids: number[] = [];
  let at = 8; // behind magic and version
  while (at < wasm.length) {
    ids.push(wasm[at]!);
    const [bytes, next] = readLeb(wasm, at + 1);
    at = next + bytes;
  }
  return ids;
}

/** An unsigned LEB128 number, and where it ends. */
function readLeb(wasm: Uint8Array, start: number): [value: number, end: number] {
  let value = 0;
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = wasm[at]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at + 1];
  }
}
