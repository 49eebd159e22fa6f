// Huge pages: one leaf for 2 MiB, and everything that can happen to a part of it. After each test the ledger agrees.

import { beforeEach, expect, test } from "vitest";
import {
  ACCESS_STORE,
  COUNTER_PAGE_TABLE_ALLOC,
  COUNTER_THP_FAULT_ALLOC,
  COUNTER_THP_FAULT_FALLBACK,
  COUNTER_THP_SPLIT_PMD,
  COUNTER_TLB_FLUSH_ALL,
  HART_COUNTERS,
  MM_HUGE_LEAVES,
  MM_PT_PAGES,
  MM_RSS,
  MM_SWAP,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { allocRun, putRun } from "../../host/mm/frame/frame-runs.ts";
import { mmput } from "../../host/mm/mm.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import { readRemote } from "../../host/mm/remote.ts";
import { flushRss } from "../../host/mm/rss.ts";
import { addVmaUsage, emptyUsage } from "../../host/mm/smaps.ts";
import {
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import type { Hart } from "../../host/policy/hart.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const OTHER = 0x3000_0000;
const RW = PROT_READ | PROT_WRITE;
const HUGE_BYTES = RUN_FRAMES * PAGE_BYTES;
let machine: MmMachine;
let other: Hart;

beforeEach(() => {
  machine = new MmMachine(2);
  machine.useSwap(4096);
  machine.start();
  other = machine.harts[1];
  return () => expect(machine.finish()).toEqual([]);
});

/** `leaves` times 2 MiB that want huge pages. */
function map(leaves: number, flags = MAP_PRIVATE, va = BASE): void {
  const all = flags | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, va, leaves * HUGE_BYTES, RW, all, 0)).toBe(va);
  advise(MADV_HUGEPAGE, va, leaves * HUGE_BYTES);
}

function advise(advice: number, va: number, bytes: number): void {
  expect(doMadvise(machine.hart, machine.mm, va, bytes, advice)).toBe(0);
}

function page(n: number): number {
  return BASE + n * PAGE_BYTES;
}

function field(offset: number): number {
  flushRss(machine.hart);
  return machine.shared.get(machine.mm + offset);
}

function counter(name: number, hart: Hart = machine.hart): number {
  return hart.get(HART_COUNTERS + name);
}

/** Each page holds its number plus 1, and both harts have seen it. */
function fill(leaves: number): void {
  machine.touch(BASE, leaves * RUN_FRAMES);
  for (let n = 0; n < leaves * RUN_FRAMES; n++) expect(machine.load(page(n), other)).toBe(n + 1);
}

/** Both harts find what fill left in the pages [first, end). */
function expectFilled(first: number, end: number): void {
  for (let n = first; n < end; n++) {
    expect(machine.load(page(n), other)).toBe(n + 1);
    expect(machine.load(page(n))).toBe(n + 1);
  }
}

test("one store maps 2 MiB of zeros by one leaf", () => {
  map(1);
  machine.store(page(77), 5);
  expect(field(MM_HUGE_LEAVES)).toBe(1);
  expect(field(MM_RSS)).toBe(RUN_FRAMES);
  expect(counter(COUNTER_THP_FAULT_ALLOC)).toBe(1);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.load(page(n), other)).toBe(n === 77 ? 5 : 0);
});

test("a first read maps 2 MiB too", () => {
  map(1);
  expect(machine.load(page(3))).toBe(0);
  expect(field(MM_HUGE_LEAVES)).toBe(1);
});

test("no leaf where the area does not hold the whole 2 MiB, is shared, or does not want it", () => {
  map(1, MAP_PRIVATE, BASE + PAGE_BYTES);
  machine.touch(BASE + PAGE_BYTES, 4);
  map(1, MAP_SHARED, OTHER);
  machine.touch(OTHER, 4);
  map(1, MAP_PRIVATE, OTHER + HUGE_BYTES);
  advise(MADV_NOHUGEPAGE, OTHER + HUGE_BYTES, HUGE_BYTES);
  machine.touch(OTHER + HUGE_BYTES, 4);
  expect(field(MM_HUGE_LEAVES)).toBe(0);
});

test("without a free run a page of 4 KiB has to do", () => {
  const runs: number[] = [];
  for (let run = allocRun(machine.hart); run !== 0; run = allocRun(machine.hart)) runs.push(run);
  map(1);
  expect(machine.store(page(0), 1)).toBe(0);
  expect(field(MM_HUGE_LEAVES)).toBe(0);
  expect(field(MM_RSS)).toBe(1);
  expect(counter(COUNTER_THP_FAULT_FALLBACK)).toBe(1);
  for (const run of runs) putRun(machine.hart, run);
});

