// qemu-riscv64 7.2 knows little of pidfds: this is what Linux 6.18 said on x86-64, to the same source.

import { expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

const EXPECTED = `pidfd_open: 0 -22, nobody -3, flags -22
read -22, poll 0, not a pidfd -9, flags -22, bad signal -22, nothing 0
waitid: -1 -22, not a pidfd -9, no child -10
alive: poll 0, signal 0 0, waitid -11, waitid 0 (0, 0, 0)
ended: poll 1, signal 0 0, waitid 0 (17, 1, 7)
waited for: poll 17, signal 0 -3, waitid -10, open -3
CLONE_PIDFD with CLONE_PARENT_SETTID: -22, to nowhere -14
the child has no descriptor: waitid 0 (17, 1, 0)
killed: 0, waitid 0 (17, 2, 15)
pidfd_getfd: flags -22, not open -9, not a pidfd -9
process_madvise: cold 4096, pageout 4096, willneed 4096, flags -22, unaligned behind another 4096, alone -22
process_madvise: dontneed -22, not a pidfd -9
waitid 0 (17, 1, 9) by a byte through its own pipe, then getfd -3, madvise -3
`;

test.each([1, 4])("a descriptor stands for a process and not for its number, on %d harts", async (harts) => {
  const outcome = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/pidfd`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", EXPECTED, 0]);
});
