// Errors of the mm calls, and which one wins when several apply: Linux's order of checks.

import { beforeEach, describe, expect, test } from "vitest";
import { MM_MAP_COUNT, PAGE_BYTES } from "../../assembly/layout.ts";
import { EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, ENOMEM, EOVERFLOW } from "../../host/memory/errno.ts";
import { doBrk } from "../../host/mm/call/brk.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMincore } from "../../host/mm/call/mincore.ts";
import { doMlock, doMlockall, doMunlock, doMunlockall } from "../../host/mm/call/mlock.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMsync } from "../../host/mm/call/msync.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import * as uapi from "../../host/mm/uapi.ts";
import { BRK_START, MMAP_BASE, MmMachine } from "./harness.ts";

const P = PAGE_BYTES;
const BASE = 0x1000_0000;
const HOLE = 0x3000_0000;
const RW = uapi.PROT_READ | uapi.PROT_WRITE;
const ANONYMOUS = uapi.MAP_PRIVATE | uapi.MAP_ANONYMOUS;
const FIXED = ANONYMOUS | uapi.MAP_FIXED;
const HUGE = 2 ** 64 - 1;
const machine = new MmMachine();

/** BASE: 4 pages, read and write. */
beforeEach(() => {
  machine.start();
  expect(mmap(BASE, 4 * P, RW, FIXED)).toBe(BASE);
  return () => expect(machine.finish()).toEqual([]);
});

function mmap(va: number, length: number, prot: number, flags: number, pgoff = 0): number {
  return doMmap(machine.hart, machine.mm, va, length, prot, flags, pgoff);
}

describe("mmap", () => {
  test.each([
    ["length 0", 0, 0, ANONYMOUS, 0, -EINVAL],
    ["length that wraps when rounded up", 0, HUGE, ANONYMOUS, 0, -ENOMEM],
    ["longer than user space", 0, uapi.TASK_BYTES_USER, ANONYMOUS, 0, -ENOMEM],
    ["offset that wraps", 0, P, ANONYMOUS, 2 ** 52, -EOVERFLOW],
    ["fixed and not aligned", BASE + 1, P, FIXED, 0, -EINVAL],
    ["fixed beyond user space", uapi.TASK_BYTES_USER, P, FIXED, 0, -ENOMEM],
    ["beyond user space and not aligned", uapi.TASK_BYTES_USER + 1, P, FIXED, 0, -ENOMEM],
    ["no-replace over a mapping", BASE + 3 * P, 2 * P, ANONYMOUS | uapi.MAP_FIXED_NOREPLACE, 0, -EEXIST],
    ["no-replace over a mapping, of no type", BASE, P, uapi.MAP_ANONYMOUS | uapi.MAP_FIXED_NOREPLACE, 0, -EEXIST],
    ["neither shared nor private", 0, P, uapi.MAP_ANONYMOUS, 0, -EINVAL],
    ["shared that grows down", 0, P, uapi.MAP_SHARED | uapi.MAP_ANONYMOUS | uapi.MAP_GROWSDOWN, 0, -EINVAL],
    ["huge pages", 0, P, ANONYMOUS | uapi.MAP_HUGETLB, 0, -EINVAL],
    ["more than all memory", 0, 2 ** 30, ANONYMOUS, 0, -ENOMEM],
  ])("%s", (_, va, length, flags, pgoff, errno) => {
    expect(mmap(va, length, RW, flags, pgoff)).toBe(errno);
    expect(machine.vmas().length).toBe(1);
  });

  test("without a hint the area grows down from the mmap base; more than memory may be reserved", () => {
    expect(mmap(0, 2 * P, RW, ANONYMOUS)).toBe(MMAP_BASE - 2 * P);
    expect(mmap(0, 1, uapi.PROT_NONE, ANONYMOUS)).toBe(MMAP_BASE - 3 * P);
    expect(mmap(0, 2 ** 36, RW, ANONYMOUS | uapi.MAP_NORESERVE)).toBe(MMAP_BASE - 3 * P - 2 ** 36);
  });

  test("a hint is taken if it is free, and rounded up; a low one means the lowest address", () => {
    expect(mmap(HOLE + 5, P, RW, ANONYMOUS)).toBe(HOLE);
    expect(mmap(HOLE, P, RW, ANONYMOUS)).toBe(MMAP_BASE - P);
    expect(mmap(P, P, RW, ANONYMOUS)).toBe(uapi.MMAP_MIN_ADDR);
  });

  test("a hint in the guard gap of a stack is not taken", () => {
    expect(mmap(HOLE, P, RW, FIXED | uapi.MAP_GROWSDOWN)).toBe(HOLE);
    expect(mmap(HOLE - 256 * P, P, RW, ANONYMOUS)).toBe(MMAP_BASE - P);
    expect(mmap(HOLE - 257 * P, P, RW, ANONYMOUS)).toBe(HOLE - 257 * P);
  });

  test("MAP_POPULATE makes the pages resident", () => {
    expect(mmap(HOLE, 3 * P, RW, FIXED | uapi.MAP_POPULATE)).toBe(HOLE);
    expect([0, 1, 2].map((page) => machine.peek(HOLE + page * P, machine.hart))).toEqual([0, 0, 0]);
  });

  test("one mapping more than max_map_count is refused, and so is a split", () => {
    const count = machine.shared.get(machine.mm + MM_MAP_COUNT);
    machine.shared.set(machine.mm + MM_MAP_COUNT, uapi.MAX_MAP_COUNT);
    expect(doMunmap(machine.hart, machine.mm, BASE + P, P)).toBe(-ENOMEM);
    expect(doMprotect(machine.hart, machine.mm, BASE, P, uapi.PROT_READ)).toBe(-ENOMEM);
    machine.shared.set(machine.mm + MM_MAP_COUNT, uapi.MAX_MAP_COUNT + 1);
    expect(mmap(0, P, RW, ANONYMOUS)).toBe(-ENOMEM);
    machine.shared.set(machine.mm + MM_MAP_COUNT, count);
  });
});

