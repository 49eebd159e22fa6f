// MADV_COLD, MADV_PAGEOUT and MADV_FREE: what becomes of pages that a program says it does not need.

import { beforeEach, expect, test } from "vitest";
import {
  ACCESS_STORE,
  COUNTER_PGLAZYFREE,
  COUNTER_PGLAZYFREED,
  COUNTER_PSWPOUT,
  HART_COUNTERS,
  MM_SWAP,
  PAGE_BYTES,
  RAM_BYTES_MIN,
} from "../../assembly/layout.ts";
import { EINVAL, ENOMEM } from "../../host/memory/errno.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMlock } from "../../host/mm/call/mlock.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { FAULT_OK } from "../../host/mm/fault/fault-outcome.ts";
import { mmput } from "../../host/mm/mm.ts";
import { checkLru } from "../../host/mm/reclaim/check-lru.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import {
  MADV_COLD,
  MADV_FREE,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const PAGES = 80;
let machine: MmMachine;

beforeEach(() => {
  machine = new MmMachine(2, RAM_BYTES_MIN);
  return () => expect(machine.finish()).toEqual([]);
});

function start(slots: number, flags = MAP_PRIVATE): void {
  if (slots !== 0) machine.useSwap(slots);
  machine.start();
  const all = flags | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, BASE, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, all, 0)).toBe(BASE);
  for (let page = 0; page < PAGES; page++) expect(machine.store(at(page), page + 1)).toBe(0);
}

const at = (page: number) => BASE + page * PAGE_BYTES + 16;
const advise = (first: number, pages: number, advice: number) =>
  doMadvise(machine.hart, machine.mm, BASE + first * PAGE_BYTES, pages * PAGE_BYTES, advice);
const counter = (name: number) => machine.hart.get(HART_COUNTERS + name);
const swapped = () => machine.shared.get(machine.mm + MM_SWAP);

function evictAll(): void {
  while (shrinkMemory(machine.hart, PAGES) > 0);
}

test.each([
  ["private", MAP_PRIVATE],
  ["shared", MAP_SHARED],
])("MADV_PAGEOUT writes %s pages to swap at once, and they come back", (_, flags) => {
  start(PAGES, flags);
  expect(advise(10, 50, MADV_PAGEOUT)).toBe(0);
  expect(counter(COUNTER_PSWPOUT)).toBe(50);
  if (flags === MAP_PRIVATE) expect(swapped()).toBe(50);
  for (let page = 0; page < PAGES; page++) expect(machine.load(at(page))).toBe(page + 1);
});

test("MADV_PAGEOUT without swap changes nothing, over holes and locked pages it says so", () => {
  start(0);
  expect(advise(0, PAGES, MADV_PAGEOUT)).toBe(0);
  expect(machine.load(at(3))).toBe(4);
  expect(advise(0, PAGES + 1, MADV_PAGEOUT)).toBe(-ENOMEM);
  expect(doMlock(machine.hart, machine.mm, BASE, PAGE_BYTES, 0)).toBe(0);
  for (const advice of [MADV_PAGEOUT, MADV_COLD, MADV_FREE]) expect(advise(0, 1, advice)).toBe(-EINVAL);
  expect(checkLru(machine.hart)).toEqual([]);
});

test("pages that are MADV_COLD go before the others", () => {
  start(PAGES);
  shrinkMemory(machine.hart, 1); // everything has been looked at once
  for (let page = 0; page < PAGES; page++) machine.load(at(page));
  const before = swapped();
  expect(advise(20, 30, MADV_COLD)).toBe(0);
  expect(shrinkMemory(machine.hart, 20)).toBeGreaterThanOrEqual(20);
  expect(swapped() - before).toBeGreaterThanOrEqual(20);
  const cores = Array.from({ length: PAGES }, (_, page) => machine.peek(at(page), machine.hart) === null);
  expect(cores.slice(20, 50).filter((gone) => gone).length).toBeGreaterThanOrEqual(20 - before);
});

test("MADV_FREE keeps the bytes while there is memory, and loses those not written since when there is none", () => {
  start(0);
  expect(advise(0, PAGES, MADV_FREE)).toBe(0);
  expect(counter(COUNTER_PGLAZYFREE)).toBe(PAGES);
  expect(machine.load(at(5))).toBe(6);
  for (let page = 0; page < PAGES; page += 2) expect(machine.store(at(page) + 4, 7)).toBe(0);
  evictAll();
  expect(counter(COUNTER_PGLAZYFREED)).toBe(PAGES / 2);
  for (let page = 0; page < PAGES; page++) expect(machine.load(at(page))).toBe(page % 2 === 0 ? page + 1 : 0);
  expect(checkMms(machine.hart, [machine.mm])).toEqual([]);
});

test("MADV_FREE of what is in swap, or of a mapping", () => {
  start(PAGES);
  expect(advise(0, 40, MADV_PAGEOUT)).toBe(0);
  expect(machine.load(at(0))).toBe(1); // back, and in the swap cache no more
  expect(advise(0, PAGES, MADV_FREE)).toBe(0);
  expect(swapped()).toBe(0);
  expect(machine.load(at(10))).toBe(0);
  const all = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, BASE, PAGE_BYTES, PROT_READ, all, 0)).toBe(BASE);
  expect(advise(0, 1, MADV_FREE)).toBe(-EINVAL);
});

test("a page given up, written to, and then shared by fork has no slot, and stays", () => {
  start(PAGES);
  expect(advise(0, PAGES, MADV_FREE)).toBe(0);
  for (let page = 0; page < 20; page++) expect(machine.store(at(page), 500 + page)).toBe(0);
  const child = dupMm(machine.hart, machine.mm);
  for (let times = 0; times < 3; times++) shrinkMemory(machine.hart, PAGES);
  expect(checkMms(machine.hart, [machine.mm, child])).toEqual([]);
  for (let page = 0; page < 20; page++) expect(machine.load(at(page))).toBe(500 + page);
  mmput(machine.hart, child);
});

test("what a fork shares with MADV_FREE on it stays with whoever writes it", () => {
  start(PAGES);
  expect(advise(0, PAGES, MADV_FREE)).toBe(0);
  const child = dupMm(machine.hart, machine.mm);
  for (let page = 0; page < 20; page++) expect(machine.store(at(page), 500 + page)).toBe(0);
  for (let page = 20; page < 40; page++) {
    expect(handleMmFault(machine.hart, child, at(page), ACCESS_STORE)).toBe(FAULT_OK);
  }
  evictAll();
  expect(checkMms(machine.hart, [machine.mm, child])).toEqual([]);
  for (let page = 0; page < 20; page++) expect(machine.load(at(page))).toBe(500 + page);
  mmput(machine.hart, child);
});
