// Mutable JavaScript state of the kernel lives in HartLocal, which has a reset; shared state lives in shared memory.
// A variable of a module would be neither: private to a worker by accident, and left over after an aborted schedule.

import { describe, expect, test } from "vitest";
import { placesOf, type Source, typescriptBelow } from "./sources.ts";

const FOLDERS = ["memory", "policy", "mm", "fs", "kernel"].map((layer) => `host/${layer}/`);

const host = typescriptBelow("host");
const kernel = host.filter(({ path }) => FOLDERS.some((folder) => path.startsWith(folder)));

/** The text outside all braces, brackets and parentheses, line for line. */
function topLevel(bare: string): string {
  let depth = 0;
  let text = "";
  for (const char of bare) {
    if ("}])".includes(char)) depth--;
    text += depth === 0 || char === "\n" ? char : " ";
    if ("{[(".includes(char)) depth++;
  }
  return text;
}

function moduleVariables(source: Source): string[] {
  return placesOf(/^\s*(export\s+)?(let|var)\s/, source, topLevel(source.bare));
}

const COLLECTION = /^\s*(?:export\s+)?const\s+(\w+)\b.*=\s*(?:new\s+\w+|\[|\{)/gm;
const MUTATORS = "push|pop|shift|unshift|splice|fill|sort|set|add|delete|clear";

/** Collections of a module that some line of it changes. */
function mutatedCollections(source: Source): string[] {
  const names = [...topLevel(source.bare).matchAll(COLLECTION)].map((match) => match[1]);
  return names.flatMap((name) => {
    const element = `${name}(\\[[^\\]]*\\]|\\.\\w+)`;
    const assignment = `${element}\\s*([-+*|&^]|<<|>>>?)?=(?!=)|${element}(\\+\\+|--)`;
    const change = new RegExp(`\\b(${name}\\.(${MUTATORS})\\(|${assignment})`);
    return placesOf(change, source, source.bare);
  });
}

function scratchViews(source: Source): string[] {
  return placesOf(/^\s*(export\s+)?const\s.*=\s*new\s+\w+Array\(/, source, topLevel(source.bare));
}

test("no module of the kernel has a variable", () => {
  expect(kernel.flatMap(moduleVariables)).toEqual([]);
});

test("no module of the kernel changes a collection of its own", () => {
  expect(kernel.flatMap(mutatedCollections)).toEqual([]);
});

test("no module of the kernel keeps a typed array", () => {
  expect(kernel.flatMap(scratchViews)).toEqual([]);
});

test("only memory/ builds views of the shared memory", () => {
  const views = /\bnew\s+(\w*Array|DataView)\b.*\(.*\b(memory|shared|u8|i32|u32)\.buffer\b/;
  const others = host.filter(({ path }) => !path.startsWith("host/memory/"));
  expect(others.flatMap((source) => placesOf(views, source, source.bare))).toEqual([]);
});

describe("the rules see", () => {
  const source = (bare: string): Source => ({ path: "x.ts", text: bare, code: bare, bare });

  test("a variable outside functions only", () => {
    expect(moduleVariables(source("let a = 1;\nfunction f() {\n  let b;\n}\nexport let c;"))).toHaveLength(2);
  });

  test("a collection that is changed", () => {
    expect(mutatedCollections(source("const a = new Map();\nfunction f() {\n  a.set(1, 2);\n}"))).toHaveLength(1);
    expect(mutatedCollections(source("const a: number[] = [];\nfunction f() {\n  a[3] = 1;\n}"))).toHaveLength(1);
    expect(mutatedCollections(source("const a = [1];\nfunction f() {\n  return a[0] === 1;\n}"))).toHaveLength(0);
  });
});
