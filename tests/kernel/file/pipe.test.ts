// Pipes and FIFOs at their restart points: a call that waits, is woken or interrupted, and goes on with what it has
// done.

import { beforeEach, describe, expect, test } from "vitest";
import { POOL_DENTRY, POOL_FILE, POOL_INODE, POOL_PIPE, TASK_WAIT_QUEUE } from "../../../assembly/layout.ts";
import { closeFd } from "../../../host/kernel/file/files.ts";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import { EAGAIN, EBADF, EFAULT, EINVAL, ENXIO, EPIPE, ERESTARTSYS, ESPIPE } from "../../../host/memory/errno.ts";
import { kmemCacheLive } from "../../../host/memory/slab.ts";
import { freeFrameCount } from "../../../host/mm/frame/frames.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const EVENTFD2 = 19;
const PIPE2 = 59;
const MKNODAT = 33;
const UNLINKAT = 35;
const AT_FDCWD = -100;
const S_IFIFO = 0o010000;
const O_WRONLY = 1;
const O_NONBLOCK = 0o4000;
const PIPE_BYTES = 65536;
const SIGUSR1 = 10;

let p: TestProcess;
let readEnd: number;
let writeEnd: number;
let big: number;

beforeEach(() => {
  p = new TestProcess();
  expect(p.call(PIPE2, p.memory, 0)).toBe(0);
  [readEnd, writeEnd] = [p.peek32(p.memory), p.peek32(p.memory + 4)];
  big = p.call(NR.mmap, 0, 1 << 18, 3, 0x22, -1, 0);
});

describe("a pipe", () => {
  test("has two ends that each know one direction, and no position", () => {
    expect(p.call(NR.read, writeEnd, p.memory, 1)).toBe(-EBADF);
    expect(p.call(NR.write, readEnd, p.memory, 1)).toBe(-EBADF);
    expect(p.call(NR.lseek, readEnd, 0, 0)).toBe(-ESPIPE);
    expect(p.call(PIPE2, p.memory, 1)).toBe(-EINVAL);
    expect(p.call(PIPE2, BAD_ADDRESS, 0)).toBe(-EFAULT);
  });

  test("makes a reader wait for the first byte; a signal ends the wait with nothing taken", () => {
    expect(p.call(NR.read, readEnd, p.memory, 10)).toBe(WAIT);
    p.signalCurrent(SIGUSR1);
    expect(p.restart()).toBe(-ERESTARTSYS);
  });

  test("keeps what a write has done when a signal ends its wait", () => {
    expect(p.call(NR.write, writeEnd, big, PIPE_BYTES + 5000)).toBe(WAIT);
    p.signalCurrent(SIGUSR1);
    expect(p.restart()).toBe(PIPE_BYTES);
  });

  test("takes up to PIPE_BUF bytes as a whole or not at all", () => {
    expect(p.call(NR.fcntl, writeEnd, 4, O_WRONLY | O_NONBLOCK)).toBe(0);
    expect(p.call(NR.write, writeEnd, big, PIPE_BYTES - 100)).toBe(PIPE_BYTES - 100);
    expect(p.call(NR.write, writeEnd, big, 101)).toBe(-EAGAIN);
    expect(p.call(NR.write, writeEnd, big, 5000)).toBe(100);
    expect(p.call(NR.write, writeEnd, big, 5000)).toBe(-EAGAIN);
  });

  test("gives the end of the file once nobody can write, EPIPE once nobody can read", () => {
    expect(p.call(NR.write, writeEnd, p.memory, 3)).toBe(3);
    expect(p.call(NR.close, writeEnd)).toBe(0);
    expect(p.call(NR.read, readEnd, p.memory, 10)).toBe(3);
    expect(p.call(NR.read, readEnd, p.memory, 10)).toBe(0);
    expect(p.call(PIPE2, p.memory, 0)).toBe(0);
    const [otherRead, otherWrite] = [p.peek32(p.memory), p.peek32(p.memory + 4)];
    expect(p.call(NR.close, otherRead)).toBe(0);
    expect(p.call(NR.write, otherWrite, p.memory, 1)).toBe(-EPIPE);
  });

  test("loses no byte when its last page is its first one too", () => {
    expect(p.call(NR.fcntl, writeEnd, 1031, 4096)).toBe(4096);
    for (let round = 0; round < 50; round++) {
      p.poke(p.memory, new Uint8Array(3000).fill(round));
      expect(p.call(NR.write, writeEnd, p.memory, 3000)).toBe(3000);
      expect(p.call(NR.read, readEnd, p.memory, 1000)).toBe(1000);
      p.poke(p.memory, new Uint8Array(1500).fill(round + 100));
      expect(p.call(NR.write, writeEnd, p.memory, 1500)).toBe(1500);
      expect(p.call(NR.read, readEnd, p.memory, 9000)).toBe(3500);
      const bytes = p.peek(p.memory, 3500);
      expect([bytes[0], bytes[1999], bytes[2000], bytes[3499]]).toEqual([round, round, round + 100, round + 100]);
    }
  });

  test("grows and shrinks around what is in it", () => {
    p.poke(
      big,
      Uint8Array.from({ length: 60000 }, (_, i) => i % 251),
    );
    expect(p.call(NR.write, writeEnd, big, 60000)).toBe(60000);
    expect(p.call(NR.read, readEnd, p.memory, 10000)).toBe(10000);
    expect(p.call(NR.write, writeEnd, big, 12000)).toBe(12000); // round the end of the ring
    expect(p.call(NR.fcntl, writeEnd, 1031, 1 << 17)).toBe(1 << 17);
    expect(p.call(NR.read, readEnd, big + 65536, 62000)).toBe(62000);
    const bytes = p.peek(big + 65536, 62000);
    expect(bytes.every((byte, i) => byte === (i < 50000 ? (i + 10000) % 251 : (i - 50000) % 251))).toBe(true);
    expect(p.call(NR.fcntl, writeEnd, 1031, 1)).toBe(4096);
  });

  test("is gone with its last end, bytes and all", () => {
    p.poke(big, new Uint8Array(50000));
    const fresh = [POOL_PIPE, POOL_INODE, POOL_DENTRY, POOL_FILE].map((pool) => kmemCacheLive(p.shared, pool));
    const frames = freeFrameCount(p.shared);
    expect(p.call(PIPE2, p.memory, 0)).toBe(0);
    const [r, w] = [p.peek32(p.memory), p.peek32(p.memory + 4)];
    expect(p.call(NR.write, w, big, 50000)).toBe(50000);
    p.call(NR.close, r);
    p.call(NR.close, w);
    expect([POOL_PIPE, POOL_INODE, POOL_DENTRY, POOL_FILE].map((pool) => kmemCacheLive(p.shared, pool))).toEqual(fresh);
    expect(freeFrameCount(p.shared)).toBe(frames);
  });
});

