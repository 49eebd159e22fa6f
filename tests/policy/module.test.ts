// Policies from outside: the example of host/policy/README.md, and modules that are none.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MM_CPUMASK } from "../../assembly/layout.ts";
import { ConfigError, capture, exitCodeOf, Machine } from "../machine/library.ts";
import { PREBUILT, ROOT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "pagewalk-policy-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let modules = 0;

function moduleOf(source: string): string {
  const file = join(directory, `module-${++modules}.mjs`);
  writeFileSync(file, source);
  return file;
}

/** Source of an entry whose make() answers with `policy`. */
function entry(seam: string, name: string, policy: string): string {
  return `{ seam: "${seam}", name: "${name}", line: "for a test", debate: "none", make: () => ${policy} }`;
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
  ["export const policies = [null];", "each policy has seam, name"],
  ["export const policies = [{ seam: 'cpumask', name: 'mine', make: () => ({}) }];", "each policy has seam, name"],
  [`export const policies = [${entry("cpumask", "exact", "({})")}];`, "there is a policy cpumask=exact"],
  [`export const policies = [${entry("cpumask", "a", "({})")}, ${entry("cpumask", "a", "({})")}];`, "cpumask=a: give"],
  ["throw new Error('no luck');", "no luck"],
])("a module that is none is refused in one line: %s", async (source, reason) => {
  const boot = Machine.boot({ program: `${PREBUILT}/hello`, policyModule: moduleOf(source) });
  await expect(boot).rejects.toThrow(ConfigError);
  await expect(Machine.boot({ program: `${PREBUILT}/hello`, policyModule: moduleOf(source) })).rejects.toThrow(reason);
});

test.each([
  ["lazy-tlb", "({ name: 'mine' })", "policy lazy-tlb=mine: unlazyAtFlush is no boolean, skipsFlush is no boolean"],
  ["cpumask", "({ name: 'mine', leavesEarly: false, enter() {}, leave() {} })", "cpumask=mine: useless is no function"],
  ["vma-lock", "undefined", "vma-lock=mine: name is no string"],
  ["tlb-flush", "{ throw new Error('no luck'); }", "tlb-flush=mine: make: no luck"],
])(
  "a policy of %s that is not whole is refused before the machine boots: it used to be a kernel bug: %s",
  async (...row) => {
    const [seam, policy, reason] = row;
    const policyModule = moduleOf(`export const policies = [${entry(seam, "mine", policy)}];`);
    const boot = Machine.boot({ program: `${PREBUILT}/hello`, policyModule, policy: { [seam]: "mine" } });
    await expect(boot).rejects.toThrow(reason);
    // Nobody asks for it.
    const machine = await Machine.boot({ program: `${PREBUILT}/hello`, policyModule });
    await machine.dispose();
  },
);

test.each(["threaded", "deterministic"])(
  "what a policy prints is on stderr, from every hart, at once: it used to be lost (%s)",
  async (driver) => {
    const mask = `({ name: "mine", leavesEarly: false, useless() {}, leave() {},
      enter(hart, mm) {
        console.log("hart %i enters", hart.id);
        console.error({ mm: 1 });
        hart.shared.fetchOr(mm + ${MM_CPUMASK}, 1 << hart.id);
      } })`;
    const module = moduleOf(`export const policies = [${entry("cpumask", "mine", mask)}];`);
    const policy = ["--policy-module", module, "--policy", "cpumask=mine"];
    const program = [`${PREBUILT}/threads`, "4", "20"];
    const run = ["run", "--harts", "2", "--driver", driver, ...policy, ...program];
    const { stdout, stderr } = await pagewalk(run);
    expect(stderr).toContain("hart 0 enters\n{ mm: 1 }\n");
    expect(stderr).toContain("hart 1 enters\n");
    expect(stdout.toString()).not.toContain("enters");
  },
);

test("policies lists those of a module with the others", async () => {
  const module = moduleOf(`export const policies = [${entry("cpumask", "mine", "({})")}];`);
  const { stdout } = await pagewalk(["policies", "--policy-module", module]);
  expect(stdout.toString()).toContain("\n  mine             for a test  [none]\n");
  expect(stdout.toString()).toContain("\n* exact ");
});

test("an unknown seam, policy or mutation is refused by what there is", async () => {
  const boot = (config: object) => Machine.boot({ program: `${PREBUILT}/hello`, ...config });
  await expect(boot({ policy: { "lazy-tlb": "nonsense" } })).rejects.toThrow("hazard");
  await expect(boot({ policy: { nonsense: "hazard" } })).rejects.toThrow("tlb-flush");
  await expect(boot({ mutate: "A-M99" })).rejects.toThrow("A-M1");
});
