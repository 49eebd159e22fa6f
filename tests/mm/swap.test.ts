// Pages that leave memory come back with the same bytes, and nobody notices but the counters.

import { beforeEach, expect, test } from "vitest";
import {
  ACCESS_LOAD,
  ACCESS_STORE,
  COUNTER_PGSTEAL_FILE,
  COUNTER_PSWPIN,
  COUNTER_PSWPOUT,
  HART_COUNTERS,
  MAPPING_HOST_FILE,
  MAPPING_SHMEM,
  MM_SWAP,
  PAGE_BYTES,
  RAM_BYTES_MIN,
  TASK_MAJ_FLT,
  TASK_MIN_FLT,
} from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMlock, doMunlock } from "../../host/mm/call/mlock.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { FAULT_BUS, FAULT_OK, FAULT_OOM } from "../../host/mm/fault/fault-outcome.ts";
import { mappingCreate, mappingPut } from "../../host/mm/mapping/mapping.ts";
import { mappingRead, mappingTruncate, mappingWrite } from "../../host/mm/mapping/mapping-io.ts";
import { mmput } from "../../host/mm/mm.ts";
import { swapFreeSlots } from "../../host/mm/reclaim/swap-map.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import {
  MADV_DONTNEED,
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
import { seedFrom } from "../support/seeds.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const OTHER = 0x3000_0000;
const RW = PROT_READ | PROT_WRITE;
const RAM_PAGES = RAM_BYTES_MIN / PAGE_BYTES;
const MANY = RAM_PAGES + 1000;
let machine: MmMachine;

beforeEach(() => {
  machine = new MmMachine(2, RAM_BYTES_MIN);
  machine.useSwap(4 * RAM_PAGES);
  machine.start();
  return () => expect(machine.finish()).toEqual([]);
});

function map(pages: number, flags = MAP_PRIVATE, va = BASE): void {
  const all = flags | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, va, pages * PAGE_BYTES, RW, all, 0)).toBe(va);
}

function fill(pages: number, salt: number, va = BASE): void {
  for (let page = 0; page < pages; page++) expect(machine.store(va + page * PAGE_BYTES + 8, page ^ salt)).toBe(0);
}

function differing(pages: number, salt: number, va = BASE): number[] {
  const wrong: number[] = [];
  for (let page = 0; page < pages; page++) {
    if (machine.load(va + page * PAGE_BYTES + 8) !== (page ^ salt) >>> 0) wrong.push(page);
  }
  return wrong;
}

/** Everything that can go goes. */
function evictAll(): void {
  while (shrinkMemory(machine.hart, RAM_PAGES) > 0);
}

function counter(name: number): number {
  return machine.hart.get(HART_COUNTERS + name);
}

test.each([
  ["private", MAP_PRIVATE],
  ["shared", MAP_SHARED],
])("%s pages of more than the memory keep their bytes", (_, flags) => {
  map(MANY, flags);
  fill(MANY, 0x5a5a);
  expect(counter(COUNTER_PSWPOUT)).toBeGreaterThan(1000);
  expect(differing(MANY, 0x5a5a)).toEqual([]);
  fill(1000, 0x33);
  expect(differing(1000, 0x33)).toEqual([]);
  expect(counter(COUNTER_PSWPIN)).toBeGreaterThan(1000);
});

test("a page that is only read after it came back is not written again", () => {
  map(100);
  fill(100, 7);
  evictAll();
  expect(machine.shared.get(machine.mm + MM_SWAP)).toBe(100);
  expect(differing(100, 7)).toEqual([]);
  expect(machine.shared.get(machine.mm + MM_SWAP)).toBe(0);
});

test("a page that comes back is a major fault and no minor one: the minor ones used to fall below zero", () => {
  const { shared, hart } = machine;
  const faults = () => [shared.get(hart.current + TASK_MIN_FLT), shared.get(hart.current + TASK_MAJ_FLT)];
  map(100);
  const before = faults();
  fill(100, 7);
  expect(faults()).toEqual([before[0] + 100, before[1]]);
  evictAll();
  expect(differing(100, 7)).toEqual([]);
  expect(faults()).toEqual([before[0] + 100, before[1] + 100]);
});

