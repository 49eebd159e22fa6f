// qemu-riscv64 has no rseq: what Linux answers is written down here.

import { expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

const EXPECTED = `too short: -22, unaligned -22, flags -22, not registered -22
again: -16, another signature -1, another place -22
it says where it runs: 1
left by an abort; handler ran 1, inside the sequence 0
6 threads have counted: all of it 1
`;

const MEMBARRIER = `query: 3ff
not registered: -1 -1 -1, global 0 0
flags: -22, unknown -22, of one hart -22
registrations: 0, register 0, then 50: 0, but -1
register: 0 0 0, then 154
registered: 0 0, a hart that is not there 0
a sequence without an end was left: 1
`;

test.each([1, 2, 4])("membarrier puts other threads out of their sequences, on %d harts", async (harts) => {
  const outcome = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/membarrier`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", MEMBARRIER, 0]);
});

test.each([1, 2, 4])("restartable sequences are aborted when they lose their hart, on %d harts", async (harts) => {
  const outcome = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/rseq`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", EXPECTED, 0]);
});
