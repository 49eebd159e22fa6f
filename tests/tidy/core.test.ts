// The built core: what it must not hold if several instances are to share one memory.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { BUILD } from "../support/paths.ts";
import { readSections, type Section } from "./wasm-sections.ts";

const SECTION_MEMORY = 5;
const SECTION_START = 8;
const SECTION_DATA = 11;
const SECTION_DATA_COUNT = 12;

describe("the release core", () => {
  let bytes: Buffer<ArrayBuffer>;
  let sections: Section[];
  let module: WebAssembly.Module;

  beforeAll(() => {
    bytes = readFileSync(`${BUILD}/core.wasm`);
    sections = readSections(bytes);
    module = new WebAssembly.Module(bytes);
  });

  test("has no data segment: each instance would write it into the memory again", () => {
    expect(sections.filter(({ id }) => id === SECTION_DATA || id === SECTION_DATA_COUNT)).toEqual([]);
  });

  test("has no start function", () => {
    expect(sections.filter(({ id }) => id === SECTION_START)).toEqual([]);
  });

  test("has no memory of its own: it imports the shared one and exports none", () => {
    expect(sections.filter(({ id }) => id === SECTION_MEMORY)).toEqual([]);
    expect(WebAssembly.Module.imports(module).filter(({ kind }) => kind === "memory")).toHaveLength(1);
    expect(WebAssembly.Module.exports(module).filter(({ kind }) => kind === "memory")).toEqual([]);
  });

  test("holds no code of AssemblyScript's runtime", () => {
    expect(readFileSync(`${BUILD}/core.wat`, "utf8")).not.toContain("~lib/rt");
  });

  test("imports nothing but the memory and the host's fence", () => {
    const imports = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
    expect(imports.filter((name) => name !== "env.memory" && name !== "host.fence")).toEqual([]);
  });
});