test("fork shares what is swapped out, and each writes its own", () => {
  map(60);
  fill(60, 1);
  evictAll();
  const child = dupMm(machine.hart, machine.mm);
  expect(checkMms(machine.hart, [machine.mm, child])).toEqual([]);
  expect(differing(20, 1)).toEqual([]);
  fill(10, 2);
  evictAll();
  expect(checkMms(machine.hart, [machine.mm, child])).toEqual([]);
  fill(10, 3);
  for (let page = 0; page < 60; page++) {
    expect(handleMmFault(machine.hart, child, BASE + page * PAGE_BYTES, ACCESS_STORE)).toBe(FAULT_OK);
  }
  expect(checkMms(machine.hart, [machine.mm, child])).toEqual([]);
  mmput(machine.hart, child);
  expect(differing(10, 3)).toEqual([]);
  for (let page = 10; page < 60; page++) expect(machine.load(BASE + page * PAGE_BYTES + 8)).toBe(page ^ 1);
});

test("mremap, mprotect, DONTNEED and munmap of what is swapped out", () => {
  map(64);
  fill(64, 9);
  evictAll();
  const { hart, mm } = machine;
  expect(doMremap(hart, mm, BASE, 64 * PAGE_BYTES, 64 * PAGE_BYTES, MREMAP_FIXED | MREMAP_MAYMOVE, OTHER)).toBe(OTHER);
  expect(doMprotect(hart, mm, OTHER, 32 * PAGE_BYTES, PROT_NONE)).toBe(0);
  expect(doMprotect(hart, mm, OTHER, 32 * PAGE_BYTES, PROT_READ)).toBe(0);
  expect(differing(8, 9, OTHER)).toEqual([]);
  expect(machine.store(OTHER, 1)).toBeLessThan(0);
  expect(doMprotect(hart, mm, OTHER, 32 * PAGE_BYTES, RW)).toBe(0);
  expect(doMadvise(hart, mm, OTHER, PAGE_BYTES, MADV_DONTNEED)).toBe(0);
  expect(machine.load(OTHER + 8)).toBe(0);
  expect(doMunmap(hart, mm, OTHER + 8 * PAGE_BYTES, 8 * PAGE_BYTES)).toBe(0);
  expect(machine.load(OTHER + 40 * PAGE_BYTES + 8)).toBe(40 ^ 9);
});

test("pages of a file in memory are read, written, mapped and cut off while they are swapped out", () => {
  const mapping = mappingCreate(machine.hart, MAPPING_SHMEM, 0);
  const scratch = machine.hart.base + 640;
  for (let page = 0; page < 40; page++) {
    machine.shared.set(scratch, page + 1);
    expect(mappingWrite(machine.hart, mapping, page * PAGE_BYTES, scratch, 4)).toBe(4);
  }
  evictAll();
  for (let page = 0; page < 20; page++) {
    expect(mappingRead(machine.hart, mapping, page * PAGE_BYTES, scratch, 4)).toBe(4);
    expect(machine.shared.get(scratch)).toBe(page + 1);
  }
  evictAll();
  expect(mappingTruncate(machine.hart, mapping, 10 * PAGE_BYTES + 2)).toBe(0);
  const source = { file: 0, mapping, canRead: true, canWrite: true, isAppend: false, isNoexec: false };
  doMmap(machine.hart, machine.mm, BASE, 40 * PAGE_BYTES, RW, MAP_SHARED | MAP_FIXED, 0, source);
  expect(machine.load(BASE + 9 * PAGE_BYTES)).toBe(10);
  expect(machine.load(BASE + 10 * PAGE_BYTES)).toBe(11);
  machine.store(BASE, 77);
  evictAll();
  expect(machine.load(BASE)).toBe(77);
  mappingPut(machine.hart, mapping);
});

test("clean pages of the host are dropped and read again, changed ones go to swap", () => {
  let reads = 0;
  machine.hart.pageIo = {
    readPage: (_, _host, index, address) => {
      reads++;
      machine.shared.set(address, 1000 + index);
      return PAGE_BYTES;
    },
  };
  const mapping = mappingCreate(machine.hart, MAPPING_HOST_FILE, 30 * PAGE_BYTES);
  const source = { file: 0, mapping, canRead: true, canWrite: true, isAppend: false, isNoexec: false };
  doMmap(machine.hart, machine.mm, BASE, 30 * PAGE_BYTES, RW, MAP_SHARED | MAP_FIXED, 0, source);
  for (let page = 0; page < 30; page++) expect(machine.load(BASE + page * PAGE_BYTES)).toBe(1000 + page);
  for (let page = 0; page < 10; page++) machine.store(BASE + page * PAGE_BYTES, page);
  evictAll();
  expect(counter(COUNTER_PGSTEAL_FILE)).toBe(30);
  for (let page = 0; page < 30; page++) {
    expect(machine.load(BASE + page * PAGE_BYTES)).toBe(page < 10 ? page : 1000 + page);
  }
  expect(reads).toBe(50);
  mappingPut(machine.hart, mapping);
});

