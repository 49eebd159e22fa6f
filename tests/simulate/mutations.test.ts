// The short form of the mutation run: mutations that a few schedules show, each with its control, by the command that
// the whole table is run with; and that what was found can be replayed.

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

/** Scenario and mutation; each needs some hundred schedules at most. */
const QUICK = [
  ["A/exit-while-lazy", "A-M1"],
  ["A/exit-while-lazy", "A-M3"],
  ["A/return-afterwards", "A-M11"],
  ["B/unmap-under-reader", "B-M1"],
  ["B/unmap-under-reader", "B-M7"],
  ["B/free-tables", "B-M4"],
  ["B/asid-reused", "B-M8"],
  ["B/protect-then-store", "B-M14"],
  ["D/fault-against-unmap", "D-M3"],
  ["D/fault-against-shrink", "D-M1"],
  ["D/range-of-detached", "D-M16"],
  ["D/recycle-weak", "D-M24"],
] as const;

describe.each(QUICK)("%s", (scenario, mutation) => {
  test(
    `${mutation} is found, and its replay gives the same report, byte for byte`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "pagewalk-explore-"));
      const file = join(folder, "found.json");
      const search = ["explore", scenario, "--mutate", mutation, "--schedules", "2000", "--jobs", "1", "--keep", file];
      const found = await pagewalk(search, { timeoutMs: TIMEOUT_MS });
      expect(found.status, found.stdout.toString() + found.stderr).toBe(1);
      const [, ...report] = found.stdout.toString().trimEnd().split("\n");
      const again = await pagewalk(["explore", "--replay", file], { timeoutMs: TIMEOUT_MS });
      expect(again.status).toBe(1);
      expect(again.stdout.toString().trimEnd().split("\n")).toEqual(
        report.slice(
          0,
          report.findIndex((line) => line.startsWith("replay: ")),
        ),
      );
      expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ scenario, mutation });
    },
    TIMEOUT_MS,
  );
});

test.each([
  ["S4-16", "D/reader-limit", "D-M14"],
  ["S4-17", "D/lock-against-unmap", "D-M8"],
  ["S4-18", "D/fault-against-unmap", "D-M12"],
  ["S4-19", "D/recycle-as-copy", "D-M6"],
  ["S4-20", "D/reader-limit", "D-M21"],
  ["S4-21", "D/recycle-there", "D-M7"],
])(
  "%s: %s shows %s",
  async (_row, scenario, mutation) => {
    const file = join(mkdtempSync(join(tmpdir(), "pagewalk-explore-")), "found.json");
    const search = ["explore", scenario, "--mutate", mutation, "--schedules", "4000", "--jobs", "1", "--keep", file];
    const { status, stdout } = await pagewalk(search, { timeoutMs: TIMEOUT_MS });
    expect(status, stdout.toString()).toBe(1);
  },
  TIMEOUT_MS,
);

// Each was once found by one seed of three, or needed 7,000 schedules.
test.each([
  ["B/full-flush", "B-M15", 5000, []],
  ["D/attach-weak", "D-M5a", 4000, []],
  ["D/foreign-vma", "D-M9", 1000, ["--strategy", "exhaustive", "--depth", "4"]],
] as const)(
  "%s: %s does not depend on the seed",
  async (scenario, mutation, schedules, strategy) => {
    for (const seed of [2, 3]) {
      const search = ["explore", scenario, "--mutate", mutation, "--schedules", `${schedules}`, "--seed", `${seed}`];
      const { status } = await pagewalk([...search, ...strategy, "--keep", "/dev/null"], { timeoutMs: TIMEOUT_MS });
      expect(status, `seed ${seed}`).toBe(1);
    }
  },
  TIMEOUT_MS,
);

test.each([
  ["D/fault-against-unmap", "D-M11", "refcount-typesafe"],
  ["D/fault-against-shrink", "D-M17", "rwsem-external"],
  ["D/reader-limit", "D-M14", "refcount"], // it used to blame rwsem-external, which counts nothing
])(
  "S4-23: %s with %s is tried under the earlier policies too: the first to fail is %s",
  async (scenario, mutation, first) => {
    const file = join(mkdtempSync(join(tmpdir(), "pagewalk-explore-")), "found.json");
    const search = ["explore", scenario, "--mutate", mutation, "--schedules", "2000", "--jobs", "1", "--keep", file];
    const { status, stdout } = await pagewalk(search, { timeoutMs: TIMEOUT_MS });
    expect(status).toBe(1);
    expect(stdout.toString().trimEnd().split("\n").at(-1)).toBe(`first to fail: ${first}`);
  },
  TIMEOUT_MS,
);

test(
  "S4-3: the same scenarios without a mistake are not accused",
  async () => {
    for (const scenario of new Set(QUICK.map(([name]) => name))) {
      const { status, stdout } = await pagewalk(["explore", scenario, "--schedules", "100"], { timeoutMs: TIMEOUT_MS });
      expect(stdout.toString()).toContain("nothing found");
      expect(status).toBe(0);
    }
  },
  TIMEOUT_MS,
);
