import { describe, expect, test } from "vitest";
import { interleave, interleavePair } from "../../host/bench/interleave.ts";
import { makeRow } from "../../host/bench/row.ts";
import { geometricMean, pairedRatio, spreadOf } from "../../host/bench/statistics.ts";

describe("spread", () => {
  test("the median of an odd count is the middle sample, of an even count the mean of the two in the middle", () => {
    expect(spreadOf([9, 1, 5])).toMatchObject({ median: 5, min: 1, max: 9 });
    expect(spreadOf([4, 1, 2, 100])).toMatchObject({ median: 3, min: 1, max: 100 });
  });

  test("samples keep the order in which they were taken", () => {
    expect(spreadOf([3, 1, 2]).samples).toEqual([3, 1, 2]);
  });

  test("sorting is by number, not by text", () => {
    expect(spreadOf([10, 9, 100]).median).toBe(10);
  });

  test("no samples are an error", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
    expect(() => geometricMean([])).toThrow(RangeError);
  });
});

test("the geometric mean of a ratio and its inverse is 1", () => {
  expect(geometricMean([4, 1 / 4])).toBeCloseTo(1, 12);
  expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
});

test("ratios are taken pair by pair, so that what slows both down cancels out", () => {
  const ratio = pairedRatio([10, 100, 30], [20, 200, 60]);
  expect(ratio).toMatchObject({ median: 0.5, min: 0.5, max: 0.5 });
  expect(() => pairedRatio([1], [1, 2])).toThrow(RangeError);
});

describe("goals", () => {
  const row = { group: "g", name: "n", unit: "ns" };
  const baseline = { name: "b", samples: [10, 10, 10] };

  test("a bound on the ratio is judged by the median", () => {
    const atMost = { of: "ratio", atMost: 1.2 } as const;
    expect(makeRow(row, [11, 12, 90], { baseline, goal: atMost }).met).toBe(true);
    expect(makeRow(row, [11, 13, 90], { baseline, goal: atMost }).met).toBe(false);
    const atLeast = { of: "ratio", atLeast: 3 } as const;
    expect(makeRow(row, [30, 30, 1], { baseline, goal: atLeast }).met).toBe(true);
    expect(makeRow(row, [29, 29, 90], { baseline, goal: atLeast }).met).toBe(false);
  });

  test("a bound on the value needs no baseline", () => {
    expect(makeRow(row, [149], { goal: { of: "value", atMost: 150 } }).met).toBe(true);
  });

  test("without its baseline a ratio is neither met nor missed", () => {
    const { met, ratio } = makeRow(row, [1], { baseline: null, goal: { of: "ratio", atMost: 1 } });
    expect({ met, ratio }).toEqual({ met: null, ratio: null });
  });

  test("a row without a goal has no verdict", () => {
    expect(makeRow(row, [1, 2, 3], { baseline }).met).toBeNull();
  });
});

test("measurements take turns", async () => {
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  const samples = await interleave(3, [note("a"), note("b")]);
  expect(order.join("")).toBe("ababab");
  expect(samples).toEqual([
    [1, 3, 5],
    [2, 4, 6],
  ]);
});

test("an absent baseline leaves only our own samples", async () => {
  expect(await interleavePair(2, () => 7, null)).toEqual({ ours: [7, 7], baseline: null });
});
