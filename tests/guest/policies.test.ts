// Guest programs under every policy, threaded, on 2 and 4 harts: races of shootdowns, copies on write, threads, and
// processes that die while idle harts borrow their mm. What is wrong shows as a FAIL line, an oops, or a lost frame.

import { describe, expect, test } from "vitest";
import { POLICIES } from "../../host/policy/registry.ts";
import { capture, exitCodeOf, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";

/** A few each time; POLICY_GUESTS=all for the whole list on both numbers of harts. */
const ALL: readonly (readonly string[])[] = [
  ["munmap-race", "fixed", "3", "40"],
  ["fault-storm", "4", "32", "4", "same", "munmap"],
  ["threads", "8", "50"],
  ["cow"],
  ["fork-exit-storm", "40", "4", "3"],
];
const FEW: Readonly<Record<number, readonly (readonly string[])[]>> = {
  2: [["munmap-race", "fixed", "3", "15"]],
  4: [["fork-exit-storm", "16", "4", "2"]],
};

async function run(harts: number, args: readonly string[], policy: Readonly<Record<string, string>>) {
  const output = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/${args[0]}`,
    args,
    harts,
    policy,
    output: output.output,
    timeoutSeconds: 100,
  });
  try {
    const status = await machine.run();
    const { framesFree, framesFreeAtBoot, total } = machine.stats();
    const text = exitCodeOf(status) === 0 ? "" : output.stdout() + output.stderr() + JSON.stringify(status);
    return { result: { text, lost: framesFreeAtBoot - framesFree }, total };
  } finally {
    await machine.dispose();
  }
}

const single = POLICIES.map(({ seam, name }) => ({ [seam]: name }));
const mixed: readonly Readonly<Record<string, string>>[] = [
  { "lazy-tlb": "shoot-at-flush", "tlb-flush": "broadcast" },
  { "lazy-tlb": "hazard", "tlb-flush": "hash-batch" },
  { "lazy-tlb": "shoot", "tlb-flush": "asid-local", cpumask: "lazyclear" },
  { "lazy-tlb": "is-lazy", "tlb-flush": "asid-global", cpumask: "sticky" },
  { "lazy-tlb": "hazard", cpumask: "early_clear" },
];
const choices = [...single, ...mixed].map((policy) => [Object.values(policy).join(", "), policy] as const);

describe.each(choices)("%s", (_name, policy) => {
  test.each([2, 4])("the guest programs hold on %i harts", async (harts) => {
    for (const args of process.env.POLICY_GUESTS === "all" ? ALL : FEW[harts]) {
      const { result, total } = await run(harts, args, policy);
      expect({ args, ...result }).toEqual({ args, text: "", lost: 0 });
      expect(total.mmdrop_last).toBe(total.mmput_last);
    }
  });
});

test("exit under shoot-at-flush, last-mmput and hazard sends no IPI for the last reference", async () => {
  for (const lazy of ["shoot-at-flush", "last-mmput", "hazard"]) {
    const { total } = await run(4, ["fork-exit-storm", "30", "4", "3"], { "lazy-tlb": lazy });
    expect({ lazy, shot: total.shoot_lazies_ipi_sent }).toEqual({ lazy, shot: 0 });
  }
});