test("what is locked stays, and goes once it is unlocked", () => {
  map(20);
  fill(20, 4);
  expect(doMlock(machine.hart, machine.mm, BASE, 10 * PAGE_BYTES, 0)).toBe(0);
  evictAll();
  expect(machine.shared.get(machine.mm + MM_SWAP)).toBe(10);
  expect(doMunlock(machine.hart, machine.mm, BASE, 10 * PAGE_BYTES)).toBe(0);
  evictAll();
  expect(machine.shared.get(machine.mm + MM_SWAP)).toBe(20);
  expect(differing(20, 4)).toEqual([]);
});

test("a page that could not be read back faulted for ever: each fault says so, until the store reads again", () => {
  const store = machine.useSwap(100);
  const { hart, mm } = machine;
  map(3);
  fill(3, 6);
  evictAll();
  const child = dupMm(hart, mm);
  store.failingReads = 3;
  expect(machine.fault(BASE, ACCESS_LOAD)).toBe(FAULT_BUS);
  expect(machine.fault(BASE, ACCESS_STORE)).toBe(FAULT_BUS);
  expect(handleMmFault(hart, child, BASE, ACCESS_LOAD)).toBe(FAULT_BUS);
  expect(checkMms(hart, [mm, child])).toEqual([]);
  expect(machine.shared.get(mm + MM_SWAP)).toBe(3);
  expect(differing(3, 6)).toEqual([]);
  mmput(hart, child);
  // Nobody has to read what is given up: the slots come back.
  evictAll();
  store.failingReads = 1;
  expect(machine.load(BASE)).toBeLessThan(0);
  expect(doMunmap(hart, mm, BASE, 3 * PAGE_BYTES)).toBe(0);
  expect(swapFreeSlots(machine.shared)).toBe(100);
});

test("a page of a file in memory that could not be read back is there once the store reads again", () => {
  const store = machine.useSwap(100);
  map(2, MAP_SHARED);
  fill(2, 5);
  evictAll();
  store.failingReads = 2;
  expect(machine.fault(BASE, ACCESS_LOAD)).toBe(FAULT_BUS);
  expect(machine.fault(BASE, ACCESS_LOAD)).toBe(FAULT_BUS);
  expect(differing(2, 5)).toEqual([]);
});

test("memory and swap full: the fault says so", () => {
  machine.useSwap(500);
  map(RAM_PAGES + 500);
  let page = 0;
  while (machine.fault(BASE + page * PAGE_BYTES, ACCESS_STORE) === FAULT_OK) page++;
  expect(machine.fault(BASE + page * PAGE_BYTES, ACCESS_STORE)).toBe(FAULT_OOM);
  expect(page).toBeGreaterThan(RAM_PAGES + 400);
});

const seed = seedFrom("SWAP_SEED");
const replay = `SWAP_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/mm/swap.test.ts`;

test(`random writes, forks and evictions keep every word (replay: ${replay})`, () => {
  let state = seed | 1;
  const random = (below: number) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
  map(200);
  const words = new Array<number>(200).fill(0);
  let children: number[] = [];
  for (let step = 0; step < 4000; step++) {
    const page = random(200);
    const kind = random(20);
    if (kind < 8) {
      words[page] = step;
      expect(machine.store(BASE + page * PAGE_BYTES, step)).toBe(0);
    } else if (kind < 14) expect(machine.load(BASE + page * PAGE_BYTES)).toBe(words[page]);
    else if (kind < 17) shrinkMemory(machine.hart, random(50));
    else if (kind === 17 && children.length < 4) children.push(dupMm(machine.hart, machine.mm));
    else if (kind === 18) {
      for (const child of children) mmput(machine.hart, child);
      children = [];
    } else {
      for (const child of children) handleMmFault(machine.hart, child, BASE + page * PAGE_BYTES, random(2));
    }
    if (step % 200 === 0) expect(checkMms(machine.hart, [machine.mm, ...children])).toEqual([]);
  }
  for (let page = 0; page < 200; page++) expect(machine.load(BASE + page * PAGE_BYTES)).toBe(words[page]);
  expect(machine.fault(BASE, ACCESS_LOAD)).toBe(FAULT_OK);
  for (const child of children) mmput(machine.hart, child);
});
