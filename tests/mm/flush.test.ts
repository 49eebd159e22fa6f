// No hart may translate by what is gone: two real TLBs, and what each of them still reaches when a call has returned.

import { beforeEach, expect, test } from "vitest";
import { COUNTER_TLB_REMOTE_FLUSH, HART_COUNTERS, PAGE_BYTES } from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import type { Hart } from "../../host/policy/hart.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const OTHER = 0x2000_0000;
const RW = PROT_READ | PROT_WRITE;
let machine: MmMachine;
let other: Hart;

beforeEach(() => {
  machine = new MmMachine(2);
  machine.start();
  other = machine.harts[1];
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  doMmap(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES, RW, flags, 0);
  machine.touch(BASE, 4);
  for (let page = 0; page < 4; page++) expect(machine.load(BASE + page * PAGE_BYTES, other)).toBe(page + 1);
  return () => expect(machine.finish()).toEqual([]);
});

test("munmap takes the page from every hart", () => {
  doMunmap(machine.hart, machine.mm, BASE + PAGE_BYTES, PAGE_BYTES);
  const seen = [0, 1, 2].map((page) => machine.peek(BASE + page * PAGE_BYTES, other));
  expect(seen).toEqual([1, null, 3]);
});

test("mprotect takes rights from every hart, and giving them needs no flush", () => {
  doMprotect(machine.hart, machine.mm, BASE, PAGE_BYTES, PROT_READ);
  expect(other.core.userCmpxchg32(BASE, 1, 9)).toBe(-1n);
  expect(machine.peek(BASE, other)).toBe(1);
  doMprotect(machine.hart, machine.mm, BASE, PAGE_BYTES, PROT_NONE);
  expect(machine.peek(BASE, other)).toBeNull();
  const flushes = machine.hart.get(HART_COUNTERS + COUNTER_TLB_REMOTE_FLUSH);
  doMprotect(machine.hart, machine.mm, BASE, PAGE_BYTES, RW);
  expect(machine.hart.get(HART_COUNTERS + COUNTER_TLB_REMOTE_FLUSH)).toBe(flushes);
  expect(machine.store(BASE, 9, other)).toBe(0);
});

test("mremap takes the old address from every hart", () => {
  // A neighbour keeps the page table: freeing it would flush everything anyway.
  doMmap(machine.hart, machine.mm, BASE + 8 * PAGE_BYTES, PAGE_BYTES, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
  machine.touch(BASE + 8 * PAGE_BYTES, 1);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES, 4 * PAGE_BYTES, flags, OTHER)).toBe(OTHER);
  expect(machine.peek(BASE, other)).toBeNull();
  expect(machine.load(OTHER + 3 * PAGE_BYTES, other)).toBe(4);
});

test("MADV_DONTNEED makes every hart read zero", () => {
  doMadvise(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES, MADV_DONTNEED);
  expect(machine.peek(BASE, other)).toBeNull();
  expect(machine.load(BASE, other)).toBe(0);
});

test("a write to the zero page is seen by a hart that had read it", () => {
  doMadvise(machine.hart, machine.mm, BASE, PAGE_BYTES, MADV_DONTNEED);
  expect(machine.load(BASE, other)).toBe(0);
  expect(machine.store(BASE, 5)).toBe(0);
  expect(machine.peek(BASE, other) ?? machine.load(BASE, other)).toBe(5);
});

test("the freed page table can not be walked any more", () => {
  doMunmap(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES);
  for (let page = 0; page < 4; page++) expect(machine.peek(BASE + page * PAGE_BYTES, other)).toBeNull();
});
