// What every measurement gets, and what a suite is made of.

import type { Baselines } from "./baselines.ts";
import type { BenchPaths } from "./paths.ts";
import type { Row } from "./row.ts";

export interface Bench {
  readonly repeats: number;
  readonly paths: BenchPaths;
  readonly baselines: Baselines;
}

/** Rows that have to be measured together, because they are interleaved or divide each other. */
export interface Measurable {
  readonly group: string;
  /** Names of the rows that measure() answers with. */
  readonly names: readonly string[];
  measure(bench: Bench): Promise<readonly Row[]>;
}

export interface Suite {
  readonly name: string;
  readonly measurables: readonly Measurable[];
  /** Rows about other rows, such as a geometric mean over a group; gets what was measured. */
  summarize(rows: readonly Row[]): readonly Row[];
}

/** Those of which a row's "group/name" contains the filter. */
export function select(suite: Suite, filter: string): readonly Measurable[] {
  return suite.measurables.filter(({ group, names }) => names.some((name) => `${group}/${name}`.includes(filter)));
}
