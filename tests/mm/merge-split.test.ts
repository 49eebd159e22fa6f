// Which vmas a sequence of calls leaves, as pictures: one character per page, a letter per kind of rights, '.'
// unmapped, '|' between two vmas that touch.

import { beforeEach, expect, test } from "vitest";
import { PAGE_BYTES, VM_DONTCOPY, VM_EXEC, VM_READ, VM_WRITE } from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import {
  MADV_DOFORK,
  MADV_DONTFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const RIGHTS: Readonly<Record<string, number>> = {
  N: PROT_NONE,
  R: PROT_READ,
  W: PROT_READ | PROT_WRITE,
  X: PROT_READ | PROT_EXEC,
};

const machine = new MmMachine();

beforeEach(() => {
  machine.start();
  return () => expect(machine.finish()).toEqual([]);
});

/** Maps the picture: one private mapping per run of equal letters. */
function draw(picture: string): void {
  for (const run of picture.matchAll(/([A-Z])\1*/g)) map(run.index, run[0].length, run[1]);
}

function map(page: number, pages: number, letter: string, kind = MAP_PRIVATE): void {
  const flags = kind | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, at(page), pages * PAGE_BYTES, RIGHTS[letter], flags, 0)).toBe(at(page));
}

function unmap(page: number, pages: number): void {
  expect(doMunmap(machine.hart, machine.mm, at(page), pages * PAGE_BYTES)).toBe(0);
}

function protect(page: number, pages: number, letter: string): void {
  expect(doMprotect(machine.hart, machine.mm, at(page), pages * PAGE_BYTES, RIGHTS[letter])).toBe(0);
}

function at(page: number): number {
  return BASE + page * PAGE_BYTES;
}

function picture(): string {
  let text = "";
  let last = BASE / PAGE_BYTES;
  for (const { start, end, flags } of machine.vmas()) {
    text += start === last && text !== "" ? "|" : ".".repeat(start - last);
    text += letterOf(flags).repeat(end - start);
    last = end;
  }
  return text;
}

function letterOf(flags: number): string {
  if ((flags & VM_DONTCOPY) !== 0) return "D";
  if ((flags & VM_WRITE) !== 0) return "W";
  if ((flags & VM_EXEC) !== 0) return "X";
  return (flags & VM_READ) !== 0 ? "R" : "N";
}

test.each([
  ["WWWW", 0, 4, ""],
  ["WWWW", 0, 1, ".WWW"],
  ["WWWW", 3, 1, "WWW"],
  ["WWWW", 1, 2, "W..W"],
  ["WWRRXX", 1, 4, "W....X"],
  ["WW..RR", 1, 4, "W....R"],
  ["..WW", 0, 2, "..WW"],
  ["WW.RR.XX", 0, 8, ""],
])("munmap %s from page %i, %i pages, leaves %s", (before, page, pages, after) => {
  draw(before);
  unmap(page, pages);
  expect(picture()).toBe(after);
});

test.each([
  ["WWWW", 0, 4, "R", "RRRR"],
  ["WWWW", 0, 2, "R", "RR|WW"],
  ["WWWW", 2, 2, "R", "WW|RR"],
  ["WWWW", 1, 2, "R", "W|RR|W"],
  ["RRWWRR", 2, 2, "R", "RRRRRR"],
  ["RRWWXX", 2, 2, "R", "RRRR|XX"],
  ["RRWWXX", 2, 2, "X", "RR|XXXX"],
  ["RRWWWW", 2, 2, "R", "RRRR|WW"],
  ["WWWWRR", 2, 2, "R", "WW|RRRR"],
  ["RRWWXX", 1, 4, "N", "R|NNNN|X"],
  ["RRWWXX", 0, 6, "W", "WWWWWW"],
])("mprotect %s from page %i, %i pages, to %s leaves %s", (before, page, pages, letter, after) => {
  draw(before);
  protect(page, pages, letter);
  expect(picture()).toBe(after);
});

test.each([
  ["WW..WW", 2, 2, "W", "WWWWWW"],
  ["WW..RR", 2, 2, "W", "WWWW|RR"],
  ["RR..WW", 2, 2, "W", "RR|WWWW"],
  ["RR..RR", 2, 2, "W", "RR|WW|RR"],
  ["WWWWWW", 2, 2, "W", "WWWWWW"],
  ["WWWWWW", 2, 2, "R", "WW|RR|WW"],
  ["WWRRXX", 1, 4, "N", "W|NNNN|X"],
  ["WW...", 3, 2, "W", "WW.WW"],
])("mmap over %s at page %i, %i pages, of %s leaves %s", (before, page, pages, letter, after) => {
  draw(before);
  map(page, pages, letter);
  expect(picture()).toBe(after);
});

test("two shared mappings stay apart, the halves of one come together again", () => {
  map(0, 2, "W", MAP_SHARED);
  map(2, 2, "W", MAP_SHARED);
  expect(picture()).toBe("WW|WW");
  protect(1, 1, "R");
  expect(picture()).toBe("W|R|WW");
  protect(1, 1, "W");
  expect(picture()).toBe("WW|WW");
});

test("MADV_DONTFORK keeps vmas apart, MADV_DOFORK joins them", () => {
  draw("WWWW");
  expect(doMadvise(machine.hart, machine.mm, at(1), 2 * PAGE_BYTES, MADV_DONTFORK)).toBe(0);
  expect(picture()).toBe("W|DD|W");
  expect(doMadvise(machine.hart, machine.mm, at(0), 4 * PAGE_BYTES, MADV_DOFORK)).toBe(0);
  expect(picture()).toBe("WWWW");
});

test("mremap that grows in place joins with what it reaches", () => {
  draw("WW..WW");
  const resized = doMremap(machine.hart, machine.mm, at(0), 2 * PAGE_BYTES, 4 * PAGE_BYTES, 0, 0);
  expect(resized).toBe(at(0));
  expect(picture()).toBe("WWWWWW");
});

test("mremap moves the middle of a vma and leaves a hole", () => {
  draw("WWWW");
  machine.touch(at(0), 4);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, at(1), 2 * PAGE_BYTES, 2 * PAGE_BYTES, flags, at(6))).toBe(at(6));
  expect(picture()).toBe("W..W..WW");
  expect([0, 3, 6, 7].map((page) => machine.load(at(page)))).toEqual([1, 4, 2, 3]);
});

test("what was moved away and back joins again", () => {
  draw("WWWW");
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  doMremap(machine.hart, machine.mm, at(1), 2 * PAGE_BYTES, 2 * PAGE_BYTES, flags, at(6));
  doMremap(machine.hart, machine.mm, at(6), 2 * PAGE_BYTES, 2 * PAGE_BYTES, flags, at(1));
  expect(picture()).toBe("WWWW");
});
