// A file system in memory that is full: who writes hears of it, nobody loses anything, and deleting makes room.

import { expect, test } from "vitest";
import { ACCESS_STORE, TASK_MM } from "../../assembly/layout.ts";
import { EFAULT, ENOSPC } from "../../host/memory/errno.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { FAULT_BUS } from "../../host/mm/fault/fault-outcome.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const AT_FDCWD = -100;
const O_RDWR_CREAT = 0o102;
const PIECE = 32768;
const PAGE = 4096;
const MAP_SHARED = 1;
const [STATFS, FTRUNCATE] = [43, 46];

function create(p: TestProcess, path: string): number {
  const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), O_RDWR_CREAT, 0o600);
  expect(fd).toBeGreaterThanOrEqual(0);
  return fd;
}

/** Writes until nothing fits: how many bytes did. */
function fill(p: TestProcess, fd: number): number {
  let bytes = 0;
  for (;;) {
    const result = p.call(NR.write, fd, p.memory + 4096, PIECE);
    if (result <= 0) {
      expect(result).toBe(-ENOSPC);
      return bytes;
    }
    bytes += result;
  }
}

test("tmpfs full is ENOSPC, after a short write; other files keep their bytes, and deleting makes room", () => {
  const p = new TestProcess();
  const small = create(p, "/small");
  p.pokeText(p.memory + 4096, "kept");
  expect(p.call(NR.write, small, p.memory + 4096, 4)).toBe(4);
  const big = create(p, "/big");
  const bytes = fill(p, big);
  // Half of memory, less what the other files take.
  expect(bytes).toBeGreaterThan(7 * 2 ** 20);
  expect(bytes).toBeLessThan(8 * 2 ** 20);
  expect(p.call(NR.pread64, small, p.memory, 4, 0)).toBe(4);
  expect(new TextDecoder().decode(p.peek(p.memory, 4))).toBe("kept");
  expect(p.call(NR.pwrite64, big, p.memory, PIECE, 0)).toBe(PIECE); // what is there can be changed
  expect(p.call(NR.unlinkat, AT_FDCWD, p.pokeText(p.memory, "/big"), 0)).toBe(0);
  expect(p.call(NR.close, big)).toBe(0);
  expect(fill(p, create(p, "/again"))).toBe(bytes);
});

test("a store to a hole of a mapped file where tmpfs is full is SIGBUS until there is room again", () => {
  const p = new TestProcess();
  const holes = create(p, "/holes");
  expect(p.call(FTRUNCATE, holes, 8 * PAGE)).toBe(0);
  const area = p.call(NR.mmap, 0, 8 * PAGE, 3, MAP_SHARED, holes, 0);
  p.poke32(area, 1);
  const big = create(p, "/big");
  fill(p, big);
  expect(p.call(NR.getrandom, area + PAGE, 4, 0)).toBe(-EFAULT); // of a call's own store; the guest's is SIGBUS
  const mm = p.shared.get(p.hart.current + TASK_MM);
  expect(handleMmFault(p.hart, mm, area + PAGE, ACCESS_STORE)).toBe(FAULT_BUS);
  p.poke32(area + 4, 2); // what is there stays
  expect(p.call(NR.unlinkat, AT_FDCWD, p.pokeText(p.memory, "/big"), 0)).toBe(0);
  expect(p.call(NR.close, big)).toBe(0);
  expect(p.call(NR.getrandom, area + PAGE, 4, 0)).toBe(4);
  const before = freeBlocks(p);
  for (let page = 2; page < 8; page++) p.poke32(area + page * PAGE, page);
  expect(freeBlocks(p)).toBe(before - 6);
  p.call(NR.munmap, area, 8 * PAGE);
  expect(p.call(FTRUNCATE, holes, 0)).toBe(0);
  expect(freeBlocks(p)).toBe(before + 2);
});

function freeBlocks(p: TestProcess): number {
  expect(p.call(STATFS, p.pokeText(p.memory, "/"), p.memory + 4096)).toBe(0);
  return p.peek64(p.memory + 4096 + 24);
}
