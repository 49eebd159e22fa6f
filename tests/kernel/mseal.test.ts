// mseal: what is sealed stays where it is, and keeps its rights and contents. remap_file_pages: mmap by another name.

import { beforeEach, expect, test } from "vitest";
import { EINVAL, ENOMEM, EPERM } from "../../host/memory/errno.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const [MPROTECT, MREMAP, MSEAL, REMAP_FILE_PAGES, MEMFD_CREATE, FTRUNCATE] = [226, 216, 462, 234, 279, 46];
const PAGE = 4096;
const READ_WRITE = 3;
const PRIVATE = 0x22;
const MAP_SHARED = 1;
const MAP_FIXED = 0x10;
const MADV_DONTNEED = 4;

let p: TestProcess;

beforeEach(() => {
  p = new TestProcess();
});

function map(pages: number, prot = READ_WRITE): number {
  return p.call(NR.mmap, 0, pages * PAGE, prot, PRIVATE, -1, 0);
}

test("a sealed page can not be unmapped, moved, replaced, or protected; its neighbours can", () => {
  const area = map(3);
  const sealed = area + PAGE;
  expect(p.call(MSEAL, sealed, PAGE, 0)).toBe(0);
  expect(p.call(MSEAL, sealed, PAGE, 0)).toBe(0); // again
  p.poke32(sealed, 7);
  const refused = [
    p.call(NR.munmap, sealed, PAGE),
    p.call(NR.munmap, area, 3 * PAGE),
    p.call(MPROTECT, sealed, PAGE, 1),
    p.call(MPROTECT, sealed, PAGE, READ_WRITE), // even if it changes nothing
    p.call(MREMAP, sealed, PAGE, 2 * PAGE, 1, 0),
    p.call(MREMAP, sealed, PAGE, 0x1000, 3, area + (1 << 20)),
    p.call(NR.mmap, sealed, PAGE, READ_WRITE, PRIVATE | MAP_FIXED, -1, 0),
  ];
  expect(refused).toEqual(refused.map(() => -EPERM));
  expect(p.peek32(sealed)).toBe(7);
  expect(p.call(NR.madvise, sealed, PAGE, MADV_DONTNEED)).toBe(0); // who may write may as well
  expect([p.call(NR.munmap, area, PAGE), p.call(MPROTECT, sealed + PAGE, PAGE, 1)]).toEqual([0, 0]);
});

test("contents that nobody may write can not be given up", () => {
  const area = map(1);
  p.poke32(area, 7);
  expect(p.call(MPROTECT, area, PAGE, 1)).toBe(0);
  expect(p.call(MSEAL, area, PAGE, 0)).toBe(0);
  expect(p.call(NR.madvise, area, PAGE, MADV_DONTNEED)).toBe(-EPERM);
  expect(p.peek32(area)).toBe(7);
});

test("flags, an address between pages, and holes are refused, and then nothing is sealed", () => {
  const area = map(3);
  expect(p.call(NR.munmap, area + PAGE, PAGE)).toBe(0);
  expect(p.call(MSEAL, area, 3 * PAGE, 0)).toBe(-ENOMEM);
  expect([p.call(MSEAL, area, PAGE, 1), p.call(MSEAL, area + 1, PAGE, 0)]).toEqual([-EINVAL, -EINVAL]);
  expect(p.call(MSEAL, area, 0, 0)).toBe(0);
  expect(p.call(NR.munmap, area, 3 * PAGE)).toBe(0);
});

test("remap_file_pages shows other pages of the file, and refuses what is no shared mapping", () => {
  const fd = p.call(MEMFD_CREATE, p.pokeText(p.memory, "file"), 0);
  expect(p.call(FTRUNCATE, fd, 4 * PAGE)).toBe(0);
  const area = p.call(NR.mmap, 0, 4 * PAGE, READ_WRITE, MAP_SHARED, fd, 0);
  for (let page = 0; page < 4; page++) p.poke32(area + page * PAGE, 100 + page);
  for (let page = 0; page < 4; page++) {
    expect(p.call(REMAP_FILE_PAGES, area + page * PAGE, PAGE, 0, 3 - page, 0)).toBe(0);
  }
  expect([0, 1, 2, 3].map((page) => p.peek32(area + page * PAGE))).toEqual([103, 102, 101, 100]);
  const shared = p.call(NR.mmap, 0, 2 * PAGE, READ_WRITE, 0x21, -1, 0);
  p.poke32(shared, 5);
  expect(p.call(REMAP_FILE_PAGES, shared + PAGE, PAGE, 0, 0, 0)).toBe(0);
  expect(p.peek32(shared + PAGE)).toBe(5);
  const refused = [
    p.call(REMAP_FILE_PAGES, area, PAGE, 1, 0, 0),
    p.call(REMAP_FILE_PAGES, area, 0, 0, 0, 0),
    p.call(REMAP_FILE_PAGES, area, 5 * PAGE, 0, 0, 0),
    p.call(REMAP_FILE_PAGES, map(1), PAGE, 0, 0, 0),
  ];
  expect(refused).toEqual(refused.map(() => -EINVAL));
});
