// System calls whose copies must wait for userfaultfd: they are made again, but what they did is not done twice.

import { beforeEach, expect, test } from "vitest";
import { TASK_STATE, TASK_UNINTERRUPTIBLE, TASK_WAIT_QUEUE, UFFD_MM, UFFD_PENDING } from "../../../assembly/layout.ts";
import { opsOf } from "../../../host/kernel/file/file-kinds.ts";
import { fget } from "../../../host/kernel/file/files.ts";
import { wakeRange } from "../../../host/kernel/memory/userfaultfd.ts";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import { SINGLE } from "../../../host/kernel/user-buffers.ts";
import { EFAULT } from "../../../host/memory/errno.ts";
import { fillPages } from "../../../host/mm/userfaultfd/userfaultfd-fill.ts";
import { NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const [PIPE2, USERFAULTFD] = [59, 282];
const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const UFFDIO_ZEROPAGE = 0xc020aa04;
const MODE_MISSING = 1;
const SIGUSR1 = 10;
const PAGES = 4;

let p: TestProcess;
let uffd: number;
let area: number;

beforeEach(() => {
  p = new TestProcess();
  uffd = p.call(USERFAULTFD, 0o4000);
  expect(p.call(NR.ioctl, uffd, UFFDIO_API, p.poke64(p.memory, 0xaa, 0, 0))).toBe(0);
  area = p.call(NR.mmap, 0, PAGES * 4096, 3, 0x22, -1, 0);
  expect(p.call(NR.ioctl, uffd, UFFDIO_REGISTER, p.poke64(p.memory, area, PAGES * 4096, MODE_MISSING, 0))).toBe(0);
});

/** What a monitor would do; the waiting call is entered again by the test. */
function deliver(page: number): void {
  const request = p.poke64(p.memory + 32768, area + page * 4096, 4096, 0, 0);
  expect(p.call(NR.ioctl, uffd, UFFDIO_ZEROPAGE, request)).toBe(0);
}

/** The call waits for a page, gets it, and has the result. */
function waitsOnceFor(page: number, number: number, ...args: number[]): number {
  expect(p.call(number, ...args)).toBe(WAIT);
  expect(p.shared.get(p.hart.current + TASK_STATE)).toBe(TASK_UNINTERRUPTIBLE);
  deliver(page);
  expect(p.shared.get(p.hart.current + TASK_WAIT_QUEUE)).toBe(0);
  return p.call(number, ...args);
}

test("pipe2 makes one pipe, however often it is entered", () => {
  expect(waitsOnceFor(0, PIPE2, area, 0)).toBe(0);
  expect([p.peek32(area), p.peek32(area + 4)]).toEqual([uffd + 1, uffd + 2]);
});

test("rt_sigaction tells the old action, not the one that it has just set", () => {
  const first = p.poke64(p.memory, 0x1234, 0, 0);
  expect(p.call(NR.rt_sigaction, SIGUSR1, first, 0, 8)).toBe(0);
  const second = p.poke64(p.memory, 0x5678, 0, 0);
  expect(waitsOnceFor(1, NR.rt_sigaction, SIGUSR1, second, area + 4096, 8)).toBe(0);
  expect(p.peek64(area + 4096)).toBe(0x1234);
});

test("a write that has filled the pipe goes on where its copy had to wait", () => {
  expect(p.call(PIPE2, p.memory, 0)).toBe(0);
  const [readEnd, writeEnd] = [p.peek32(p.memory), p.peek32(p.memory + 4)];
  const reader = fget(p.hart, readEnd);
  const big = p.call(NR.mmap, 0, 1 << 17, 3, 0x22, -1, 0);
  p.poke(big, new Uint8Array(1 << 17));
  // What the first turn of the loop takes is in the pipe when the second finds the page missing.
  p.poke64(p.memory, big, 65536, area + 2 * 4096, 10);
  expect(p.call(NR.writev, writeEnd, p.memory, 2)).toBe(WAIT);
  const context = p.shared.get(p.shared.get(p.hart.current + TASK_WAIT_QUEUE) - UFFD_PENDING + UFFD_MM);
  expect(fillPages(p.hart, context, area + 2 * 4096, null, 4096, false)).toBe(4096);
  wakeRange(p.hart, p.shared.get(p.hart.current + TASK_WAIT_QUEUE) - UFFD_PENDING, 0, 2 ** 26);
  expect(p.restart()).toBe(WAIT); // for room
  expect(readPipe(reader, big)).toBe(65536);
  expect(p.restart()).toBe(65546);
  expect(readPipe(reader, big)).toBe(10);
});

/** A read by somebody else, which leaves the registers of the call that waits alone. */
function readPipe(file: number, big: number): number {
  const buffers = { va: big, count: SINGLE, bytes: 1 << 17 };
  return opsOf(p.hart, file).read(p.hart, file, buffers, 0);
}

test("a descriptor that goes lets its waiters go on, with pages of zeros", () => {
  expect(p.call(NR.write, 1, area, 0)).toBe(0);
  expect(p.call(NR.getrandom, area + 3 * 4096, 8, 0)).toBe(WAIT);
  expect(p.call(NR.close, uffd)).toBe(0);
  expect(p.shared.get(p.hart.current + TASK_WAIT_QUEUE)).toBe(0);
  expect(p.call(NR.getrandom, area + 3 * 4096, 8, 0)).toBe(8);
});

test("UFFD_FEATURE_SIGBUS makes it EFAULT", () => {
  const other = p.call(USERFAULTFD, 0);
  expect(p.call(NR.ioctl, other, UFFDIO_API, p.poke64(p.memory, 0xaa, 1 << 7, 0))).toBe(0);
  const page = p.call(NR.mmap, 0, 4096, 3, 0x22, -1, 0);
  expect(p.call(NR.ioctl, other, UFFDIO_REGISTER, p.poke64(p.memory, page, 4096, MODE_MISSING, 0))).toBe(0);
  expect(p.call(PIPE2, page, 0)).toBe(-EFAULT);
});
