// By how much counters go up in a step.

import { expect } from "vitest";
import { HART_COUNTERS } from "../../assembly/layout.ts";
import { COUNTERS } from "../../host/observe/counters.ts";
import type { Hart } from "../../host/policy/hart.ts";

export type Counts = Readonly<Record<string, number>>;

/** By how much `names` have gone up in the step, over all harts; those that have not are left out. */
export function counted(harts: readonly Hart[], names: readonly string[], step: () => void): Counts {
  const rows = COUNTERS.filter(({ name }) => names.includes(name));
  expect(rows).toHaveLength(names.length);
  const read = () => rows.map(({ offset }) => harts.reduce((sum, hart) => sum + hart.get(HART_COUNTERS + offset), 0));
  const before = read();
  step();
  const after = read();
  const changes = rows.map(({ name }, index) => [name, after[index] - before[index]] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}
