// Policies from outside: the example of host/policy/README.md, and modules that are none.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError, capture, exitCodeOf, Machine } from "../machine/library.ts";
import { PREBUILT, ROOT } from "../support/paths.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "pagewalk-policy-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function moduleOf(source: string): string {
  const file = join(directory, `module-${source.length}.mjs`);
  writeFileSync(file, source);
  return file;
}

test("the example of the README is a policy", async () => {
  const readme = readFileSync(join(ROOT, "host/policy/README.md"), "utf8");
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const output = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/threads`,
    args: ["threads", "4", "20"],
    harts: 2,
    policyModule: moduleOf(example),
    policy: { "lazy-tlb": "mine" },
    output: output.output,
  });
  try {
    expect(exitCodeOf(await machine.run())).toBe(0);
    expect(machine.stats().total.mm_count_atomics).toBeLessThan(5);
  } finally {
    await machine.dispose();
  }
});

test.each([
  ["export const nothing = 1;", 'must export an array "policies"'],
  ["export const policies = [{ seam: 'lazy-tlb' }];", "each policy has seam, name"],
  ["throw new Error('no luck');", "no luck"],
])("a module that is none is refused in one line: %s", async (source, reason) => {
  const boot = Machine.boot({ program: `${PREBUILT}/hello`, policyModule: moduleOf(source) });
  await expect(boot).rejects.toThrow(ConfigError);
  await expect(Machine.boot({ program: `${PREBUILT}/hello`, policyModule: moduleOf(source) })).rejects.toThrow(reason);
});

test("an unknown seam, policy or mutation is refused by what there is", async () => {
  const boot = (config: object) => Machine.boot({ program: `${PREBUILT}/hello`, ...config });
  await expect(boot({ policy: { "lazy-tlb": "nonsense" } })).rejects.toThrow("hazard");
  await expect(boot({ policy: { nonsense: "hazard" } })).rejects.toThrow("tlb-flush");
  await expect(boot({ mutate: "A-M99" })).rejects.toThrow("A-M1");
});
