// What the interpreter's speed rests on, read from the compiled core. A change that costs it fails here and not in a
// benchmark on a busy machine.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const wat = readFileSync(new URL("../../build/core.wat", import.meta.url), "utf8");

function functionText(name: string): string {
  const start = wat.indexOf(`(func $${name} `);
  expect(start).toBeGreaterThan(0);
  return wat.slice(start, wat.indexOf("\n )", start));
}

test("interpret() dispatches by one table jump", () => {
  const tables = functionText("assembly/generated/interpret/interpret").match(/br_table/g);
  expect(tables).toHaveLength(1);
});

test("interpret() calls no function, so that V8 keeps its variables in registers", () => {
  expect(functionText("assembly/generated/interpret/interpret")).not.toMatch(/\bcall(_indirect)?\b/);
});