test.each([
  ["not aligned", BASE + 1, P, -EINVAL],
  ["length 0", BASE, 0, -EINVAL],
  ["beyond user space", uapi.TASK_BYTES_USER, P, -EINVAL],
  ["endless", BASE, HUGE, -EINVAL],
  ["a hole", HOLE, P, 0],
])("munmap: %s", (_, va, length, result) => {
  expect(doMunmap(machine.hart, machine.mm, va, length)).toBe(result);
});

test.each([
  ["not aligned", BASE + 1, P, RW, -EINVAL],
  ["length 0, even of a hole with wrong rights", HOLE, 0, 8 << 20, 0],
  ["wraps", BASE, HUGE, RW, -ENOMEM],
  ["unknown rights", BASE, P, 64, -EINVAL],
  ["unknown rights in a hole", HOLE, P, 64, -EINVAL],
  ["a hole", HOLE, P, RW, -ENOMEM],
  ["a hole behind the mapping", BASE, 5 * P, uapi.PROT_READ, -ENOMEM],
  ["both directions of growth", BASE, P, uapi.PROT_GROWSDOWN | uapi.PROT_GROWSUP, -EINVAL],
  ["a stack's growth of no stack", BASE, P, uapi.PROT_GROWSDOWN, -EINVAL],
])("mprotect: %s", (_, va, length, prot, result) => {
  expect(doMprotect(machine.hart, machine.mm, va, length, prot)).toBe(result);
});

