// The statements of the debates that take a search or a measurement; the others are in spec-rows.test.ts.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 300_000;

/** Scenario and depth: all schedules with at most depth - 1 preemptions. */
const BOUNDS = [
  ["A/two-exits", "2"],
  ["A/recycled-slot", "2"],
  ["A/return-meanwhile", "3"],
  ["A/offline-while-lazy", "3"],
] as const;

test.each(BOUNDS)(
  "S0-8: no fundamental problem with hazard pointers: %s, exhaustively to depth %s",
  async (scenario, depth) => {
    const bounded = ["--strategy", "exhaustive", "--depth", depth, "--schedules", "100000"];
    const search = ["explore", scenario, "--policy", "lazy-tlb=hazard", ...bounded];
    const { stdout, status } = await pagewalk(search, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("nothing found, and no schedule is left");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "S0-4: the advantage over shooting lazies can be read off one table, on exits that nobody shares a core with",
  async () => {
    const bench = ["bench", "policies", "--filter", "storm 1 thread", "--repeat", "1"];
    const { stdout, status } = await pagewalk(bench, { timeoutMs: TIMEOUT_MS });
    for (const policy of ["refcount", "shoot", "shoot-at-flush", "hazard"]) {
      expect(stdout.toString()).toMatch(new RegExp(`^ +${policy} +[\\d.]+`, "m"));
    }
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);
