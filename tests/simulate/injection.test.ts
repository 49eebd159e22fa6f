// What the explorer injects: NMIs, interrupts that are late, allocations that fail, and grace periods that end at once.
// The kernel holds with all of them, and each shows a mistake that nothing else shows.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findScenario } from "../../host/simulate/scenarios/all.ts";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

const explore = (scenario: string, ...more: string[]) => {
  const args = ["explore", scenario, "--jobs", "1", "--keep", "/dev/null", ...more];
  return pagewalk(args, { timeoutMs: TIMEOUT_MS });
};

describe("an unsound twin is", () => {
  test.each([
    ["unsound/node-after-wait", "earliest-grace", /use after free: hart 1 touches node/],
    ["unsound/poll-as-answer", "late-ipi", /still holds what it was asked to drop/],
  ])(
    "%s: found with %s injected, and not without",
    async (twin, injection, report) => {
      const found = await explore(twin, "--schedules", "300", "--inject", injection);
      expect(found.stdout.toString()).toMatch(report);
      expect(found.status).toBe(1);
      const without = await explore(twin, "--schedules", "300");
      expect(without.stdout.toString()).toContain("nothing found");
      expect(without.status).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "an NMI that reads user memory whatever satp is about to hold; the kernel's handler does not",
    async () => {
      const found = await explore("unsound/nmi-user-stack", "--schedules", "1000");
      expect(found.stdout.toString()).toMatch(/satp holds another mm|before the flush that it has promised/);
      const kernel = await explore("F/nmi-user-stack", "--schedules", "200");
      expect(kernel.stdout.toString()).toContain("nothing found");
      expect([found.status, kernel.status]).toEqual([1, 0]);
    },
    TIMEOUT_MS,
  );
});

test(
  "S3-10: the NMI that finds a freed mm in active_mm is in the schedule, and in its replay",
  async () => {
    const file = join(mkdtempSync(join(tmpdir(), "pagewalk-explore-")), "found.json");
    const found = await explore("A/nmi-while-lazy", "--mutate", "A-M3", "--keep", file);
    expect(found.stdout.toString()).toMatch(/use after free: hart \d touches mm1\.MM_ROOT_PFN/);
    const again = await pagewalk(["explore", "--replay", file], { timeoutMs: TIMEOUT_MS });
    expect(again.stdout.toString()).toMatch(/ NMI\n/);
    expect(again.stdout.toString()).toMatch(/use after free: hart \d touches mm1\.MM_ROOT_PFN/);
    expect([found.status, again.status]).toEqual([1, 1]);
  },
  TIMEOUT_MS,
);

test.each(["refcount", "hazard", "is-lazy", "qsbr"])(
  "NMIs while a hart borrows under %s: no false report of what it still holds in the end",
  async (policy) => {
    const { stdout, status } = await explore("A/nmi-while-lazy", "--schedules", "60", "--policy", `lazy-tlb=${policy}`);
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

test.each(["A/exit-while-lazy", "B/unmap-under-reader", "B/two-flushers", "D/fault-against-unmap", "F/membarrier"])(
  "%s holds with NMIs and late interrupts",
  async (scenario) => {
    const { stdout, status } = await explore(scenario, "--schedules", "100", "--inject", "nmi,late-ipi");
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

test("an injection that does not exist is refused", async () => {
  const { stderr, status } = await explore("A/two-exits", "--inject", "gamma-rays");
  expect(stderr).toContain("There is nmi, late-ipi, earliest-grace.");
  expect(status).toBe(125);
});

test(
  "a fork whose allocations may fail gives back what it had, in 300 schedules",
  async () => {
    expect(findScenario("B/fork-without-memory")?.injects).toEqual(["allocation-failure"]);
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
    expect(findScenario("D/earliest-grace")?.injects).toEqual(["earliest-grace"]);
    const args = ["explore", "D/earliest-grace", "--schedules", "200", "--keep", "/dev/null"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);
