import { describe, expect, test } from "vitest";
import { layerOf, mayImport, mayImportNode } from "./layers.ts";
import { importsOf, typescriptBelow } from "./sources.ts";

const host = typescriptBelow("host");

describe("imports", () => {
  test("run one way between the layers", () => {
    const wrong = host.flatMap((source) => {
      const inside = importsOf(source).filter((path) => /^(host|assembly)\//.test(path));
      return inside.filter((path) => !mayImport(source.path, path)).map((path) => `${source.path} imports ${path}`);
    });
    expect(wrong).toEqual([]);
  });

  test("of node: modules stand in the platform's folders only", () => {
    const wrong = host
      .filter(({ path }) => !mayImportNode(path))
      .flatMap((source) => {
        return importsOf(source)
          .filter((name) => name.startsWith("node:"))
          .map((name) => `${source.path} imports ${name}`);
      });
    expect(wrong).toEqual([]);
  });

  test("of host files name files that end in .ts", () => {
    const wrong = host.flatMap((source) => {
      const inside = importsOf(source).filter((path) => /^(host|assembly)\//.test(path));
      return inside.filter((path) => !path.endsWith(".ts")).map((path) => `${source.path} imports ${path}`);
    });
    expect(wrong).toEqual([]);
  });

  test("of policies come from memory only", () => {
    const policies = host.filter(({ path }) => layerOf(path) === "policy");
    const layers = new Set(policies.flatMap((source) => importsOf(source).map(layerOf)));
    expect([...layers].filter((layer) => !["policy", "memory", ""].includes(layer))).toEqual([]);
  });
});

describe("the layer rule", () => {
  test.each([
    ["host/memory/rcu.ts", "host/mm/fault/fault.ts"],
    ["host/policy/lazy-tlb/refcount.ts", "host/mm/mm.ts"],
    ["host/mm/fault/fault.ts", "host/kernel/trap.ts"],
    ["host/kernel/boot.ts", "host/machine/machine.ts"],
    ["host/observe/oops.ts", "host/kernel/sched/sched.ts"],
    ["host/kernel/boot.ts", "host/check/lock-order.ts"],
    ["host/machine/machine.ts", "host/cli/main.ts"],
  ])("refuses %s -> %s", (importer, imported) => {
    expect(mayImport(importer, imported)).toBe(false);
  });
});
