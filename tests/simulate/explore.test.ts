// The command from outside: what it finds, what it prints, how it ends.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

test("a scenario without a mistake in it is searched and nothing is found", async () => {
  const { status, stdout } = await pagewalk(["explore", "A/exit-while-lazy", "--schedules", "300", "--jobs", "1"]);
  expect(stdout.toString()).toMatch(/^A\/exit-while-lazy: 300 schedules, .*: nothing found\n$/);
  expect(status).toBe(0);
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