const MAYMOVE = uapi.MREMAP_MAYMOVE;
const MOVE_TO = MAYMOVE | uapi.MREMAP_FIXED;
const KEEP = MAYMOVE | uapi.MREMAP_DONTUNMAP;
test.each([
  ["unknown flag", BASE, P, P, 8, 0, -EINVAL],
  ["not aligned", BASE + 1, P, P, MAYMOVE, 0, -EINVAL],
  ["new length 0", BASE, P, 0, MAYMOVE, 0, -EINVAL],
  ["new length that wraps", BASE, P, HUGE, MAYMOVE, 0, -EINVAL],
  ["fixed without leave to move", BASE, P, P, uapi.MREMAP_FIXED, HOLE, -EINVAL],
  ["target not aligned", BASE, P, P, MOVE_TO, HOLE + 1, -EINVAL],
  ["kept and resized", BASE, P, 2 * P, KEEP, 0, -EINVAL],
  ["a hole", HOLE, P, 2 * P, MAYMOVE, 0, -EFAULT],
  ["onto itself", BASE, 2 * P, 2 * P, MOVE_TO, BASE + P, -EINVAL],
  ["target beyond user space", BASE, P, P, MOVE_TO, uapi.TASK_BYTES_USER, -EINVAL],
  ["across the end of the vma", BASE, 5 * P, 6 * P, MAYMOVE, 0, -EFAULT],
  ["private of length 0", BASE, 0, P, MAYMOVE, 0, -EINVAL],
  ["middle grows without leave to move", BASE, P, 2 * P, 0, 0, -ENOMEM],
  ["same size", BASE, P, P, 0, 0, BASE],
  ["same size across the end", BASE, 9 * P, 9 * P, 0, 0, BASE],
  ["moved", BASE, P, P, MOVE_TO, HOLE, HOLE],
  ["kept", BASE, P, P, KEEP, 0, MMAP_BASE - P],
])("mremap: %s", (_, va, oldLength, newLength, flags, target, result) => {
  expect(doMremap(machine.hart, machine.mm, va, oldLength, newLength, flags, target)).toBe(result);
});

test("MREMAP_DONTUNMAP leaves the old pages empty", () => {
  machine.touch(BASE, 1);
  const moved = doMremap(machine.hart, machine.mm, BASE, P, P, KEEP, 0);
  expect([machine.load(moved), machine.load(BASE)]).toEqual([1, 0]);
});

test.each([
  ["unknown advice, not aligned", BASE + 1, P, 77, -EINVAL],
  ["not aligned", BASE + 1, P, uapi.MADV_DONTNEED, -EINVAL],
  ["length 0 of a hole", HOLE, 0, uapi.MADV_DONTNEED, 0],
  ["wraps", BASE, HUGE, uapi.MADV_NORMAL, -EINVAL],
  ["a hole", HOLE, P, uapi.MADV_NORMAL, -ENOMEM],
  ["a hole behind the mapping", BASE, 5 * P, uapi.MADV_DONTNEED, -ENOMEM],
  ["huge pages", BASE, P, uapi.MADV_HUGEPAGE, 0],
  ["to be wiped on fork", BASE, P, uapi.MADV_WIPEONFORK, 0],
  ["populate to write", BASE, 4 * P, uapi.MADV_POPULATE_WRITE, 0],
  ["populate a hole", HOLE, P, uapi.MADV_POPULATE_READ, -ENOMEM],
])("madvise: %s", (_, va, length, advice, result) => {
  expect(doMadvise(machine.hart, machine.mm, va, length, advice)).toBe(result);
});

test("madvise populates what can be populated, and says what can not", () => {
  doMprotect(machine.hart, machine.mm, BASE + 2 * P, P, uapi.PROT_READ);
  expect(doMadvise(machine.hart, machine.mm, BASE, 4 * P, uapi.MADV_POPULATE_WRITE)).toBe(-EINVAL);
  expect(doMadvise(machine.hart, machine.mm, BASE, 4 * P, uapi.MADV_POPULATE_READ)).toBe(0);
});

test("mincore: not aligned, not mapped, bad vector, resident pages", () => {
  const { hart, mm } = machine;
  machine.touch(BASE + P, 1);
  expect(doMincore(hart, mm, BASE + 1, P, BASE)).toBe(-EINVAL);
  expect(doMincore(hart, mm, BASE, HUGE, BASE)).toBe(-ENOMEM);
  expect(doMincore(hart, mm, BASE, P, uapi.TASK_BYTES_USER)).toBe(-EFAULT);
  expect(doMincore(hart, mm, HOLE, P, BASE)).toBe(-ENOMEM);
  expect(doMincore(hart, mm, BASE, P, HOLE)).toBe(-EFAULT);
  expect(doMincore(hart, mm, BASE, 4 * P, BASE + 3 * P)).toBe(0);
  // The vector was written after the pages were looked at.
  expect(machine.load(BASE + 3 * P)).toBe(0x00_00_01_00);
});

