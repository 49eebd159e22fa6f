// The workloads that the debate about per-VMA locks asked for, threaded, under every vma-lock policy.

import { expect, test } from "vitest";
import { POLICIES } from "../../host/policy/registry.ts";
import { capture, exitCodeOf, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";

const names = POLICIES.filter(({ seam }) => seam === "vma-lock").map(({ name }) => name);

async function run(policy: string, args: readonly string[], ramBytes: number) {
  const output = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/${args[0]}`,
    args,
    harts: 4,
    ramBytes,
    policy: { "vma-lock": policy },
    output: output.output,
    timeoutSeconds: 100,
  });
  try {
    const status = await machine.run();
    const { framesFree, framesFreeAtBoot, total } = machine.stats();
    const text = exitCodeOf(status) === 0 ? "" : output.stdout() + output.stderr() + JSON.stringify(status);
    return { text, lost: framesFreeAtBoot - framesFree, total };
  } finally {
    await machine.dispose();
  }
}

test.each(names)(
  "S4-4, S4-5: %s holds when threads map and unmap side by side, share a mapping, and have little memory",
  async (name) => {
    const workloads: readonly (readonly [readonly string[], number])[] = [
      [["spf-test", "16", "8", "2", "10"], 1 << 26],
      [["spf-test", "8", "2", "10", "10", "shared"], 1 << 26],
      [["spf-test", "16", "2", "10", "10"], 1 << 24],
    ];
    for (const [args, ramBytes] of workloads) {
      const { text, lost, total } = await run(name, args, ramBytes);
      expect({ args, text, lost }).toEqual({ args, text: "", lost: 0 });
      if (name === "refcount-typesafe") expect(total.call_rcu_vma).toBe(0);
    }
  },
);
