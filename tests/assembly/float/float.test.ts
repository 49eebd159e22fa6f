// The floating-point functions against the real instructions: every operation, in every rounding mode, with fflags
// clear and with NX already set (which takes other paths).
//
// FLOAT_SEED replays a run; FLOAT_CASES is the number of random cases per operation.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cornerCases, describeCase, fusedCornerCases, randomCases } from "./cases.ts";
import { FloatHarness, missingOracleTools } from "./harness.ts";
import { OPERATIONS, OperandSource } from "./operands.ts";

const NX = 1;
const SEED = Number(process.env.FLOAT_SEED ?? Date.now() % 2 ** 31);
const RANDOM_CASES = Number(process.env.FLOAT_CASES ?? 30_000);
const REPLAY = `FLOAT_SEED=${SEED} FLOAT_CASES=${RANDOM_CASES} npm test -- tests/assembly/float`;

const missing = missingOracleTools();
const required = process.env.REQUIRE_ORACLES === "1";

describe.skipIf(missing.length > 0 && !required)(`floating point against the instructions, seed ${SEED}`, () => {
  let harness: FloatHarness;
  let compared = 0;

  beforeAll(() => {
    expect(missing, "oracle tools that REQUIRE_ORACLES=1 asks for").toEqual([]);
    harness = new FloatHarness();
    harness.buildOracle();
  });

  afterAll(() => {
    harness?.dispose();
    console.log(`float: ${compared} outcomes compared, replay: ${REPLAY}`);
  });

  function compare(cases: Uint8Array): void {
    const expected = harness.runOracle(cases);
    for (const preset of [0, NX]) {
      const actual = harness.runModule(cases, preset);
      expect(actual.length).toBe(expected.length);
      for (let i = 0; i < expected.length; i += 2) {
        const flags = expected[i + 1] | BigInt(preset);
        if (actual[i] === expected[i] && actual[i + 1] === flags) continue;
        const got = `0x${actual[i].toString(16)} fflags ${actual[i + 1]}`;
        const want = `0x${expected[i].toString(16)} fflags ${flags}`;
        expect.fail(`${describeCase(cases, i / 2)} preset=${preset}: ${got}, want ${want}\n${REPLAY}`);
      }
      compared += expected.length / 2;
    }
  }

  test.each(OPERATIONS)("$name gives the bits and flags of the instruction", (operation) => {
    const source = new OperandSource(SEED + operation.number);
    compare(cornerCases(operation, source));
    if (operation.operands.length === 3) compare(fusedCornerCases(operation));
    compare(randomCases(operation, RANDOM_CASES, source));
  });
});

if (missing.length > 0 && !required) {
  test("floating point is not compared with the instructions", (context) => {
    context.skip(`${OPERATIONS.length} operations skipped: no ${missing.join(", no ")}`);
  });
}
