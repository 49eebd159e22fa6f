// What a fault locks: every policy, every statement of the debate, the mutations, the counters, the measurements.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";
import type { Report } from "./report.ts";
import { runTests } from "./tests.ts";

const FILES = [
  "tests/contract/vma-lock.test.ts",
  "tests/policy/vma-lock-rows.test.ts",
  "tests/policy/vma-lock-counted.test.ts",
  "tests/mm/merge-cases.test.ts",
  "tests/guest/vma-lock.test.ts",
  "tests/simulate/mutations.test.ts",
];
/** Row 15, a table of 1 to 56 processors, needs the cost model. */
const ROWS = Array.from({ length: 24 }, (_, row) => row + 1).filter((row) => row !== 15);
const HOURS_MAX = 6;
const SCHEDULES = process.env.ACCEPTANCE_SCHEDULES ?? "100000";

export async function vmaLockPolicies(report: Report): Promise<void> {
  const source = FILES.map((file) => readFileSync(`${ROOT}/${file}`, "utf8")).join("\n");
  const missing = ROWS.filter((row) => !new RegExp(`\\bS4-${row}\\b`).test(source)).map((row) => `S4-${row}`);
  report.add("statements with a test", ROWS.length, missing);
  await runTests(report, "their tests", [...FILES, "tests/guest/policies.test.ts"]);
}

export async function vmaLockMutations(report: Report): Promise<void> {
  const table = ["explore", "--all", "--family", "D", "--mutations", "--schedules", SCHEDULES];
  const { stdout, status } = await pagewalk(table, { timeoutMs: HOURS_MAX * 3600_000 });
  const lines = stdout.toString().trimEnd().split("\n");
  report.note(lines.join("\n"));
  const wrong = lines.filter((line) => / not in \d+ |no scenario|^false report/.test(line));
  report.add(`${lines.at(-1)}`, Math.max(1, lines.length - 2), status === 0 ? [] : wrong);
  await controls(report);
}

/** Every scenario, under the default too, without a mistake. */
async function controls(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "acceptance-"));
  try {
    const log = join(directory, "controls.log");
    const run = ["explore", "--all", "--family", "D", "--controls", SCHEDULES, "--log", log];
    const { stdout, status } = await pagewalk(run, { timeoutMs: HOURS_MAX * 3600_000 });
    const lines = stdout.toString().trimEnd().split("\n");
    const wrong = lines.filter((line) => line.startsWith("false report"));
    report.add(`${lines.at(-1)}`, 1, status === 0 ? [] : wrong);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function vmaLockBench(report: Report): Promise<void> {
  const { stdout, stderr, status } = await pagewalk(["bench", "vma-lock"], { timeoutMs: HOURS_MAX * 3600_000 });
  report.note(stdout.toString());
  report.add("bench vma-lock", 1, status === 0 ? [] : [`exit code ${status}: ${stderr}`]);
}