test("munmap of one page splits the leaf, and the other pages keep their bytes", () => {
  map(1);
  fill(1);
  expect(doMunmap(machine.hart, machine.mm, page(200), PAGE_BYTES)).toBe(0);
  expect(machine.peek(page(200), other)).toBeNull();
  expectFilled(0, 200);
  expectFilled(201, RUN_FRAMES);
  expect(counter(COUNTER_THP_SPLIT_PMD)).toBe(1);
  expect(field(MM_RSS)).toBe(RUN_FRAMES - 1);
});

test("munmap of all of it takes it from every hart with one fence, and frees it as a run", () => {
  map(2);
  fill(2);
  const flushes = counter(COUNTER_TLB_FLUSH_ALL, other);
  expect(doMadvise(machine.hart, machine.mm, BASE, HUGE_BYTES, MADV_DONTNEED)).toBe(0);
  expect(counter(COUNTER_TLB_FLUSH_ALL, other)).toBe(flushes);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.peek(page(n), other)).toBeNull();
  expectFilled(RUN_FRAMES, 2 * RUN_FRAMES);
  expect(doMunmap(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES)).toBe(0);
  expect(field(MM_RSS)).toBe(0);
  expect(counter(COUNTER_THP_SPLIT_PMD)).toBe(0);
});

test("a huge page that is flushed at a wrong address (B-M11) stays where it was for the other hart", () => {
  const wrong = new MmMachine(2, 1 << 26, {}, "B-M11");
  wrong.start();
  const all = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(wrong.hart, wrong.mm, BASE, HUGE_BYTES, RW, all, 0)).toBe(BASE);
  expect(doMadvise(wrong.hart, wrong.mm, BASE, HUGE_BYTES, MADV_HUGEPAGE)).toBe(0);
  wrong.store(page(9), 10);
  expect(wrong.load(page(9), wrong.harts[1])).toBe(10);
  expect(doMadvise(wrong.hart, wrong.mm, BASE, HUGE_BYTES, MADV_DONTNEED)).toBe(0);
  expect(wrong.peek(page(9), wrong.harts[1])).not.toBeNull();
});

test("a split needs no memory", () => {
  map(1);
  fill(1);
  const tables = field(MM_PT_PAGES);
  advise(MADV_DONTNEED, page(5), PAGE_BYTES);
  expect(field(MM_PT_PAGES)).toBe(tables);
  expect(machine.load(page(5), other)).toBe(0);
  expectFilled(6, RUN_FRAMES);
});

test("mprotect of all of it keeps the leaf, of a part splits it; every hart loses the right", () => {
  map(2);
  fill(2);
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, PROT_READ)).toBe(0);
  expect(field(MM_HUGE_LEAVES)).toBe(2);
  for (const n of [0, 1, 255, 511]) expect(other.core.userCmpxchg32(page(n), n + 1, 9)).toBe(-1n);
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, PROT_NONE)).toBe(0);
  for (const n of [0, 1, 255, 511]) expect(machine.peek(page(n), other)).toBeNull();
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, RW)).toBe(0);
  expectFilled(0, RUN_FRAMES);
  expect(machine.store(page(1), 2, other)).toBe(0);
  expect(field(MM_HUGE_LEAVES)).toBe(2);
  expect(doMprotect(machine.hart, machine.mm, page(RUN_FRAMES + 10), PAGE_BYTES, PROT_READ)).toBe(0);
  expect(field(MM_HUGE_LEAVES)).toBe(1);
  expect(other.core.userCmpxchg32(page(RUN_FRAMES + 10), RUN_FRAMES + 11, 9)).toBe(-1n);
  expectFilled(0, 2 * RUN_FRAMES);
});

test("mremap moves the pages, and takes the old addresses from every hart", () => {
  map(1);
  fill(1);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, HUGE_BYTES, HUGE_BYTES, flags, OTHER)).toBe(OTHER);
  for (let n = 0; n < RUN_FRAMES; n++) {
    expect(machine.peek(page(n), other)).toBeNull();
    expect(machine.load(OTHER + n * PAGE_BYTES, other)).toBe(n + 1);
  }
});

test("mremap moves a leaf whole where both ends are aligned to it", () => {
  map(2);
  fill(2);
  const tables = field(MM_PT_PAGES);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES, 2 * HUGE_BYTES, flags, OTHER)).toBe(OTHER);
  expect(field(MM_HUGE_LEAVES)).toBe(2);
  expect(counter(COUNTER_THP_SPLIT_PMD)).toBe(0);
  expect(field(MM_PT_PAGES)).toBe(tables);
  expect(checkMms(machine.hart, [machine.mm])).toEqual([]);
  for (let n = 0; n < 2 * RUN_FRAMES; n++) {
    expect(machine.peek(page(n), other)).toBeNull();
    expect(machine.load(OTHER + n * PAGE_BYTES, other)).toBe(n + 1);
  }
  // What was kept for the split has come along, and reclaim finds the pages.
  expect(doMunmap(machine.hart, machine.mm, OTHER + 5 * PAGE_BYTES, PAGE_BYTES)).toBe(0);
  expect(counter(COUNTER_THP_SPLIT_PMD)).toBe(1);
  while (shrinkMemory(machine.hart, RUN_FRAMES) > 0);
  expect(field(MM_SWAP)).toBe(2 * RUN_FRAMES - 1);
  for (let n = 6; n < 2 * RUN_FRAMES; n++) expect(machine.load(OTHER + n * PAGE_BYTES)).toBe(n + 1);
});

