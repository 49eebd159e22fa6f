// Huge pages: one leaf for 2 MiB, and everything that can happen to a part of it. After each test the ledger agrees.

import { beforeEach, expect, test } from "vitest";
import {
  COUNTER_THP_FAULT_ALLOC,
  COUNTER_THP_FAULT_FALLBACK,
  COUNTER_THP_SPLIT_PMD,
  COUNTER_TLB_FLUSH_ALL,
  MM_HUGE_LEAVES,
  MM_PT_PAGES,
  MM_RSS,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { allocRun, putRun } from "../../host/mm/frame/frame-runs.ts";
import { readRemote } from "../../host/mm/remote.ts";
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
  PROT_NONE,
  PROT_READ,
} from "../../host/mm/uapi.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import { MmMachine } from "./harness.ts";
import { BASE, HUGE_BYTES, HugeMachine, page, RW } from "./huge-machine.ts";

const OTHER = 0x3000_0000;
let machine: HugeMachine;

beforeEach(() => {
  machine = new HugeMachine();
  return () => expect(machine.finish()).toEqual([]);
});

/** `leaves` times 2 MiB that want huge pages. */
function map(leaves: number, flags = MAP_PRIVATE, va = BASE): void {
  machine.map(leaves, flags, va);
  advise(MADV_HUGEPAGE, va, leaves * HUGE_BYTES);
}

function advise(advice: number, va: number, bytes: number): void {
  expect(doMadvise(machine.hart, machine.mm, va, bytes, advice)).toBe(0);
}

test("one store maps 2 MiB of zeros by one leaf", () => {
  map(1);
  machine.store(page(77), 5);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  expect(machine.field(MM_RSS)).toBe(RUN_FRAMES);
  expect(machine.counter(COUNTER_THP_FAULT_ALLOC)).toBe(1);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.load(page(n), machine.other)).toBe(n === 77 ? 5 : 0);
});

test("a first read maps 2 MiB too", () => {
  map(1);
  expect(machine.load(page(3))).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
});

test("no leaf where the area does not hold the whole 2 MiB, is shared, or does not want it", () => {
  map(1, MAP_PRIVATE, BASE + PAGE_BYTES);
  machine.touch(BASE + PAGE_BYTES, 4);
  map(1, MAP_SHARED, OTHER);
  machine.touch(OTHER, 4);
  map(1, MAP_PRIVATE, OTHER + HUGE_BYTES);
  advise(MADV_NOHUGEPAGE, OTHER + HUGE_BYTES, HUGE_BYTES);
  machine.touch(OTHER + HUGE_BYTES, 4);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
});

test("without a free run a page of 4 KiB has to do", () => {
  const runs: number[] = [];
  for (let run = allocRun(machine.hart); run !== 0; run = allocRun(machine.hart)) runs.push(run);
  map(1);
  expect(machine.store(page(0), 1)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  expect(machine.field(MM_RSS)).toBe(1);
  expect(machine.counter(COUNTER_THP_FAULT_FALLBACK)).toBe(1);
  for (const run of runs) putRun(machine.hart, run);
});

test("munmap of one page splits the leaf, and the machine.other pages keep their bytes", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  expect(doMunmap(machine.hart, machine.mm, page(200), PAGE_BYTES)).toBe(0);
  expect(machine.peek(page(200), machine.other)).toBeNull();
  machine.expectFilled(0, 200);
  machine.expectFilled(201, RUN_FRAMES);
  expect(machine.counter(COUNTER_THP_SPLIT_PMD)).toBe(1);
  expect(machine.field(MM_RSS)).toBe(RUN_FRAMES - 1);
});

test("munmap of all of it takes it from every hart with one fence, and frees it as a run", () => {
  map(2);
  machine.fill(2 * RUN_FRAMES);
  const flushes = machine.counter(COUNTER_TLB_FLUSH_ALL, machine.other);
  expect(doMadvise(machine.hart, machine.mm, BASE, HUGE_BYTES, MADV_DONTNEED)).toBe(0);
  expect(machine.counter(COUNTER_TLB_FLUSH_ALL, machine.other)).toBe(flushes);
  for (let n = 0; n < RUN_FRAMES; n++) expect(machine.peek(page(n), machine.other)).toBeNull();
  machine.expectFilled(RUN_FRAMES, 2 * RUN_FRAMES);
  expect(doMunmap(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES)).toBe(0);
  expect(machine.field(MM_RSS)).toBe(0);
  expect(machine.counter(COUNTER_THP_SPLIT_PMD)).toBe(0);
});

test("a huge page that is flushed at a wrong address (B-M11) stays where it was for the machine.other hart", () => {
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
  machine.fill(RUN_FRAMES);
  const tables = machine.field(MM_PT_PAGES);
  advise(MADV_DONTNEED, page(5), PAGE_BYTES);
  expect(machine.field(MM_PT_PAGES)).toBe(tables);
  expect(machine.load(page(5), machine.other)).toBe(0);
  machine.expectFilled(6, RUN_FRAMES);
});

test("mprotect of all of it keeps the leaf, of a part splits it; every hart loses the right", () => {
  map(2);
  machine.fill(2 * RUN_FRAMES);
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, PROT_READ)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(2);
  for (const n of [0, 1, 255, 511]) expect(machine.other.core.userCmpxchg32(page(n), n + 1, 9)).toBe(-1n);
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, PROT_NONE)).toBe(0);
  for (const n of [0, 1, 255, 511]) expect(machine.peek(page(n), machine.other)).toBeNull();
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, RW)).toBe(0);
  machine.expectFilled(0, RUN_FRAMES);
  expect(machine.store(page(1), 2, machine.other)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(2);
  expect(doMprotect(machine.hart, machine.mm, page(RUN_FRAMES + 10), PAGE_BYTES, PROT_READ)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  expect(machine.other.core.userCmpxchg32(page(RUN_FRAMES + 10), RUN_FRAMES + 11, 9)).toBe(-1n);
  machine.expectFilled(0, 2 * RUN_FRAMES);
});

test("an area that is cut inside a leaf leaves no leaf in two areas", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  advise(MADV_DONTFORK, page(100), 300 * PAGE_BYTES);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  machine.expectFilled(0, RUN_FRAMES);
});

test("smaps and a remote reader see its pages", () => {
  map(1);
  machine.fill(RUN_FRAMES);
  const usage = emptyUsage();
  const vma = vmaFind(machine.hart, machine.mm, BASE / PAGE_BYTES);
  addVmaUsage(machine.hart, machine.mm, vma, usage);
  expect(usage).toMatchObject({ rss: HUGE_BYTES, anonHuge: HUGE_BYTES, privateDirty: HUGE_BYTES });
  const run = allocRun(machine.hart);
  expect(readRemote(machine.hart, machine.mm, page(300), run * PAGE_BYTES, 4)).toBe(4);
  expect(machine.shared.get(run * PAGE_BYTES)).toBe(301);
  putRun(machine.hart, run);
});
