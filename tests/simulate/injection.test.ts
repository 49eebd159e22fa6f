// What the explorer injects: allocations that fail, and grace periods that end at once. The kernel holds with both.

import { expect, test } from "vitest";
import { findScenario } from "../../host/simulate/scenarios/all.ts";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

test(
  "a fork whose allocations may fail gives back what it had, in 300 schedules",
  async () => {
    expect(findScenario("B/fork-without-memory")?.allocationsFail).toBe(true);
    const args = ["explore", "B/fork-without-memory", "--schedules", "300", "--keep", "/dev/null"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("300 schedules");
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "faults hold when nodes of the vma map are freed at the earliest legal moment",
  async () => {
    expect(findScenario("D/earliest-grace")?.gracePeriods).toBe("earliest");
    const args = ["explore", "D/earliest-grace", "--schedules", "200", "--keep", "/dev/null"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

test.each(["reclaim-batch", "ipi-mask", "ipte", "hash-batch", "full-all"])(
  "reclaim takes a page from under a reader and writer with %s: nobody uses it afterwards",
  async (flush) => {
    const policy = ["--policy", `tlb-flush=${flush}`];
    const args = ["explore", "B/reclaim-under-reader", ...policy, "--schedules", "200", "--keep", "/dev/null"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);
