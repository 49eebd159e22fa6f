// STRESS_SEED and STRESS_RUNS replay or lengthen; `npm run acceptance -- 5` runs each a thousand times.

import { describe, expect, test } from "vitest";
import { seedFrom } from "../support/seeds.ts";
import { RACES, repeatRace } from "./races.ts";

const SEED = seedFrom("STRESS_SEED");
const RUNS = Number(process.env.STRESS_RUNS ?? 5);

describe.each(RACES)("%s", (race) => {
  test.each([2, 4])(`loses nothing in ${RUNS} runs on %d harts`, async (harts) => {
    const failures = await repeatRace(race, harts, RUNS, SEED);
    expect(failures, `STRESS_SEED=${SEED} STRESS_RUNS=${RUNS} npm test -- tests/stress/races`).toEqual([]);
  });
});

test("munmap-race works on 32 harts", async () => {
  expect(await repeatRace("munmap-race", 32, 1, SEED)).toEqual([]);
});