test("brk: grows, shrinks, and stays where it is when the wish is absurd", () => {
  const { hart, mm } = machine;
  expect(doBrk(hart, mm, 0)).toBe(BRK_START);
  expect(doBrk(hart, mm, BRK_START + 5)).toBe(BRK_START + 5);
  expect(machine.store(BRK_START + 8, 1)).toBe(0);
  expect(doBrk(hart, mm, BRK_START + 3 * P)).toBe(BRK_START + 3 * P);
  for (const wish of [1, BRK_START - 1, 2 ** 63, HUGE, uapi.TASK_BYTES_USER]) {
    expect(doBrk(hart, mm, wish)).toBe(BRK_START + 3 * P);
  }
  machine.setRlimit(uapi.RLIMIT_DATA, 4 * P);
  expect(doBrk(hart, mm, BRK_START + 5 * P)).toBe(BRK_START + 3 * P);
  machine.setRlimit(uapi.RLIMIT_DATA, 2 ** 64);
  mmap(BRK_START + 8 * P, P, RW, FIXED);
  expect(doBrk(hart, mm, BRK_START + 8 * P)).toBe(BRK_START + 3 * P);
  expect(doBrk(hart, mm, BRK_START + 7 * P)).toBe(BRK_START + 7 * P);
  expect(doBrk(hart, mm, BRK_START)).toBe(BRK_START);
  expect(machine.load(BRK_START)).toBe(-EFAULT);
});

test("mlock: pages present, kept by MADV_DONTNEED, released by munlock", () => {
  const { hart, mm } = machine;
  expect(doMlock(hart, mm, BASE + 1, P, 0)).toBe(0);
  expect([0, 1, 2].map((page) => machine.peek(BASE + page * P, hart))).toEqual([0, 0, null]);
  expect(machine.vmas().length).toBe(2);
  expect(doMadvise(hart, mm, BASE, P, uapi.MADV_DONTNEED)).toBe(-EINVAL);
  expect(doMsync(hart, mm, BASE, P, uapi.MS_INVALIDATE)).toBe(-EBUSY);
  expect(doMunlock(hart, mm, BASE, 4 * P)).toBe(0);
  expect(machine.vmas().length).toBe(1);
  expect(doMlock(hart, mm, BASE, 5 * P, 0)).toBe(-ENOMEM);
  expect(doMlock(hart, mm, BASE, P, 2)).toBe(-EINVAL);
  expect([0, 4, 8].map((flags) => doMlockall(hart, mm, flags))).toEqual([-EINVAL, -EINVAL, -EINVAL]);
  expect(doMlockall(hart, mm, uapi.MCL_CURRENT | uapi.MCL_FUTURE)).toBe(0);
  expect(mmap(HOLE, P, RW, FIXED)).toBe(HOLE);
  expect(machine.peek(HOLE, hart)).toBe(0);
  expect(doMunlockall(hart, mm)).toBe(0);
});

test("mlock says EAGAIN when memory is short", () => {
  const pages = (1 << 26) / P;
  expect(mmap(HOLE, pages * P, RW, FIXED | uapi.MAP_NORESERVE)).toBe(HOLE);
  expect(doMlock(machine.hart, machine.mm, HOLE, pages * P, 0)).toBe(-EAGAIN);
});

test.each([
  ["unknown flag", BASE, P, 8, -EINVAL],
  ["not aligned", BASE + 1, P, 0, -EINVAL],
  ["both now and later", BASE, P, uapi.MS_SYNC | uapi.MS_ASYNC, -EINVAL],
  ["wraps", BASE, HUGE - P, 0, -ENOMEM],
  ["length 0", HOLE, 0, 0, 0],
  ["a hole", HOLE, P, uapi.MS_SYNC, -ENOMEM],
  ["a hole behind the mapping", BASE, 5 * P, uapi.MS_SYNC, -ENOMEM],
  ["mapped", BASE, 4 * P, uapi.MS_SYNC, 0],
])("msync: %s", (_, va, length, flags, result) => {
  expect(doMsync(machine.hart, machine.mm, va, length, flags)).toBe(result);
});
