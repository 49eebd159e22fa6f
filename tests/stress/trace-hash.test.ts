// The same seed gives the same run, to the byte; another seed gives another one.

import { describe, expect, test } from "vitest";
import { seedFrom } from "../support/seeds.ts";
import { TRACED, traceOf } from "./trace-hash.ts";

const SEED = seedFrom("TRACE_SEED");
const SEEDS = [1, SEED, SEED + 1];

describe.each(TRACED)("%s", (...args) => {
  test("has one trace per seed", async () => {
    const traces = [];
    for (const seed of SEEDS) {
      const first = await traceOf(args, 3, seed);
      expect(await traceOf(args, 3, seed), `TRACE_SEED=${SEED} npm test -- tests/stress/trace-hash`).toEqual(first);
      traces.push(first);
    }
    expect(new Set(traces.map(({ stdout }) => stdout)).size).toBe(1);
    expect(new Set(traces.map(({ hash }) => hash)).size).toBe(SEEDS.length);
  });
});