test("a read into bad memory leaves the bytes in the pipe, and the count in an eventfd", () => {
  p.pokeText(p.memory, "kept");
  expect(p.call(NR.write, writeEnd, p.memory, 4)).toBe(4);
  expect(p.call(NR.read, readEnd, BAD_ADDRESS, 4)).toBe(-EFAULT);
  p.poke64(p.memory + 64, p.memory + 128, 2, BAD_ADDRESS, 2);
  expect(p.call(NR.readv, readEnd, p.memory + 64, 2)).toBe(-EFAULT); // a page comes whole or not at all
  expect(p.call(NR.read, readEnd, p.memory, 4)).toBe(4);
  const counter = p.call(EVENTFD2, 5, O_NONBLOCK);
  expect(p.call(NR.read, counter, BAD_ADDRESS, 8)).toBe(-EFAULT);
  expect(p.call(NR.read, counter, p.memory, 8)).toBe(8);
  expect(p.peek64(p.memory)).toBe(5);
});

test("an eventfd that is closed while somebody reads it lets him go", () => {
  const counter = p.call(EVENTFD2, 0, 0);
  expect(p.call(NR.read, counter, p.memory, 8)).toBe(WAIT);
  const thread = p.shared.get(p.hart.current + TASK_WAIT_QUEUE);
  expect(thread).not.toBe(0);
  closeFd(p.hart, counter);
  expect(p.shared.get(p.hart.current + TASK_WAIT_QUEUE)).toBe(0);
  expect(p.restart()).toBe(-EBADF);
});

describe("a FIFO", () => {
  beforeEach(() => {
    expect(p.call(MKNODAT, AT_FDCWD, p.pokeText(p.memory + 1024, "/tmp/fifo"), S_IFIFO | 0o600, 0)).toBe(0);
  });

  test("cannot be opened for writing without waiting while nobody reads", () => {
    expect(p.call(NR.openat, AT_FDCWD, p.memory + 1024, O_WRONLY | O_NONBLOCK, 0)).toBe(-ENXIO);
    const reader = p.call(NR.openat, AT_FDCWD, p.memory + 1024, O_NONBLOCK, 0);
    expect(reader).toBeGreaterThan(0);
    expect(p.call(NR.openat, AT_FDCWD, p.memory + 1024, O_WRONLY | O_NONBLOCK, 0)).toBeGreaterThan(0);
  });

  test("makes who opens it wait for the other end, and forgets who is interrupted", () => {
    const live = [POOL_PIPE, POOL_FILE].map((pool) => kmemCacheLive(p.shared, pool));
    expect(p.call(NR.openat, AT_FDCWD, p.memory + 1024, 0, 0)).toBe(WAIT);
    p.signalCurrent(SIGUSR1);
    expect(p.restart()).toBe(-ERESTARTSYS);
    expect([POOL_PIPE, POOL_FILE].map((pool) => kmemCacheLive(p.shared, pool))).toEqual(live);
    expect(p.call(NR.openat, AT_FDCWD, p.memory + 1024, O_WRONLY, 0)).toBe(WAIT);
    expect(p.call(UNLINKAT, AT_FDCWD, p.memory + 1024, 0)).toBe(0); // another call: the wait is over
    expect([POOL_PIPE, POOL_FILE].map((pool) => kmemCacheLive(p.shared, pool))).toEqual(live);
  });
});
