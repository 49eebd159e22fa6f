// The statements of the debates that the policies come from: one test each, by its number.

import { readFileSync } from "node:fs";
import { ROOT } from "../../support/paths.ts";
import type { Report } from "../report.ts";
import { runTests } from "../tests.ts";

const FILES = ["tests/policy/spec-rows.test.ts", "tests/policy/spec-rows-long.test.ts", "tests/policy/counted.test.ts"];
const ROWS = [...numbered("S0", 8), ...numbered("S3", 13)];

function numbered(thread: string, count: number): string[] {
  return Array.from({ length: count }, (_, row) => `${thread}-${row + 1}`);
}

export async function debates(report: Report): Promise<void> {
  const source = FILES.map((file) => readFileSync(`${ROOT}/${file}`, "utf8")).join("\n");
  const missing = ROWS.filter((row) => !new RegExp(`"[^"]*\\b${row}\\b[^"]*"`).test(source));
  report.add("statements with a test", ROWS.length, missing);
  await runTests(report, "their tests", FILES);
}
