// A missing barrier shows under the memory model and only there; what goes wrong in some order of whole accesses shows
// without it.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

function search(scenario: string, mutation: string, ...more: string[]) {
  const args = ["explore", scenario, "--mutate", mutation, "--keep", "/dev/null", "--schedules", "3000", ...more];
  return pagewalk(args, { timeoutMs: TIMEOUT_MS });
}

test.each([
  ["A/switch-in-weak", "A-M4"],
  ["F/membarrier", "F-M1"],
])(
  "%s finds %s, but not when accesses are sequentially consistent",
  async (scenario, mutation) => {
    expect((await search(scenario, mutation)).status).toBe(1);
    const strong = await search(scenario, mutation, "--strong-memory");
    expect(strong.stdout.toString()).toContain("3000 schedules");
    expect(strong.stdout.toString()).toContain("nothing found");
    expect(strong.status).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "B/switch-in finds B-M2 with ASIDs that outlive a switch, sequentially consistent as it is",
  async () => {
    expect((await search("B/switch-in", "B-M2")).status).toBe(1);
  },
  TIMEOUT_MS,
);
