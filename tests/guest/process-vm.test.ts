// qemu-riscv64 7.2 has no process_vm_readv: what Linux answers is written down here.

import { expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

const EXPECTED = `read: 16384 bytes, right 1, mine are 0
what the child has never touched: 100, zero 1
all of it: 163840, beyond it: -14, across its end: 10
write to a page that is shared since the fork: 1, mine stays o
write across a page: 2, read-only: -14
vectors of other lengths: 8 1 2 20 21 25
a bad one in the middle: 2
into nowhere: -14
flags: -22, nobody: -3, nothing: 0
the child found what was written: exit 7
`;

test.each([1, 4])("a parent reads and writes its child's memory, on %d harts", async (harts) => {
  const outcome = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/process-vm`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", EXPECTED, 0]);
});
