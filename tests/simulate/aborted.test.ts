// Nothing of a schedule stays behind: after many that were given up in the middle, with locks held and interrupts
// on their way, a schedule is what it is in a fresh process, to the last word that each access left.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

/** And how many schedules are given up before; one of a huge page takes ten times as long as another. */
const SCENARIOS = [
  ["A/two-exits", 1000],
  ["B/asid-reused", 1000],
  ["B/clean-shared", 1000],
  ["F/membarrier", 1000],
  ["B/huge-page", 100],
] as const;

test.each(SCENARIOS)(
  "%s after %i aborted schedules gives the trace of a fresh process",
  async (scenario, aborted) => {
    const show = ["explore", scenario, "--show", "2", "--seed", "7"];
    const fresh = await pagewalk(show, { timeoutMs: TIMEOUT_MS });
    const after = await pagewalk([...show, "--after", `${aborted}`], { timeoutMs: TIMEOUT_MS });
    expect(fresh.stdout.toString()).toMatch(/\n\d+ steps, trace [0-9a-f]{8}\n$/);
    expect(after.stdout.toString()).toBe(fresh.stdout.toString());
    expect([fresh.status, after.status]).toEqual([0, 0]);
  },
  TIMEOUT_MS,
);
