import { describe, expect, test } from "vitest";
import { runLitmus } from "./litmus.ts";

const ROUNDS_TOTAL = 1_000_000;
const ROWS = 20; // five tests in four variants
const TRIES = 5;

describe.each([2, 4])("on %d harts", (harts) => {
  test(`forbidden outcomes stay away in ${ROUNDS_TOTAL} rounds`, async () => {
    const { status, rows } = await runLitmus(harts, "all", ROUNDS_TOTAL / ROWS);
    expect(rows.filter(({ forbidden }) => forbidden > 0)).toEqual([]);
    expect(rows.reduce((sum, { rounds }) => sum + rounds, 0)).toBe(ROUNDS_TOTAL);
    expect(status).toBe(0);
  });
});

test("store buffering shows its relaxed outcome without fences: the tests can see reordering", async () => {
  for (let attempt = 1; ; attempt++) {
    const { status } = await runLitmus(2, "SB none", 400_000, true);
    if (status === 0 || attempt === TRIES) return expect(status).toBe(0);
  }
});
