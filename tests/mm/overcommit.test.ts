// What may be promised, and locked.

import { beforeEach, expect, test } from "vitest";
import {
  MACHINE_BASE,
  MACHINE_OVERCOMMIT_KBYTES,
  MACHINE_OVERCOMMIT_MEMORY,
  MM_LOCKED_VM,
  PAGE_BYTES,
  PROCESS_UIDS,
  RAM_BYTES_MIN,
} from "../../assembly/layout.ts";
import { EAGAIN, ENOMEM, EPERM } from "../../host/memory/errno.ts";
import { doBrk } from "../../host/mm/call/brk.ts";
import { doMlock, doMlockall, doMunlock, doMunlockall } from "../../host/mm/call/mlock.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { mmput } from "../../host/mm/mm.ts";
import { commitLimit, committedPages, OVERCOMMIT_ALWAYS, OVERCOMMIT_NEVER } from "../../host/mm/overcommit.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MCL_CURRENT,
  MCL_FUTURE,
  MREMAP_MAYMOVE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  RLIMIT_MEMLOCK,
} from "../../host/mm/uapi.ts";
import { BRK_START, MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const RW = PROT_READ | PROT_WRITE;
const RAM_PAGES = RAM_BYTES_MIN / PAGE_BYTES;
const KB_PER_PAGE = PAGE_BYTES / 1024;
let machine: MmMachine;

beforeEach(() => {
  machine = new MmMachine(2, RAM_BYTES_MIN);
  machine.start();
  return () => expect(machine.finish()).toEqual([]);
});

const promised = () => committedPages(machine.shared, 2);
const mode = (value: number) => machine.shared.set(MACHINE_BASE + MACHINE_OVERCOMMIT_MEMORY, value);

function map(pages: number, prot = RW, flags = MAP_PRIVATE, va = BASE): number {
  return doMmap(machine.hart, machine.mm, va, pages * PAGE_BYTES, prot, flags | MAP_ANONYMOUS | MAP_FIXED, 0);
}

test("what could be written is promised, and given back", () => {
  const { hart, mm } = machine;
  map(100);
  expect(promised()).toBe(100);
  expect(doMprotect(hart, mm, BASE, 40 * PAGE_BYTES, PROT_NONE)).toBe(0);
  expect(promised()).toBe(60);
  expect(doMprotect(hart, mm, BASE, 40 * PAGE_BYTES, RW)).toBe(0);
  expect(doMremap(hart, mm, BASE, 100 * PAGE_BYTES, 150 * PAGE_BYTES, MREMAP_MAYMOVE, 0)).toBeGreaterThan(0);
  expect(promised()).toBe(150);
  map(10, RW, MAP_PRIVATE | MAP_NORESERVE, 0x3000_0000);
  map(10, PROT_READ, MAP_PRIVATE, 0x3100_0000);
  expect(promised()).toBe(150);
  map(7, PROT_READ, MAP_SHARED, 0x3200_0000);
  expect(promised()).toBe(157);
  doBrk(hart, mm, BRK_START + 5 * PAGE_BYTES);
  expect(promised()).toBe(162);
  const child = dupMm(hart, mm);
  expect(promised()).toBe(162 + 155);
  expect(doMunmap(hart, mm, 0x3200_0000, 7 * PAGE_BYTES)).toBe(0);
  expect(promised()).toBe(162 + 155); // the child has the shared memory yet
  mmput(hart, child);
  expect(promised()).toBe(155);
});

test("mode 0 refuses what can never be, mode 1 nothing, mode 2 what is beyond the limit", () => {
  expect(map(RAM_PAGES + 1)).toBe(-ENOMEM);
  expect(map(RAM_PAGES)).toBe(BASE);
  expect(map(RAM_PAGES, RW, MAP_PRIVATE, 0x3000_0000)).toBe(0x3000_0000);
  mode(OVERCOMMIT_ALWAYS);
  expect(map(10 * RAM_PAGES)).toBe(BASE);
  mode(OVERCOMMIT_NEVER);
  machine.shared.set(MACHINE_BASE + MACHINE_OVERCOMMIT_KBYTES, 1000 * KB_PER_PAGE);
  expect(commitLimit(machine.shared)).toBe(1000);
  expect(doMunmap(machine.hart, machine.mm, BASE, 0x4000_0000)).toBe(0);
  expect(map(500)).toBe(BASE);
  expect(map(600, RW, MAP_PRIVATE | MAP_NORESERVE, 0x3000_0000)).toBe(-ENOMEM); // MAP_NORESERVE is ignored
  expect(map(600, PROT_NONE, MAP_PRIVATE, 0x3000_0000)).toBe(0x3000_0000);
  expect(doMprotect(machine.hart, machine.mm, 0x3000_0000, 600 * PAGE_BYTES, RW)).toBe(-ENOMEM);
  expect(doMprotect(machine.hart, machine.mm, 0x3000_0000, 400 * PAGE_BYTES, RW)).toBe(0);
  expect(dupMm(machine.hart, machine.mm)).toBe(0);
});

test("RLIMIT_MEMLOCK binds all but root; VmLck is exact", () => {
  const { hart, mm, shared } = machine;
  const locked = () => shared.get(mm + MM_LOCKED_VM);
  machine.setRlimit(RLIMIT_MEMLOCK, 10 * PAGE_BYTES);
  map(20);
  expect(doMlock(hart, mm, BASE, 20 * PAGE_BYTES, 0)).toBe(0);
  expect(locked()).toBe(20);
  expect(doMunlock(hart, mm, BASE + 4 * PAGE_BYTES, 16 * PAGE_BYTES)).toBe(0);
  expect(locked()).toBe(4);
  shared.set(machine.process + PROCESS_UIDS + 4, 1000);
  expect(doMlock(hart, mm, BASE + 4 * PAGE_BYTES, 7 * PAGE_BYTES, 0)).toBe(-ENOMEM);
  expect(doMlock(hart, mm, BASE, 10 * PAGE_BYTES, 0)).toBe(0); // four of them are locked already
  expect(locked()).toBe(10);
  expect(map(1, RW, MAP_PRIVATE | MAP_LOCKED, 0x3000_0000)).toBe(-EAGAIN);
  expect(doMlockall(hart, mm, MCL_CURRENT)).toBe(-ENOMEM);
  expect(doMunlockall(hart, mm)).toBe(0);
  expect(locked()).toBe(0);
  expect(doMlockall(hart, mm, MCL_FUTURE)).toBe(0);
  expect(doBrk(hart, mm, BRK_START + 11 * PAGE_BYTES)).toBe(BRK_START);
  expect(doBrk(hart, mm, BRK_START + 10 * PAGE_BYTES)).toBe(BRK_START + 10 * PAGE_BYTES);
  expect(locked()).toBe(10);
  machine.setRlimit(RLIMIT_MEMLOCK, 0);
  expect(doMlock(hart, mm, BASE, PAGE_BYTES, 0)).toBe(-EPERM);
  expect(doMlockall(hart, mm, MCL_CURRENT)).toBe(-EPERM);
  expect(map(1, RW, MAP_PRIVATE | MAP_LOCKED, 0x3000_0000)).toBe(-EPERM);
});
