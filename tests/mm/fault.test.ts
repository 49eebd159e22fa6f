// Page faults: what each access gets, and what it leaves in the page tables and counters.

import { beforeEach, expect, test } from "vitest";
import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  COUNTER_COW_FAULT,
  COUNTER_SPURIOUS_FAULT,
  COUNTER_ZERO_PAGE_FAULT,
  HART_COUNTERS,
  MM_RSS,
  PAGE_BYTES,
  RAM_BYTES_MIN,
} from "../../assembly/layout.ts";
import { EFAULT } from "../../host/memory/errno.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import {
  FAULT_BUS,
  FAULT_OK,
  FAULT_OOM,
  FAULT_SEGV_ACCERR,
  FAULT_SEGV_MAPERR,
} from "../../host/mm/fault/fault-outcome.ts";
import { flushRss } from "../../host/mm/rss.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_GROWSDOWN,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  RLIMIT_AS,
  RLIMIT_DATA,
  RLIMIT_STACK,
  STACK_GUARD_GAP_PAGES,
  TASK_BYTES_USER,
} from "../../host/mm/uapi.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const RW = PROT_READ | PROT_WRITE;
let machine: MmMachine;

beforeEach(() => {
  machine = new MmMachine();
  machine.start();
  return () => expect(machine.finish()).toEqual([]);
});

function map(prot: number, pages = 1, flags = MAP_PRIVATE, va = BASE): void {
  const all = flags | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, va, pages * PAGE_BYTES, prot, all, 0)).toBe(va);
}

function counter(name: number): number {
  return machine.hart.get(HART_COUNTERS + name);
}

test.each([
  ["nothing mapped", null, FAULT_SEGV_MAPERR, FAULT_SEGV_MAPERR, FAULT_SEGV_MAPERR],
  ["PROT_NONE", PROT_NONE, FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR],
  ["PROT_READ", PROT_READ, FAULT_OK, FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR],
  ["PROT_WRITE, which implies reading", PROT_WRITE, FAULT_OK, FAULT_OK, FAULT_SEGV_ACCERR],
  ["PROT_EXEC, which does not", PROT_EXEC, FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR, FAULT_OK],
  ["all rights", RW | PROT_EXEC, FAULT_OK, FAULT_OK, FAULT_OK],
])("%s: load, store and fetch", (_, prot, load, store, fetch) => {
  if (prot !== null) map(prot);
  const outcomes = [ACCESS_LOAD, ACCESS_STORE, ACCESS_FETCH].map((access) => machine.fault(BASE, access));
  expect(outcomes).toEqual([load, store, fetch]);
});

test("addresses that are no user addresses are not mapped", () => {
  for (const va of [TASK_BYTES_USER, 2 ** 39, 2 ** 63, 2 ** 64 - 8, Number.NaN]) {
    expect(machine.fault(va, ACCESS_LOAD)).toBe(FAULT_SEGV_MAPERR);
    expect(machine.load(va)).toBe(-EFAULT);
  }
});

function residentPages(): number {
  flushRss(machine.hart);
  return machine.shared.get(machine.mm + MM_RSS);
}

test("reading an untouched page maps the zero page, writing it then copies", () => {
  map(RW, 2);
  expect(machine.load(BASE)).toBe(0);
  expect(residentPages()).toBe(0);
  expect(counter(COUNTER_ZERO_PAGE_FAULT)).toBe(1);
  expect(machine.store(BASE, 7)).toBe(0);
  expect(counter(COUNTER_COW_FAULT)).toBe(1);
  expect(residentPages()).toBe(1);
  expect([machine.load(BASE), machine.load(BASE + PAGE_BYTES)]).toEqual([7, 0]);
});

test("writing an untouched page takes one fault and one frame", () => {
  map(RW);
  expect(machine.store(BASE, 7)).toBe(0);
  expect([counter(COUNTER_ZERO_PAGE_FAULT), counter(COUNTER_COW_FAULT)]).toEqual([0, 0]);
  expect(residentPages()).toBe(1);
});

test("a fault on an entry that is good already converges", () => {
  map(RW);
  machine.store(BASE, 7);
  expect(machine.fault(BASE, ACCESS_STORE)).toBe(FAULT_OK);
  expect(counter(COUNTER_SPURIOUS_FAULT)).toBe(1);
});

test("PROT_NONE keeps the page, and PROT_READ shows it again", () => {
  map(RW);
  machine.store(BASE, 7);
  doMprotect(machine.hart, machine.mm, BASE, PAGE_BYTES, PROT_NONE);
  expect(machine.load(BASE)).toBe(-EFAULT);
  doMprotect(machine.hart, machine.mm, BASE, PAGE_BYTES, PROT_READ);
  expect([machine.load(BASE), machine.store(BASE, 8)]).toEqual([7, -EFAULT]);
});

