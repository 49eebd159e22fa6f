import { expect, test } from "vitest";
import * as trace from "../../host/memory/trace.ts";
import { TRACE_EVENTS } from "../../host/observe/trace-events.ts";

/** What the rings carry besides events. */
const OWN_RECORDS: readonly string[] = ["TRACE_COMM", "TRACE_LOST_EVENTS"];

test("every event has a row, whose name is that of its constant", () => {
  const constants = Object.entries(trace).filter(
    ([name, value]) => name.startsWith("TRACE_") && typeof value === "number" && !OWN_RECORDS.includes(name),
  );
  const names = TRACE_EVENTS.map((row) => [`TRACE_${row.name.toUpperCase()}`, row.event]);
  expect(names.sort()).toEqual(constants.sort());
});

test("every event has a bit of its own", () => {
  const bits = new Set(TRACE_EVENTS.map(({ event }) => event));
  expect(bits.size).toBe(TRACE_EVENTS.length);
  expect(Math.max(...bits)).toBeLessThan(trace.TRACE_COMM);
});
