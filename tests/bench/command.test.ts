// The command, on its quickest row. Runs against the build.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import type { Report } from "../../host/bench/report.ts";

const run = promisify(execFile);
const cli = "build/pagewalk.cjs";
const directory = mkdtempSync(join(tmpdir(), "pagewalk-bench-test-"));

afterAll(() => rmSync(directory, { recursive: true }));

test("bench core prints a table and writes JSON of schema 1", async () => {
  const file = join(directory, "report.json");
  const args = ["bench", "core", "--filter", "inc-not-zero", "--repeat", "2", "--json", file];
  const { stdout } = await run(process.execPath, [cli, ...args]);
  expect(stdout).toMatch(/^pagewalk bench core: median of 2/);
  expect(stdout).toMatch(/inc-not-zero +[\d.]+ \(/);
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  expect(report).toMatchObject({ schema: 1, suite: "core", repeats: 2, host: { node: process.version } });
  expect(report.rows.map(({ group, name, unit }) => [group, name, unit])).toEqual([["mmu", "inc-not-zero", "ns"]]);
  expect(report.rows[0].value.samples).toHaveLength(2);
});

test.each([
  [["bench", "core", "--filter", "no such row"], /no row of bench core contains "no such row"/],
  [["bench", "core", "--repeat", "0"], /Give 1 to 1000/],
  [["bench", "nothing"], /nothing/],
])("%j is refused with one line and exit code 125", async (args, line) => {
  const failure = await run(process.execPath, [cli, ...args]).catch((error) => error);
  expect(failure.code).toBe(125);
  expect(failure.stderr.trimEnd()).toMatch(line);
  expect(failure.stderr.trimEnd().split("\n")).toHaveLength(1);
});

test.each(["bench", "core", "faults"])("--help of %s has an example", async (name) => {
  const { stdout } = await run(process.execPath, [cli, "bench", ...(name === "bench" ? [] : [name]), "--help"]);
  expect(stdout).toMatch(/Examples?:\n +pagewalk bench/);
});
