// /sys: the settings of huge pages, which faults and khugepaged obey.

import { beforeEach, expect, test } from "vitest";
import { MM_HUGE_LEAVES, TASK_MM } from "../../assembly/layout.ts";
import { EINVAL, EIO, ENOENT } from "../../host/memory/errno.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const AT_FDCWD = -100;
const O_RDWR = 2;
const HUGE = 2 << 20;
const MADV_HUGEPAGE = 14;
const THP = "/sys/kernel/mm/transparent_hugepage";

let p: TestProcess;

beforeEach(() => {
  p = new TestProcess();
});

function read(path: string): string {
  const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), 0, 0);
  const bytes = p.call(NR.read, fd, p.memory + 4096, 4096);
  p.call(NR.close, fd);
  return new TextDecoder().decode(p.peek(p.memory + 4096, bytes));
}

/** Result of the write. */
function write(path: string, text: string): number {
  const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), O_RDWR, 0);
  const result = p.call(NR.write, fd, p.pokeText(p.memory + 4096, text), text.length);
  p.call(NR.close, fd);
  return result;
}

/** Leaves of 2 MiB after a store to a new area. */
function leavesAfterStore(advice: number): number {
  const area = p.call(NR.mmap, 0, 2 * HUGE, 3, 0x22, -1, 0);
  if (advice !== 0) expect(p.call(NR.madvise, area, 2 * HUGE, advice)).toBe(0);
  p.poke32(Math.ceil(area / HUGE) * HUGE, 1);
  const mm = p.shared.get(p.hart.current + TASK_MM);
  const leaves = p.shared.get(mm + MM_HUGE_LEAVES);
  p.call(NR.munmap, area, 2 * HUGE);
  return leaves;
}

test("enabled says who gets huge pages: who asks, everybody, or nobody", () => {
  expect(read(`${THP}/enabled`)).toBe("always [madvise] never\n");
  expect([leavesAfterStore(0), leavesAfterStore(MADV_HUGEPAGE)]).toEqual([0, 1]);
  expect(write(`${THP}/enabled`, "always\n")).toBe(7);
  expect(read(`${THP}/enabled`)).toBe("[always] madvise never\n");
  expect([leavesAfterStore(0), leavesAfterStore(MADV_HUGEPAGE)]).toEqual([1, 1]);
  expect(write(`${THP}/enabled`, "never")).toBe(5);
  expect([leavesAfterStore(0), leavesAfterStore(MADV_HUGEPAGE)]).toEqual([0, 0]);
});

test("what is no such word or number is EINVAL, and changes nothing", () => {
  expect(write(`${THP}/enabled`, "sometimes")).toBe(-EINVAL);
  expect(write(`${THP}/khugepaged/max_ptes_none`, "512")).toBe(-EINVAL);
  expect(write(`${THP}/khugepaged/pages_to_scan`, "0")).toBe(-EINVAL);
  expect(write(`${THP}/hpage_pmd_size`, "4096")).toBe(-EIO);
  expect(write(`${THP}/khugepaged/max_ptes_none`, "0\n")).toBe(2);
  expect(read(`${THP}/khugepaged/max_ptes_none`)).toBe("0\n");
  expect([read(`${THP}/enabled`), read(`${THP}/khugepaged/pages_to_scan`)]).toEqual([
    "always [madvise] never\n",
    "4096\n",
  ]);
});

test("harts, and which are online", () => {
  expect(read("/sys/devices/system/cpu/online")).toBe("0\n");
  expect(read("/sys/devices/system/cpu/cpu0/topology/core_id")).toBe("0\n");
  const other = p.pokeText(p.memory, "/sys/devices/system/cpu/cpu1");
  expect(p.call(NR.openat, AT_FDCWD, other, 0, 0)).toBe(-ENOENT);
});
