// The winners of `pagewalk bench policies`: only a lead that is there in every turn is one.

import { expect, test } from "vitest";
import { policySuite } from "../../host/bench/policies.ts";
import { makeRow, type Row } from "../../host/bench/row.ts";

const STANDARD = [100, 100];

function row(name: string, samples: readonly number[]): Row {
  const baseline = name === "standard" ? null : { name: "standard", samples: STANDARD };
  return makeRow({ group: "storm", name, unit: "k/s" }, samples, { baseline });
}

function noteOfWinner(...others: Row[]): string | null | undefined {
  return policySuite.summarize([row("standard", STANDARD), ...others])[0]?.note;
}

test("the policy that leads the default by most, turn by turn, wins", () => {
  expect(noteOfWinner(row("some", [104, 106]), row("most", [110, 130]))).toBe("most, 1.20 of standard, 1.10 to 1.30");
});

test("a policy that was slower in one turn is no winner, however fast it was in another", () => {
  expect(noteOfWinner(row("lucky", [99, 190]))).toBe("standard, the default");
});
