// The command from outside: what it finds, what it prints, how it ends.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

test("a scenario without a mistake in it is searched and nothing is found", async () => {
  const { status, stdout } = await pagewalk(["explore", "A/exit-while-lazy", "--schedules", "300", "--jobs", "1"]);
  expect(stdout.toString()).toMatch(/^A\/exit-while-lazy: 300 schedules, .*: nothing found\n$/);
  expect(status).toBe(0);
});

test("how much has been tried grows with the schedules", async () => {
  const tried: number[] = [];
  for (const schedules of ["10", "1000"]) {
    const { stdout } = await pagewalk(["explore", "A/two-exits", "--schedules", schedules, "--jobs", "1"]);
    const [, switched, reached] = /switches at (\d+) of (\d+) points/.exec(stdout.toString()) ?? [];
    expect(Number(switched)).toBeLessThanOrEqual(Number(reached));
    tried.push(Number(switched));
  }
  expect(tried[1]).toBeGreaterThan(tried[0]);
});

test("a combination that runs otherwise than its name says is announced, as by run", async () => {
  const policy = ["--policy", "lazy-tlb=shoot-at-flush,tlb-flush=broadcast"];
  const { stderr, status } = await pagewalk(["explore", "A/exit-while-lazy", ...policy, "--schedules", "10"]);
  expect(stderr).toMatch(/^pagewalk: shoot-at-flush with broadcast runs as shoot: /);
  expect(status).toBe(0);
});

describe("a kept schedule", () => {
  const file = join(mkdtempSync(join(tmpdir(), "pagewalk-explore-")), "found.json");

  test("of a search without the memory model is replayed without it: with it, it does not fit", async () => {
    const search = ["explore", "D/recycle-weak", "--mutate", "D-M3", "--strong-memory", "--schedules", "3000"];
    const found = await pagewalk([...search, "--jobs", "1", "--keep", file]);
    expect(found.status, found.stdout.toString()).toBe(1);
    const again = await pagewalk(["explore", "--replay", file]);
    expect(again.stdout.toString()).toContain("read-locked that a writer has too");
    expect(again.status).toBe(1);
  });

  test("that does not fit is no bug of the kernel: it used to be reported as one", async () => {
    const schedule = JSON.parse(readFileSync(file, "utf8")) as { choices: string };
    writeFileSync(file, JSON.stringify({ ...schedule, choices: schedule.choices.split(" ")[0] }));
    const { stderr, stdout, status } = await pagewalk(["explore", "--replay", file]);
    expect(stderr).toMatch(/^pagewalk: the schedule is of another kernel or scenario: .*\n$/);
    expect(stdout.toString()).toBe("");
    expect(status).toBe(125);
  });

  test("is shown even if it cannot be kept after all", async () => {
    const search = ["explore", "A/exit-while-lazy", "--mutate", "A-M1", "--jobs", "1", "--keep", "/dev/full"];
    const { stderr, stdout, status } = await pagewalk(search);
    expect(stdout.toString()).toContain("has a freed root table in satp");
    expect(stderr).toMatch(/^pagewalk: the schedule is not kept: ENOSPC.*say --keep FILE\n$/);
    expect(status).toBe(1);
  });
});

test("an unknown scenario gets one line", async () => {
  const { status, stderr } = await pagewalk(["explore", "A/nothing"]);
  expect(stderr).toBe("pagewalk: scenario A/nothing: explore --list shows what there is (see --help)\n");
  expect(status).toBe(125);
});

test("a family that does not exist is refused: it used to count as searched, with nothing missed", async () => {
  const { status, stdout, stderr } = await pagewalk(["explore", "--all", "--family", "A,Q", "--mutations"]);
  expect(stderr).toBe('pagewalk: family "Q": there is A, B, F, D (see --help)\n');
  expect(stdout.toString()).toBe("");
  expect(status).toBe(125);
});
