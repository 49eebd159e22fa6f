// MADV_COLLAPSE: many pages become one leaf, and nobody sees it but the counters. After each test the ledger agrees.

import { beforeEach, expect, test } from "vitest";
import {
  COUNTER_THP_COLLAPSE_ALLOC,
  COUNTER_THP_COLLAPSE_ALLOC_FAILED,
  MM_HUGE_LEAVES,
  MM_PT_PAGES,
  MM_RSS,
  MM_SWAP,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../assembly/layout.ts";
import { EINVAL, ENOMEM } from "../../host/memory/errno.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { allocRun, putRun } from "../../host/mm/frame/frame-runs.ts";
import { mmput } from "../../host/mm/mm.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import { MADV_COLLAPSE, MADV_DONTNEED, MADV_NOHUGEPAGE, MAP_SHARED, PROT_READ } from "../../host/mm/uapi.ts";
import { BASE, HUGE_BYTES, HugeMachine, page } from "./huge-machine.ts";

let machine: HugeMachine;

beforeEach(() => {
  machine = new HugeMachine();
  return () => expect(machine.finish()).toEqual([]);
});

function collapse(va = BASE, bytes = HUGE_BYTES): number {
  return doMadvise(machine.hart, machine.mm, va, bytes, MADV_COLLAPSE);
}

/** What fill left, and zeros behind it. */
function expectFilled(pages: number): void {
  machine.expectFilled(0, pages);
  for (const hart of [machine.other, machine.hart]) {
    for (let n = pages; n < RUN_FRAMES; n++) expect(machine.load(page(n), hart)).toBe(0);
  }
}

test("pages and holes become one leaf with the same bytes", () => {
  machine.map(1);
  machine.fill(300);
  machine.load(page(400)); // the zero page
  const tables = machine.field(MM_PT_PAGES);
  expect(collapse()).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  expect(machine.field(MM_RSS)).toBe(RUN_FRAMES);
  expect(machine.field(MM_PT_PAGES)).toBe(tables);
  expect(machine.counter(COUNTER_THP_COLLAPSE_ALLOC)).toBe(1);
  expectFilled(300);
});

test("no hart writes to the old pages any more", () => {
  machine.map(1);
  machine.fill(RUN_FRAMES);
  expect(collapse()).toBe(0);
  expect(machine.store(page(5), 1005, machine.other)).toBe(0);
  expect(machine.load(page(5))).toBe(1005);
  expect(machine.store(page(6), 1006)).toBe(0);
  expect(machine.load(page(6), machine.other)).toBe(1006);
});

test("a leaf that was made so is split, and made again", () => {
  machine.map(1);
  machine.fill(RUN_FRAMES);
  expect(collapse()).toBe(0);
  expect(collapse()).toBe(0); // there is nothing to do
  expect(doMadvise(machine.hart, machine.mm, page(511), PAGE_BYTES, MADV_DONTNEED)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  expect(collapse()).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  expectFilled(511);
});

test("rights stay what they are", () => {
  machine.map(1);
  machine.fill(RUN_FRAMES);
  expect(doMprotect(machine.hart, machine.mm, BASE, HUGE_BYTES, PROT_READ)).toBe(0);
  expect(collapse()).toBe(0);
  expect(machine.other.core.userCmpxchg32(page(3), 4, 9)).toBe(-1n);
  expectFilled(RUN_FRAMES);
});

test("pages shared by fork are copied for the one that collapses", () => {
  machine.map(1);
  machine.fill(RUN_FRAMES);
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  expect(collapse()).toBe(0);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  machine.store(page(1), 1000);
  machine.enter(child);
  expectFilled(RUN_FRAMES);
  machine.enter(parent);
  mmput(machine.hart, child);
});

test("swapped pages are brought back first", () => {
  machine.map(1);
  machine.fill(RUN_FRAMES);
  expect(shrinkMemory(machine.hart, 200)).toBeGreaterThan(0);
  expect(machine.field(MM_SWAP)).toBeGreaterThan(0);
  expect(collapse()).toBe(0);
  expect(machine.field(MM_SWAP)).toBe(0);
  expect(machine.field(MM_HUGE_LEAVES)).toBe(1);
  expectFilled(RUN_FRAMES);
});

test("without a free run it is ENOMEM, and nothing has changed", () => {
  machine.map(1);
  machine.fill(RUN_FRAMES);
  const runs: number[] = [];
  for (let run = allocRun(machine.hart); run !== 0; run = allocRun(machine.hart)) runs.push(run);
  expect(collapse()).toBe(-ENOMEM);
  expect(machine.counter(COUNTER_THP_COLLAPSE_ALLOC_FAILED)).toBe(1);
  expectFilled(RUN_FRAMES);
  for (const run of runs) putRun(machine.hart, run);
  expect(collapse()).toBe(0);
  expectFilled(RUN_FRAMES);
});

test("what can not be a leaf is EINVAL: nothing there, too small, shared, not wanted; a hole is ENOMEM", () => {
  machine.map(1);
  expect(collapse()).toBe(-EINVAL);
  machine.touch(BASE, 1);
  expect(collapse(BASE, HUGE_BYTES - PAGE_BYTES)).toBe(0); // no whole 2 MiB asked for
  expect(machine.field(MM_HUGE_LEAVES)).toBe(0);
  expect(doMadvise(machine.hart, machine.mm, BASE, HUGE_BYTES, MADV_NOHUGEPAGE)).toBe(0);
  expect(collapse()).toBe(-EINVAL);
  machine.map(1, MAP_SHARED);
  machine.touch(BASE, 1);
  expect(collapse()).toBe(-EINVAL);
  machine.map(1);
  machine.touch(BASE, 1);
  expect(doMunmap(machine.hart, machine.mm, BASE, PAGE_BYTES)).toBe(0);
  expect(collapse()).toBe(-EINVAL);
  expect(collapse(BASE + 4 * HUGE_BYTES)).toBe(-ENOMEM);
});
