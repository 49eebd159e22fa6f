// `npm run acceptance -- kernel 4` makes a million calls.

import { expect, test } from "vitest";
import { seedFrom } from "../support/seeds.ts";
import { fuzzCalls, fuzzCommand } from "./fuzz-calls.ts";

const SEED = seedFrom("FUZZ_SEED");
const CALLS = Number(process.env.FUZZ_CALLS ?? 30_000);

test.each([1, 4])("random calls from four threads do not bring the machine down, on %d harts", async (harts) => {
  expect(await fuzzCalls(harts, CALLS, SEED), fuzzCommand(harts, CALLS, SEED)).toBeUndefined();
});