test("mremap splits a leaf of which a part stays, and one that comes to lie across two", () => {
  map(2);
  fill(2);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  const bytes = HUGE_BYTES + 10 * PAGE_BYTES;
  expect(doMremap(machine.hart, machine.mm, BASE, bytes, bytes, flags, OTHER)).toBe(OTHER);
  expect(field(MM_HUGE_LEAVES)).toBe(1);
  expect(counter(COUNTER_THP_SPLIT_PMD)).toBe(1);
  const across = OTHER + 3 * HUGE_BYTES + PAGE_BYTES;
  expect(doMremap(machine.hart, machine.mm, OTHER, HUGE_BYTES, HUGE_BYTES, flags, across)).toBe(across);
  expect(field(MM_HUGE_LEAVES)).toBe(0);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.load(across + n * PAGE_BYTES, other)).toBe(n + 1);
  expectFilled(RUN_FRAMES + 10, 2 * RUN_FRAMES);
});

test("what a fault under the vma's lock mapped while mremap made tables was lost, or written to nowhere", () => {
  map(2, MAP_PRIVATE);
  machine.store(page(0), 1);
  const { vmaLock } = machine.hart.policies;
  const locked: number[] = [];
  const { count } = machine.hart;
  machine.hart.count = (counter) => {
    count.call(machine.hart, counter);
    if (counter !== COUNTER_PAGE_TABLE_ALLOC) return;
    const vma = vmaLock.startRead(other, machine.mm, BASE / PAGE_BYTES + RUN_FRAMES);
    locked.push(vma);
    if (vma !== 0) vmaLock.endRead(other, vma);
  };
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  expect(doMremap(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES, 2 * HUGE_BYTES, flags, 2 ** 31)).toBe(2 ** 31);
  machine.hart.count = count;
  expect(locked.length).toBeGreaterThan(0);
  expect(locked.filter((vma) => vma !== 0)).toEqual([]);
});

test("an area that is cut inside a leaf leaves no leaf in two areas", () => {
  map(1);
  fill(1);
  advise(MADV_DONTFORK, page(100), 300 * PAGE_BYTES);
  expect(field(MM_HUGE_LEAVES)).toBe(0);
  expectFilled(0, RUN_FRAMES);
});

test("fork shares the leaf; a store copies one page, and the last owner takes the rest over", () => {
  map(1);
  fill(1);
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  expect(machine.shared.get(child + MM_HUGE_LEAVES)).toBe(1);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  expect(machine.store(page(7), 1000)).toBe(0); // by hart 0: only it serves the others
  expect(field(MM_HUGE_LEAVES)).toBe(0);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  machine.enter(child);
  expectFilled(0, RUN_FRAMES);
  expect(field(MM_HUGE_LEAVES)).toBe(1);
  machine.enter(parent);
  expect(machine.load(page(7))).toBe(1000);
  mmput(machine.hart, child);
  expect(checkMms(machine.hart, [parent])).toEqual([]);
});

test("a leaf that only the child has left becomes writable as a whole", () => {
  map(1);
  fill(1);
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  machine.enter(child);
  mmput(machine.hart, parent);
  expect(machine.store(page(9), 10)).toBe(0);
  expect(field(MM_HUGE_LEAVES)).toBe(1);
  expectFilled(0, RUN_FRAMES);
});

test("reclaim splits it, and its pages come back from swap with the same bytes", () => {
  map(1);
  fill(1);
  expect(shrinkMemory(machine.hart, RUN_FRAMES)).toBeGreaterThan(0);
  expect(field(MM_HUGE_LEAVES)).toBe(0);
  expect(field(MM_SWAP)).toBeGreaterThan(0);
  expectFilledBySwap();
});

test("reclaim of what two relatives have, one by a leaf and one page by page, loses nothing", () => {
  map(1);
  fill(1);
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
    expect(machine.load(page(n), other)).toBe(n + 1);
  }
}

test("smaps and a remote reader see its pages", () => {
  map(1);
  fill(1);
  const usage = emptyUsage();
  const vma = vmaFind(machine.hart, machine.mm, BASE / PAGE_BYTES);
  addVmaUsage(machine.hart, machine.mm, vma, usage);
  expect(usage).toMatchObject({ rss: HUGE_BYTES, anonHuge: HUGE_BYTES, privateDirty: HUGE_BYTES });
  const run = allocRun(machine.hart);
  expect(readRemote(machine.hart, machine.mm, page(300), run * PAGE_BYTES, 4)).toBe(4);
  expect(machine.shared.get(run * PAGE_BYTES)).toBe(301);
  putRun(machine.hart, run);
});
