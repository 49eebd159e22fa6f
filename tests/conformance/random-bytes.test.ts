// RANDOM_BYTES_SEED replays; a failure names the seed of its program.

import { expect, test } from "vitest";
import { seedFrom } from "../support/seeds.ts";
import { runRandomBytes } from "./random-bytes.ts";

const SEED = seedFrom("RANDOM_BYTES_SEED");
const COUNT = Number(process.env.RANDOM_BYTES_COUNT ?? 1000);
const MINUTES_MAX = 18; // a machine takes 0.15 s to start and end on an idle core, ten times that on a busy host

test(`${COUNT} programs of random bytes end by a signal, or by an exit of their own`, {
  timeout: MINUTES_MAX * 60_000,
}, async () => {
  const tally = await runRandomBytes(SEED, COUNT);
  const { exits, signals, loops, failures } = tally;
  console.log(`random bytes: ${signals} killed by a signal, ${exits} exited, ${loops} looped until stopped`);
  expect(failures, `RANDOM_BYTES_SEED=${SEED} npm test -- tests/conformance/random-bytes`).toEqual([]);
  expect(exits + signals + loops).toBe(COUNT);
  expect(signals).toBeGreaterThan(COUNT / 4); // on a busy host many that would die loop for longer than they may
});
