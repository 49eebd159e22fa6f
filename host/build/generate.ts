// Step 1: assembly/generated/, from the instruction table.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateDecode } from "./generate-decode.ts";
import { generateFuse } from "./generate-fuse.ts";
import { generateInterpret } from "./generate-interpret.ts";
import { generateOperations } from "./generate-operations.ts";
import { generateSlow } from "./generate-slow.ts";

export function generateAssembly(root: string): void {
  const folder = join(root, "assembly/generated");
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => {
    writeFileSync(
      join(folder, name),
      `// Made by npm run build from assembly/isa.ts: never edit this file.\n//\n${text}`,
    );
  };
  write("operations.ts", generateOperations());
  write("decode.ts", generateDecode());
  write("interpret.ts", generateInterpret());
  write("fuse.ts", generateFuse());
  write("slow.ts", generateSlow());
}
