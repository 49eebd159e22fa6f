// Both ends of pipes and FIFOs on two harts, in other schedules each time.

import { expect, test } from "vitest";
import { seedFrom } from "../support/seeds.ts";
import { traceOf } from "./trace-hash.ts";

const SEED = seedFrom("PIPES_SEED");
const SCHEDULES = 16;

test("who opens a FIFO does not wait for an end that came and went while he opened it", async () => {
  const expected = (await traceOf(["pipes"], 1, SEED)).stdout;
  for (let seed = SEED; seed < SEED + SCHEDULES; seed++) {
    // A task that waits in vain leaves no hart with anything to do, which ends the machine.
    const { stdout } = await traceOf(["pipes"], 2, seed);
    expect(stdout, `PIPES_SEED=${seed} npm test -- tests/stress/pipes`).toBe(expected);
  }
});
