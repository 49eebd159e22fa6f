// Huge pages that are moved, shared by fork, and swapped. After each test the ledger agrees.

import { beforeEach, expect, test } from "vitest";
import {
  ACCESS_STORE,
  COUNTER_PAGE_TABLE_ALLOC,
  COUNTER_THP_SPLIT_PMD,
  MM_HUGE_LEAVES,
  MM_PT_PAGES,
  MM_SWAP,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { mmput } from "../../host/mm/mm.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import { MADV_HUGEPAGE, MREMAP_FIXED, MREMAP_MAYMOVE } from "../../host/mm/uapi.ts";
import { BASE, HUGE_BYTES, HugeMachine, page } from "./huge-machine.ts";

const OTHER = 0x3000_0000;
let machine: HugeMachine;

beforeEach(() => {
  machine = new HugeMachine();
  return () => expect(machine.finish()).toEqual([]);
});

/** `leaves` times 2 MiB that want huge pages. */
function map(leaves: number): void {
  machine.map(leaves);
  expect(doMadvise(machine.hart, machine.mm, BASE, leaves * HUGE_BYTES, MADV_HUGEPAGE)).toBe(0);
}

test("mremap moves the pages, and takes the old addresses from every hart", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, HUGE_BYTES, HUGE_BYTES, flags, OTHER)).toBe(OTHER);
  for (let n = 0; n < RUN_FRAMES; n++) {
    expect(machine.peek(page(n), machine.other)).toBeNull();
    expect(machine.load(OTHER + n * PAGE_BYTES, machine.other)).toBe(n + 1);
  }
});

test("mremap moves a leaf whole where both ends are aligned to it", () => {
  map(2);
  machine.fill(2 * RUN_FRAMES);
  const tables = machine.field(MM_PT_PAGES);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES, 2 * HUGE_BYTES, flags, OTHER)).toBe(OTHER);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(2);
  expect(machine.counter(COUNTER_THP_SPLIT_PMD)).toBe(0);
  expect(machine.field(MM_PT_PAGES)).toBe(tables);
  expect(checkMms(machine.hart, [machine.mm])).toEqual([]);
  for (let n = 0; n < 2 * RUN_FRAMES; n++) {
    expect(machine.peek(page(n), machine.other)).toBeNull();
    expect(machine.load(OTHER + n * PAGE_BYTES, machine.other)).toBe(n + 1);
  }
  // What was kept for the split has come along, and reclaim finds the pages.
  expect(doMunmap(machine.hart, machine.mm, OTHER + 5 * PAGE_BYTES, PAGE_BYTES)).toBe(0);
  expect(machine.counter(COUNTER_THP_SPLIT_PMD)).toBe(1);
  while (shrinkMemory(machine.hart, RUN_FRAMES) > 0);
  expect(machine.field(MM_SWAP)).toBe(2 * RUN_FRAMES - 1);
  for (let n = 6; n < 2 * RUN_FRAMES; n++) expect(machine.load(OTHER + n * PAGE_BYTES)).toBe(n + 1);
});

test("mremap splits a leaf of which a part stays, and one that comes to lie across two", () => {
  map(2);
  machine.fill(2 * RUN_FRAMES);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  const bytes = HUGE_BYTES + 10 * PAGE_BYTES;
  expect(doMremap(machine.hart, machine.mm, BASE, bytes, bytes, flags, OTHER)).toBe(OTHER);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  expect(machine.counter(COUNTER_THP_SPLIT_PMD)).toBe(1);
  const across = OTHER + 3 * HUGE_BYTES + PAGE_BYTES;
  expect(doMremap(machine.hart, machine.mm, OTHER, HUGE_BYTES, HUGE_BYTES, flags, across)).toBe(across);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.load(across + n * PAGE_BYTES, machine.other)).toBe(n + 1);
  machine.expectFilled(RUN_FRAMES + 10, 2 * RUN_FRAMES);
});

test("what a fault under the vma's lock mapped while mremap made tables was lost, or written to nowhere", () => {
  map(2);
  machine.store(page(0), 1);
  const { vmaLock } = machine.hart.policies;
  const locked: number[] = [];
  const { count } = machine.hart;
  machine.hart.count = (counter) => {
    count.call(machine.hart, counter);
    if (counter !== COUNTER_PAGE_TABLE_ALLOC) return;
    const vma = vmaLock.startRead(machine.other, machine.mm, BASE / PAGE_BYTES + RUN_FRAMES);
    locked.push(vma);
    if (vma !== 0) vmaLock.endRead(machine.other, vma);
  };
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES, 2 * HUGE_BYTES, flags, 2 ** 31)).toBe(2 ** 31);
  machine.hart.count = count;
  expect(locked.length).toBeGreaterThan(0);
  expect(locked.filter((vma) => vma !== 0)).toEqual([]);
});

test("fork shares the leaf; a store copies one page, and the last owner takes the rest over", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  expect(machine.shared.get(child + MM_HUGE_LEAVES)).toBe(1);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  expect(machine.store(page(7), 1000)).toBe(0); // by hart 0: only it serves the others
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  machine.enter(child);
  machine.expectFilled(0, RUN_FRAMES);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  machine.enter(parent);
  expect(machine.load(page(7))).toBe(1000);
  mmput(machine.hart, child);
  expect(checkMms(machine.hart, [parent])).toEqual([]);
});

test("a leaf that only the child has left becomes writable as a whole", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  machine.enter(child);
  mmput(machine.hart, parent);
  expect(machine.store(page(9), 10)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  machine.expectFilled(0, RUN_FRAMES);
});

test("reclaim splits it, and its pages come back from swap with the same bytes", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  expect(shrinkMemory(machine.hart, RUN_FRAMES)).toBeGreaterThan(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  expect(machine.field(MM_SWAP)).toBeGreaterThan(0);
  expectFilledBySwap();
});

test("reclaim of what two relatives have, one by a leaf and one page by page, loses nothing", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  for (let n = 0; n < RUN_FRAMES; n += 8) machine.store(page(n), n + 1); // splits the parent's
  expect(doMunmap(machine.hart, machine.mm, page(1), 510 * PAGE_BYTES)).toBe(0);
  machine.enter(child);
  machine.store(page(1), 2);
  machine.enter(parent);
  expect(machine.load(page(0))).toBe(1);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  for (let round = 0; round < 4; round++) shrinkMemory(machine.hart, 64);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  machine.enter(child);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.load(page(n))).toBe(n + 1);
  machine.enter(parent);
  mmput(machine.hart, child);
});

function expectFilledBySwap(): void {
  for (let n = 0; n < RUN_FRAMES; n++) {
    expect(machine.fault(page(n), ACCESS_STORE)).toBe(0);
    expect(machine.load(page(n), machine.other)).toBe(n + 1);
  }
}
