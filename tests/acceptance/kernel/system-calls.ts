// A million random system calls, and more.

import { fuzzCalls, fuzzCommand } from "../../stress/fuzz-calls.ts";
import { seedFrom } from "../../support/seeds.ts";
import type { Report } from "../report.ts";

const SEED = seedFrom("FUZZ_SEED");
const CALLS = Number(process.env.FUZZ_CALLS ?? 1_000_000);
const HARTS: readonly number[] = [1, 2, 4];

export async function systemCalls(report: Report): Promise<void> {
  for (const harts of HARTS) {
    const failure = await fuzzCalls(harts, CALLS, SEED);
    const failures = failure === undefined ? [] : [`${fuzzCommand(harts, CALLS, SEED)}\n${failure}`];
    report.add(`random system calls of four threads on ${harts} harts, seed ${SEED}`, CALLS, failures);
  }
}
