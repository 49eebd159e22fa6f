// qemu-riscv64 has no userfaultfd: what Linux answers is written down here.

import { expect, test } from "vitest";
import { POOL_MM, POOL_UFFD, POOL_VMA, STOP_EXIT } from "../../assembly/layout.ts";
import { runGuest } from "../kernel/one-hart.ts";
import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

const EXPECTED = `flags: -22
before UFFDIO_API: register -22, read -22, poll 8
another api: -22, zeroed 1
this api: 0, twice -22
read with nothing pending: -11, too short -22
mode 0: -22, unaligned -22, empty -22, unmapped -22
register: 0, copy 1 zeropage 1 wake 1 writeprotect 0
registered with another: -16
copy: 0 4096
copy over a page: -17 -17
copy of two, the second is there: -11 4096
copy from nowhere: -14 -14
copy to what is not registered: -2 -2
copy, unknown mode -22, write-protected without WP -22
zeropage: 0 4096, it reads 0
writeprotect without WP: -2
content: 1 1
after close: 0
loads: 8 pages right, 8 missing, 0 by stores
stores: 8 pages right, 8 missing, 8 by stores
write from pages that come late: 32768, 8 missing, 0 by stores
read into pages that come late: 32768, right 1, 8 missing, 8 by stores
a signal while it waits: handler ran 1, page right 1
write-protected: 4 pages read, 0 stores told
stores: 4 told
after mprotect to and fro: 5 told
in a child: exit 7, in its parent 6 told
unregister: 0, then 6 told
with UFFD_FEATURE_SIGBUS: 1 signals, then it reads 0
a call gets EFAULT: -14
moved elsewhere it is registered no more: 0
`;

test("userfaultfd delivers pages, tells of stores, and leaves nothing behind", () => {
  const run = runGuest("userfault");
  expect([run.oops, run.stderr, run.stop, run.status]).toEqual(["", "", STOP_EXIT, 0]);
  expect(run.stdout).toBe(EXPECTED);
  expect(run.framesLost).toBe(0);
  expect([POOL_VMA, POOL_UFFD].map((pool) => run.live[pool])).toEqual([0, 0]);
  expect(run.live[POOL_MM]).toBe(1);
});

test.each([2, 4])("the same on %d harts", async (harts) => {
  const outcome = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/userfault`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", EXPECTED, 0]);
});
