import { expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { COUNTERS } from "../../host/observe/counters.ts";

test("every counter of the layout has one name, and no two share one", () => {
  const offsets = Object.entries(layout).filter(([name]) => name.startsWith("COUNTER_"));
  const named = new Set(COUNTERS.map(({ offset }) => offset));
  expect(offsets.filter(([, offset]) => !named.has(offset)).map(([name]) => name)).toEqual([]);
  expect(named.size).toBe(COUNTERS.length);
  expect(new Set(COUNTERS.map(({ name }) => name)).size).toBe(COUNTERS.length);
});
