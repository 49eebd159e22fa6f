// assembly/generated/operations.ts: the number of each operation.

import { operationNumbers } from "./operations.ts";

export function generateOperations(): string {
  return [
    "// Numbers of the operations.",
    "",
    ...operationNumbers().map(([name, number]) => `export const ${name}: u32 = ${number};`),
    "",
  ].join("\n");
}
