// Rules of form that a reader relies on, for the sources written by hand.

import { describe, expect, test } from "vitest";
import { blanked, placesOf, textBelow, typescriptBelow } from "./sources.ts";

const LINES_MAX = 400;
const LINES_WARN = 250;
const COLUMNS_MAX = 120;

/** Data rather than code: one line per field, or per instruction. */
const TABLES: ReadonlySet<string> = new Set(["assembly/layout.ts", "assembly/isa.ts"]);

const texts = textBelow("assembly", "host", "guest-programs", "tests");
const typescript = typescriptBelow("assembly", "host", "tests");
const host = typescriptBelow("host");

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const lines = texts
    .filter(({ path }) => !TABLES.has(path) && !path.endsWith(".md"))
    .map(({ path, text }) => {
      return { path, count: text.split("\n").length - 1 };
    });
  for (const { path, count } of lines) if (count > LINES_WARN) console.warn(`${path} has ${count} lines`);
  expect(lines.filter(({ count }) => count > LINES_MAX)).toEqual([]);
});

test(`no line is longer than ${COLUMNS_MAX} columns`, () => {
  const long = texts
    .filter(({ path }) => !TABLES.has(path) && !path.endsWith(".md"))
    .flatMap(({ path, text }) => {
      const lines = text.split("\n").map((line, index) => ({ line, at: `${path}:${index + 1}` }));
      return lines
        .filter(({ line }) => line.length > COLUMNS_MAX)
        .map(({ at, line }) => `${at}: ${line.length} columns`);
    });
  expect(long).toEqual([]);
});

test("nothing is left to be done later", () => {
  const words = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
  expect(texts.flatMap((source) => placesOf(words, source, source.text))).toEqual([]);
});

test("no type is any", () => {
  const any = /[:<|]\s*any\b|\bas\s+any\b|\bany\[\]/;
  expect(typescript.flatMap((source) => placesOf(any, source, source.bare))).toEqual([]);
});

test("nothing is exported by default", () => {
  const wrong = typescript.filter(({ path }) => path !== "tests/vitest.config.ts");
  expect(wrong.flatMap((source) => placesOf(/\bexport\s+default\b/, source, source.bare))).toEqual([]);
});

test("no file only hands on what others export", () => {
  const barrels = host.filter(({ path }) => path !== "host/index.ts");
  expect(barrels.flatMap((source) => placesOf(/^\s*export\s*\*\s*from\b/, source, source.bare))).toEqual([]);
});

test("an address is turned into an index by >>> 2, which does not go negative at 2 GiB", () => {
  expect(host.flatMap((source) => placesOf(/[^>]>>\s*[23]\b/, source, source.bare))).toEqual([]);
});

describe("the comment stripper", () => {
  test.each([
    ['a("//"); // b', 'a("//");     ', 'a("  ");     '],
    ["x = y / 2 / z; /* c\n */ w", "x = y / 2 / z;     \n    w", "x = y / 2 / z;     \n    w"],
    ["r = /\"[/]'/.test(s) // q", "r = /\"[/]'/.test(s)     ", "r = /     /.test(s)     "],
  ])("reads %j", (text, code, bare) => {
    expect(blanked(text)).toEqual({ code, bare });
  });
});
