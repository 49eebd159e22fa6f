// Runs a suite: prepare the baselines, measure what the filter lets through, report.

import { prepareBaselines } from "./baselines.ts";
import { type Bench, type Suite, select } from "./bench.ts";
import { coreSuite } from "./core.ts";
import { faultSuite } from "./faults.ts";
import { kernelSuite } from "./kernel.ts";
import { benchPaths } from "./paths.ts";
import { policySuite } from "./policies.ts";
import { describeHost, type Report } from "./report.ts";
import type { Row } from "./row.ts";
import { vmaLockSuite } from "./vma-lock.ts";

export type SuiteName = "core" | "faults" | "kernel" | "policies" | "vma-lock";

export const SUITES: Readonly<Record<SuiteName, Suite>> = {
  core: coreSuite,
  faults: faultSuite,
  kernel: kernelSuite,
  policies: policySuite,
  "vma-lock": vmaLockSuite,
};

export interface BenchOptions {
  readonly repeats: number;
  /** Part of "group/name"; "" selects everything. */
  readonly filter: string;
  /** Told the rows that are measured next. */
  onProgress?(text: string): void;
}

/** Throws if the filter selects nothing, or if something that is measured fails. */
export async function runSuite(name: SuiteName, { repeats, filter, onProgress }: BenchOptions): Promise<Report> {
  const suite = SUITES[name];
  const selected = select(suite, filter);
  if (selected.length === 0) throw new Error(`no row of bench ${name} contains ${JSON.stringify(filter)}`);
  const started = new Date().toISOString();
  const paths = benchPaths(import.meta.url);
  const baselines = prepareBaselines(paths);
  try {
    const bench: Bench = { repeats, paths, baselines };
    const rows: Row[] = [];
    for (const measurable of selected) {
      onProgress?.(`${measurable.group}: ${measurable.names[0]}`);
      rows.push(...(await measurable.measure(bench)));
    }
    rows.push(...suite.summarize(rows));
    return { schema: 1, suite: name, started, repeats, host: describeHost(), missing: baselines.missing, rows };
  } finally {
    baselines.dispose();
  }
}
