// khugepaged: single pages of areas that want huge pages become leaves by and by.

import { beforeEach, expect, test } from "vitest";
import {
  COUNTER_THP_COLLAPSE_ALLOC,
  HART_COUNTERS,
  MM_HUGE_LEAVES,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../../assembly/layout.ts";
import { khugepagedStep, wakeKhugepaged } from "../../../host/kernel/memory/khugepaged.ts";
import { finishWait } from "../../../host/kernel/sched/wait.ts";
import { doMadvise } from "../../../host/mm/call/madvise.ts";
import { doMmap } from "../../../host/mm/call/mmap.ts";
import { checkMms } from "../../../host/mm/check-mm.ts";
import { dupMm } from "../../../host/mm/dup-mmap.ts";
import { mmput } from "../../../host/mm/mm.ts";
import {
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from "../../../host/mm/uapi.ts";
import { MmMachine } from "../../mm/harness.ts";

const BASE = 0x1000_0000;
const HUGE_BYTES = RUN_FRAMES * PAGE_BYTES;
let machine: MmMachine;

beforeEach(() => {
  machine = new MmMachine();
  machine.hart.wakeKhugepaged = () => wakeKhugepaged(machine.hart);
  machine.start();
  return () => {
    finishWait(machine.hart);
    expect(machine.finish()).toEqual([]);
  };
});

/** Touched before the advice: in single pages. */
function map(leaves: number): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  doMmap(machine.hart, machine.mm, BASE, leaves * HUGE_BYTES, PROT_READ | PROT_WRITE, flags, 0);
  for (let leaf = 0; leaf < leaves; leaf++) machine.touch(BASE + leaf * HUGE_BYTES, 3);
}

/** Steps until it waits. */
function runUntilWait(): void {
  for (let step = 0; step < 1000; step++) if (khugepagedStep(machine.hart) === "wait") return;
  throw new Error("khugepaged does not rest");
}

function leaves(): number {
  return machine.shared.get(machine.mm + MM_HUGE_LEAVES);
}

test("it sleeps until an area wants huge pages, and then collapses those of that area", () => {
  map(3);
  runUntilWait();
  expect(leaves()).toBe(0);
  expect(doMadvise(machine.hart, machine.mm, BASE, 2 * HUGE_BYTES, MADV_HUGEPAGE)).toBe(0);
  runUntilWait();
  expect(leaves()).toBe(2);
  expect(machine.hart.get(HART_COUNTERS + COUNTER_THP_COLLAPSE_ALLOC)).toBe(2);
  for (let leaf = 0; leaf < 3; leaf++) {
    for (let n = 0; n < 4; n++) expect(machine.load(BASE + leaf * HUGE_BYTES + n * PAGE_BYTES)).toBe((n + 1) % 4);
  }
});

test("it naps after some leaves, and goes on where it was", () => {
  map(12);
  runUntilWait();
  expect(doMadvise(machine.hart, machine.mm, BASE, 12 * HUGE_BYTES, MADV_HUGEPAGE)).toBe(0);
  runUntilWait();
  expect(leaves()).toBe(8);
  runUntilWait();
  expect(leaves()).toBe(12);
});

test("advice that is taken back, and pages that nobody has used, are left alone", () => {
  map(1);
  expect(doMadvise(machine.hart, machine.mm, BASE, HUGE_BYTES, MADV_HUGEPAGE)).toBe(0);
  expect(doMadvise(machine.hart, machine.mm, BASE, HUGE_BYTES, MADV_NOHUGEPAGE)).toBe(0);
  runUntilWait();
  expect(leaves()).toBe(0);
});

test("a child of fork is looked at too", () => {
  map(1);
  expect(doMadvise(machine.hart, machine.mm, BASE, HUGE_BYTES, MADV_HUGEPAGE)).toBe(0);
  const child = dupMm(machine.hart, machine.mm);
  for (let i = 0; i < 3; i++) runUntilWait();
  expect(leaves()).toBe(1);
  // What the child has is not marked as used: fork clears that.
  expect(machine.shared.get(child + MM_HUGE_LEAVES)).toBe(0);
  expect(checkMms(machine.hart, [machine.mm, child])).toEqual([]);
  const parent = machine.mm;
  machine.enter(child);
  expect(machine.load(BASE)).toBe(1);
  machine.enter(parent);
  runUntilWait();
  runUntilWait();
  expect(machine.shared.get(child + MM_HUGE_LEAVES)).toBe(1);
  mmput(machine.hart, child);
});
