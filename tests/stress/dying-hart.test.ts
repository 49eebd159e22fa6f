// A hart that dies while it holds a lock takes the machine with it: an oops within a second, whatever the lock was and
// whoever was waiting for it.

import { describe, expect, test } from "vitest";
import { exitCodeOf, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";

const END_MS = 3000; // a second, were nothing else running
const HARTS = 3;

/** Every section at the start of a hart's life, then wider and wider apart. */
const SECTIONS = [...Array.from({ length: 24 }, (_, index) => index + 1), 40, 60, 100, 160, 260, 420, 680, 1100];

async function dieIn(hart: number, section: number) {
  const program = `${PREBUILT}/fault-storm`;
  const args = ["fault-storm", "6", "64", "20000", "same"];
  const debugDieInLock = { hart, section };
  const machine = await Machine.boot({
    program,
    args,
    harts: HARTS,
    output: () => {},
    timeoutSeconds: 20,
    debugDieInLock,
  });
  const status = await machine.run();
  const endMs = Date.now();
  await machine.dispose();
  const death = status.kind === "oops" ? / at (\d+) ms/.exec(status.message) : null;
  return { status, elapsedMs: death === null ? Number.NaN : endMs - Number(death[1]) };
}

describe.each([0, HARTS - 1])("hart %d dies", (hart) => {
  test.each(SECTIONS)("in its locked section %d, and the machine ends with an oops", async (section) => {
    const { status, elapsedMs } = await dieIn(hart, section);
    expect(status).toEqual({ kind: "oops", message: expect.stringContaining(`hart ${hart}`) });
    expect(exitCodeOf(status)).toBe(125);
    expect(elapsedMs).toBeLessThan(END_MS);
  });
});
