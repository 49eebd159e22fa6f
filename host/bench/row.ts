// One line of a benchmark: what was measured, next to what, and whether it reaches its goal.

import { pairedRatio, type Spread, spreadOf } from "./statistics.ts";

/** A bound on the measured value itself, or on its ratio to the baseline. */
export interface Goal {
  readonly of: "value" | "ratio";
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Baseline {
  readonly name: string;
  readonly value: Spread;
}

export interface Row {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly value: Spread;
  /** null: not measured here (the tool is absent), or there is nothing to compare with. */
  readonly baseline: Baseline | null;
  /** value / baseline, pair by pair: of rates, more is better; of times, less. */
  readonly ratio: Spread | null;
  readonly goal: Goal | null;
  /** null: no goal, or its baseline is absent. */
  readonly met: boolean | null;
  readonly note: string | null;
}

export interface RowOptions {
  readonly baseline?: { readonly name: string; readonly samples: readonly number[] } | null;
  readonly goal?: Goal;
  readonly note?: string;
}

export function makeRow(
  { group, name, unit }: { group: string; name: string; unit: string },
  samples: readonly number[],
  options: RowOptions = {},
): Row {
  const { baseline = null, goal = null, note = null } = options;
  const value = spreadOf(samples);
  const ratio = baseline && pairedRatio(samples, baseline.samples);
  return {
    group,
    name,
    unit,
    value,
    baseline: baseline && { name: baseline.name, value: spreadOf(baseline.samples) },
    ratio,
    goal,
    met: goal && isMet(goal, value, ratio),
    note,
  };
}

function isMet(goal: Goal, value: Spread, ratio: Spread | null): boolean | null {
  const judged = goal.of === "value" ? value : ratio;
  if (judged === null) return null;
  // What could not be measured (NaN) reaches no goal.
  if (goal.atLeast !== undefined && !(judged.median >= goal.atLeast)) return false;
  return goal.atMost === undefined || judged.median <= goal.atMost;
}
