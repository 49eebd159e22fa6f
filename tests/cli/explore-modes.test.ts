// What `pagewalk explore` refuses instead of leaving it out: options that would do nothing.

import { describe, expect, test } from "vitest";
import type { ExploreFlags } from "../../host/cli/explore/explore-flags.ts";
import { exploreMode } from "../../host/cli/explore/explore-modes.ts";
import { parseCount } from "../../host/cli/sizes.ts";
import { misfitOf } from "../../host/simulate/scenario.ts";
import { SCENARIOS } from "../../host/simulate/scenarios/all.ts";
import { pagewalk } from "../support/process.ts";

const DEFAULTS: ExploreFlags = {
  strategy: "mixed",
  depth: 3,
  seed: 1,
  schedules: 100,
  mutate: "",
  policy: {},
  inject: [],
  jobs: 1,
  after: 0,
  family: "A",
};

function modeOf(scenario: string, typed: Partial<ExploreFlags>): string {
  return exploreMode(scenario, { ...DEFAULTS, ...typed }, Object.keys(typed));
}

test.each([
  ["A/two-exits", { schedules: 5, shard: { index: 1, count: 2 }, json: "a", strongMemory: true }, "search"],
  ["A/two-exits", { show: 3, after: 100, mutate: "A-M1" }, "show"],
  ["", { replay: "a.json", jobs: 2 }, "replay"],
  ["", { merge: ["a", "b"], keep: "c" }, "merge"],
  ["", { list: true }, "list"],
  ["", { all: true, mutations: true, family: "A,B", seed: 2, schedules: 100 }, "all --mutations"],
  ["", { all: true, medians: 20, log: "a" }, "all --medians"],
  ["", { all: true, controls: 100, log: "a", shard: { index: 1, count: 2 } }, "all --controls"],
] as const)("%j with %j is %s", (scenario, typed, mode) => {
  expect(modeOf(scenario, typed)).toBe(mode);
});

describe("refused:", () => {
  test.each([
    ["", {}, "which scenario?"],
    ["", { mutations: true }, "--mutations does not go with a search of one scenario"],
    ["", { all: true }, "--all: say --mutations"],
    ["A/two-exits", { all: true, mutations: true }, "scenario A/two-exits does not go with --all --mutations"],
    ["", { all: true, mutations: true, shard: { index: 1, count: 2 } }, "--shard does not go with --all --mutations"],
    ["", { all: true, mutations: true, policy: { cpumask: "sticky" } }, "--policy does not go with"],
    ["", { all: true, medians: 3, strategy: "pct" }, "--strategy does not go with --all --medians"],
    ["", { all: true, controls: 3, schedules: 9 }, "--schedules does not go with --all --controls"],
    ["A/two-exits", { log: "a" }, "--log does not go with a search of one scenario"],
    ["A/two-exits", { after: 5 }, "--after does not go with a search of one scenario"],
    ["", { replay: "a.json", strongMemory: true }, "--strong-memory does not go with --replay"],
    ["", { merge: ["a"], json: "b" }, "--json does not go with --merge"],
  ] as const)("%j with %j", (scenario, typed, message) => {
    expect(() => modeOf(scenario, typed)).toThrow(message);
  });

  test.each([
    [["--schedules", "0"], "1 or more"],
    [["--depth", "0"], "1 or more"],
    [["--jobs", "0"], "1 or more"],
    [["--jobs", "2000"], "Give 1 to 64."],
    [["--shard", "1/2/3"], "I/N with I from 1 to N"],
    [["--shard", "3/2"], "I/N with I from 1 to N"],
    [["--keep", "/nowhere/at/all"], "There is no such directory."],
    [["--policy", "lazy-tlb"], "Give SEAM=NAME."],
    [["--policy", "lazy-tlb=nonsense"], "policy lazy-tlb=nonsense: there is eager"],
    [["--policy", "lazy-tlb=last-mmput,tlb-flush=hash-batch"], "pagewalk: last-mmput with hash-batch: "],
    [["--mutate", "A-M99"], "mutation A-M99: there is A-M1"],
  ])("explore A/two-exits %j, in one line", async (options, message) => {
    const { stderr, stdout, status } = await pagewalk(["explore", "A/two-exits", ...options]);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout.toString()).toBe("");
    expect(status).toBe(125);
  });
});

test("a scenario that would accuse a policy of what it is not about is not run under it", async () => {
  const { stderr, status } = await pagewalk(["explore", "D/reader-limit", "--policy", "vma-lock=rwsem"]);
  expect(stderr).toBe("pagewalk: D/reader-limit is about vma-lock refcount-typesafe, refcount (see --help)\n");
  expect(status).toBe(125);
  for (const scenario of SCENARIOS) {
    expect(misfitOf(scenario, scenario.policies ?? {})).toBe("");
    for (const policies of Object.values(scenario.finds)) {
      expect(misfitOf(scenario, { ...scenario.policies, ...policies })).toBe("");
    }
  }
});

test("a count is a whole number, 1 or more", () => {
  expect(parseCount("1")).toBe(1);
  for (const text of ["0", "", "-1", "1.5"]) expect(() => parseCount(text)).toThrow();
});
