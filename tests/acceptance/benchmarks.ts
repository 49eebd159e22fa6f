import { pagewalk } from "../support/process.ts";
import type { Report } from "./report.ts";

const TIMEOUT_MS = 30 * 60_000;

/** The tables say themselves which row reaches its mark. */
export async function benchmarks(report: Report): Promise<void> {
  for (const suite of ["core", "faults"]) {
    const { stdout, stderr, status } = await pagewalk(["bench", suite], { timeoutMs: TIMEOUT_MS });
    report.note(stdout.toString());
    report.add(`bench ${suite}`, 1, status === 0 ? [] : [`exit code ${status}: ${stderr}`]);
  }
}