test("a shared page read first and written later stays one page", () => {
  map(RW, 1, MAP_SHARED);
  expect([machine.load(BASE), machine.store(BASE, 7), machine.load(BASE)]).toEqual([0, 0, 7]);
  expect(counter(COUNTER_COW_FAULT)).toBe(0);
});

test("mremap of length 0 maps a shared page a second time", () => {
  map(RW, 2, MAP_SHARED);
  machine.store(BASE, 7);
  const other = doMremap(machine.hart, machine.mm, BASE, 0, 2 * PAGE_BYTES, 1, 0);
  expect(other).toBeGreaterThan(0);
  expect(machine.load(other)).toBe(7);
  machine.store(other + PAGE_BYTES, 8);
  expect(machine.load(BASE + PAGE_BYTES)).toBe(8);
});

test("a shared mapping that grew ends in SIGBUS behind its object", () => {
  map(RW, 1, MAP_SHARED);
  expect(doMremap(machine.hart, machine.mm, BASE, PAGE_BYTES, 2 * PAGE_BYTES, 0, 0)).toBe(BASE);
  expect(machine.fault(BASE + PAGE_BYTES, ACCESS_LOAD)).toBe(FAULT_BUS);
});

test("a stack grows down to its limit, and not into the guard gap", () => {
  const top = BASE + 4096 * PAGE_BYTES;
  map(RW, 2, MAP_PRIVATE | MAP_GROWSDOWN, top);
  expect(machine.store(top - 100 * PAGE_BYTES, 1)).toBe(0);
  machine.setRlimit(RLIMIT_STACK, 1000 * PAGE_BYTES);
  expect(machine.store(top - 998 * PAGE_BYTES, 1)).toBe(0);
  expect(machine.store(top - 999 * PAGE_BYTES, 1)).toBe(-EFAULT);
  machine.setRlimit(RLIMIT_STACK, 2 ** 64);
  const below = top - 1500 * PAGE_BYTES;
  map(RW, 1, MAP_PRIVATE, below);
  const lowest = below + (1 + STACK_GUARD_GAP_PAGES) * PAGE_BYTES;
  expect(machine.store(lowest - PAGE_BYTES, 1)).toBe(-EFAULT);
  expect(machine.store(lowest, 1)).toBe(0);
});

test("a neighbour without rights is guard enough", () => {
  const top = BASE + 4096 * PAGE_BYTES;
  map(RW, 1, MAP_PRIVATE | MAP_GROWSDOWN, top);
  map(PROT_NONE, 1, MAP_PRIVATE, top - 10 * PAGE_BYTES);
  expect(machine.store(top - 9 * PAGE_BYTES, 1)).toBe(0);
  expect(machine.store(top - 10 * PAGE_BYTES, 1)).toBe(-EFAULT);
});

test("RLIMIT_AS and RLIMIT_DATA bound mmap, and RLIMIT_AS a stack's growth", () => {
  const bytes = 16 * PAGE_BYTES;
  const anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  machine.setRlimit(RLIMIT_DATA, bytes);
  expect(doMmap(machine.hart, machine.mm, 0, bytes + 1, RW, anonymous, 0)).toBe(-12);
  expect(doMmap(machine.hart, machine.mm, 0, bytes + 1, PROT_READ, anonymous, 0)).toBeGreaterThan(0);
  machine.setRlimit(RLIMIT_AS, 20 * PAGE_BYTES);
  expect(doMmap(machine.hart, machine.mm, 0, 4 * PAGE_BYTES, PROT_READ, anonymous, 0)).toBe(-12);
  map(RW, 2, MAP_PRIVATE | MAP_GROWSDOWN, BASE);
  expect(machine.store(BASE - PAGE_BYTES, 1)).toBe(0);
  expect(machine.store(BASE - 3 * PAGE_BYTES, 1)).toBe(-EFAULT);
});

test("the last frame gone: the fault says so, and munmap brings the memory back", () => {
  machine.finish();
  machine = new MmMachine(1, RAM_BYTES_MIN);
  machine.start();
  const pages = RAM_BYTES_MIN / PAGE_BYTES;
  map(RW, pages);
  let page = 0;
  while (machine.fault(BASE + page * PAGE_BYTES, ACCESS_STORE) === FAULT_OK) page++;
  expect(machine.fault(BASE + page * PAGE_BYTES, ACCESS_STORE)).toBe(FAULT_OOM);
  expect(page).toBeGreaterThan(pages - 64);
  expect(doMunmap(machine.hart, machine.mm, BASE, PAGE_BYTES)).toBe(0);
  expect(machine.fault(BASE + page * PAGE_BYTES, ACCESS_STORE)).toBe(FAULT_OK);
});
