// qemu-riscv64 has no userfaultfd: what Linux answers is written down here.

import { expect, test } from "vitest";
import { POOL_MAPPING, POOL_MM, POOL_UFFD, POOL_UFFD_EVENT, POOL_VMA, STOP_EXIT } from "../../assembly/layout.ts";
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

const EXPECTED_SHARED = `shared and write-protected: 0
missing: 0, copy 1 zeropage 1 continue 0
missing at byte 8: copy 0 4096, it reads 1, the other mapping 1
and the file 1
missing by a store at byte 4112: zeropage 0 4096, then 0 1
a page of the file is mapped without a word: 1
copy over it: -17 -17, not mapped here: -17 -17, zeropage -17 -17
continue a hole: -14 -14, a page 0 4096, again -17 -17
minor: 0, continue 1
minor at byte 12288: continue 0 4096, it reads M
minor by a store at byte 8216: continue 0 4096, then s
a hole is filled without a word: 0
private memory: -22
beyond the end: copy -14 -14, continue -14 -14, a load 1 SIGBUS
private: 0, copy 0 4096, it reads 1, the file 0
`;

const EXPECTED_EVENTS = `over 0, copy -11; remove 4096 to 12288: 0
fault at 4096: it reads 1
over 0, copy -11; unmap 24576 to 32768: 0, then copy -2
over 0, copy -11; unmap 20480 to 24576: 1, not registered: it reads 0
over 0, copy -11; remap of 16384 bytes from 0 to the place, unmap 0 to 16384: 1, it reads 1
registered there: copy -17, where it was: copy -2
over 0, copy -11; remove 4096 to 12288
over 0, copy -11; fork; in the copy: fault at 4096, fault at 0 by a store: exit 7, the original reads p
the copy has ended: copy -3
over 0, copy -11; closed instead of read: exit 1
`;

// What Linux 6.18 said on x86-64, to the same source.
const EXPECTED_MARKS = `shared: register 0, protect 0, there: load 97 store -14, not there: store -14 load 0 store -14
  not protected: store 1, after MADV_DONTNEED: store -14 -14, unprotect 0, store 1 1, still: -14
  paged out: store -14 1, load 101
  in a child: exit 5, in its parent -14, unregister 0, store 1
private: register 0, protect 0, there: load 97 store -14, not there: store -14 load 0 store -14
  not protected: store 1, after MADV_DONTNEED: store 1 1, unprotect 0, store 1 1, still: -14
  paged out: store -14 1, load 101
  in a child: exit 5, in its parent -14, unregister 0, store 1
private: poison 0 8192, load -14 store -14, again -17 -17, over a page -11 4096
  zeropage -17, copy 0, load 0
  in a child: exit 5, after MADV_DONTNEED: copy 0, load 0
shared: poison 0 8192, load -14 store -14, again -17 -17, over a page -11 4096
  zeropage 0, copy -17, load 0
  in a child: exit 6, after MADV_DONTNEED: copy -17, load 0
move: 0 8192, it reads ab, left behind 0, to a page -17 -17, a hole -11 4096, with leave 0 8192
  to what is not registered -22, mode -22, from nowhere -2, over the end -22
  shared with a child: -16, then 0 4096, it reads C, store 1, left behind 0
one munmap: the first was told, over -11, and the second, over 1
`;

test("what is write-protected, poisoned or moved is so before and after there is a page", () => {
  const run = runGuest("userfault-marks");
  expect([run.oops, run.stderr, run.stdout, run.stop, run.status]).toEqual(["", "", EXPECTED_MARKS, STOP_EXIT, 0]);
  expect([run.framesLost, run.live[POOL_UFFD], run.live[POOL_UFFD_EVENT], run.live[POOL_MM]]).toEqual([0, 0, 0, 1]);
});

test("userfaultfd delivers pages, tells of stores, and leaves nothing behind", () => {
  const run = runGuest("userfault");
  expect([run.oops, run.stderr, run.stop, run.status]).toEqual(["", "", STOP_EXIT, 0]);
  expect(run.stdout).toBe(EXPECTED);
  expect(run.framesLost).toBe(0);
  expect([POOL_VMA, POOL_UFFD].map((pool) => run.live[pool])).toEqual([0, 0]);
  expect(run.live[POOL_MM]).toBe(1);
});

test("userfaultfd on shared memory: missing pages fill the file, pages of the file are minor faults", () => {
  const run = runGuest("userfault-shared");
  expect([run.oops, run.stderr, run.stdout, run.stop, run.status]).toEqual(["", "", EXPECTED_SHARED, STOP_EXIT, 0]);
  expect([run.framesLost, run.live[POOL_UFFD]]).toEqual([0, 0]);
  expect(run.live[POOL_MAPPING]).toBe(runGuest("userfault").live[POOL_MAPPING]);
});

test("a monitor hears of fork, mremap, madvise and munmap, which wait until it has read that", () => {
  const run = runGuest("userfault-events");
  expect([run.oops, run.stderr, run.stdout, run.stop, run.status]).toEqual(["", "", EXPECTED_EVENTS, STOP_EXIT, 0]);
  expect([run.framesLost, run.live[POOL_UFFD], run.live[POOL_UFFD_EVENT], run.live[POOL_MM]]).toEqual([0, 0, 0, 1]);
});

test.each([
  ["userfault", 2, EXPECTED],
  ["userfault", 4, EXPECTED],
  ["userfault-shared", 2, EXPECTED_SHARED],
  ["userfault-marks", 2, EXPECTED_MARKS],
  ["userfault-events", 2, EXPECTED_EVENTS],
  ["userfault-events", 4, EXPECTED_EVENTS],
] as const)("%s says the same on %d harts", async (program, harts, expected) => {
  const outcome = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/${program}`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", expected, 0]);
});

test("what is write-protected stays so while it is in swap", async () => {
  const outcome = await pagewalk(["run", "--swap", "16M", `${PREBUILT}/userfault-marks`]);
  expect([outcome.stderr, outcome.stdout.toString(), outcome.status]).toEqual(["", EXPECTED_MARKS, 0]);
});
