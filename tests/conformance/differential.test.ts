// Every instruction of the table against qemu-riscv64: all registers, fcsr and a window of memory.
//
// DIFFERENTIAL_SEED replays a run; DIFFERENTIAL_BATCHES sets its length.

import { describe, expect, test } from "vitest";
import { needTools, QEMU } from "../support/oracles.ts";
import { seedFrom } from "../support/seeds.ts";
import { compareBatch, executedAtLeast, makeBatch } from "./differential.ts";
import { COVERED_NAMES } from "./random-block.ts";

const SEED = seedFrom("DIFFERENTIAL_SEED");
const BATCHES = Number(process.env.DIFFERENTIAL_BATCHES ?? 6);
const INSTRUCTIONS_MIN = 1_000_000;
const REPLAY = `DIFFERENTIAL_SEED=${SEED} DIFFERENTIAL_BATCHES=${BATCHES} npm test -- tests/conformance/differential`;

describe(`random instructions, seed ${SEED}`, () => {
  test("cover the whole table and are enough", () => {
    const batches = Array.from({ length: BATCHES }, (_, number) => makeBatch(SEED, number));
    const used = new Set(batches.flatMap(({ blocks }) => blocks.flatMap(({ items }) => items.map(({ name }) => name))));
    expect(COVERED_NAMES.filter((name) => !used.has(name))).toEqual([]);
    const executed = batches.reduce((sum, batch) => sum + executedAtLeast(batch), 0);
    console.log(
      `differential: at least ${executed} instructions in ${BATCHES} batches, ${COVERED_NAMES.length} mnemonics`,
    );
    if (process.env.DIFFERENTIAL_BATCHES === undefined) expect(executed).toBeGreaterThan(INSTRUCTIONS_MIN);
  });

  test.for(Array.from({ length: BATCHES }, (_, number) => number))(
    "agree with qemu-riscv64, batch %d",
    async (number, context) => {
      needTools(context, QEMU);
      const difference = await compareBatch(makeBatch(SEED, number));
      expect(difference, REPLAY).toBeUndefined();
    },
  );
});
