// A copy of an address space: what is shared, who copies, what runs out. After each test both ledgers agree.

import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCESS_LOAD,
  COUNTER_COW_FAULT,
  COUNTER_TLB_REMOTE_FLUSH,
  HART_COUNTERS,
  MM_BRK,
  MM_MAP_COUNT,
  MM_RSS,
  PAGE_BYTES,
  POOL_BASE,
  POOL_BYTES,
  POOL_FRESH,
  POOL_LIMIT,
  POOL_LIVE,
  POOL_VMA,
  RAM_BYTES_MIN,
} from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { allocFrame, freeFrameCount } from "../../host/mm/frame/frames.ts";
import { freeFrame } from "../../host/mm/frame/page-refs.ts";
import { mmput } from "../../host/mm/mm.ts";
import {
  MADV_DONTFORK,
  MADV_WIPEONFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const RW = PROT_READ | PROT_WRITE;
let machine: MmMachine;

function map(pages: number, flags = MAP_PRIVATE, va = BASE): void {
  const all = flags | MAP_ANONYMOUS | MAP_FIXED;
  expect(doMmap(machine.hart, machine.mm, va, pages * PAGE_BYTES, RW, all, 0)).toBe(va);
}

function counter(name: number): number {
  return machine.hart.get(HART_COUNTERS + name);
}

function page(n: number): number {
  return BASE + n * PAGE_BYTES;
}

/** Forks, lets `inChild` act with the child's memory loaded, then checks both and ends the child. */
function fork(inChild: (parent: number, child: number) => void): void {
  const parent = machine.mm;
  const child = dupMm(machine.hart, parent);
  expect(child).not.toBe(0);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  machine.enter(child);
  inChild(parent, child);
  expect(checkMms(machine.hart, [parent, child])).toEqual([]);
  machine.enter(parent);
  mmput(machine.hart, child);
  expect(checkMms(machine.hart, [parent])).toEqual([]);
}

describe("on one hart", () => {
  beforeEach(() => {
    machine = new MmMachine();
    machine.start();
    return () => expect(machine.finish()).toEqual([]);
  });

  test("a page is shared until one of the two writes, and each sees its own afterwards", () => {
    map(4);
    machine.touch(BASE, 3); // 1 2 3 .
    const free = freeFrameCount(machine.shared);
    fork((parent, child) => {
      expect([0, 1, 2, 3].map((n) => machine.load(page(n)))).toEqual([1, 2, 3, 0]);
      expect(machine.store(page(0), 10)).toBe(0);
      machine.enter(parent);
      expect(machine.load(page(0))).toBe(1);
      expect(machine.store(page(1), 20)).toBe(0);
      machine.enter(child);
      expect([0, 1, 2].map((n) => machine.load(page(n)))).toEqual([10, 2, 3]);
    });
    expect([0, 1, 2].map((n) => machine.load(page(n)))).toEqual([1, 20, 3]);
    expect(freeFrameCount(machine.shared)).toBe(free);
  });

  test("the page is taken over without a copy once the other has gone", () => {
    map(1);
    machine.store(BASE, 7);
    fork(() => {});
    const copies = counter(COUNTER_COW_FAULT);
    expect(machine.store(BASE, 8)).toBe(0);
    expect(counter(COUNTER_COW_FAULT)).toBe(copies);
    expect(machine.load(BASE)).toBe(8);
  });

  test("the second of two writers takes the old frame over", () => {
    map(1);
    machine.store(BASE, 7);
    const copies = counter(COUNTER_COW_FAULT);
    fork((parent, child) => {
      machine.store(BASE, 8);
      machine.enter(parent);
      machine.store(BASE, 9);
      machine.enter(child);
      expect(machine.load(BASE)).toBe(8);
    });
    expect(machine.load(BASE)).toBe(9);
    expect(counter(COUNTER_COW_FAULT) - copies).toBe(1);
  });

  test("three generations hold one frame, and it goes with the last", () => {
    map(1);
    machine.store(BASE, 5);
    fork((_, child) => {
      const grandchild = dupMm(machine.hart, child);
      machine.enter(grandchild);
      expect(machine.load(BASE)).toBe(5);
      machine.store(BASE, 6);
      machine.enter(child);
      mmput(machine.hart, grandchild);
      expect(machine.load(BASE)).toBe(5);
    });
  });

  test("pages of a shared mapping stay one", () => {
    map(2, MAP_SHARED);
    machine.store(BASE, 1);
    fork((parent, child) => {
      expect(machine.load(BASE)).toBe(1);
      machine.store(BASE, 2);
      machine.store(page(1), 3);
      machine.enter(parent);
      expect([machine.load(BASE), machine.load(page(1))]).toEqual([2, 3]);
      machine.enter(child);
    });
  });

  test("MADV_DONTFORK leaves the area out, MADV_WIPEONFORK leaves it empty", () => {
    map(6);
    machine.touch(BASE, 6);
    expect(doMadvise(machine.hart, machine.mm, page(2), PAGE_BYTES, MADV_DONTFORK)).toBe(0);
    expect(doMadvise(machine.hart, machine.mm, page(4), PAGE_BYTES, MADV_WIPEONFORK)).toBe(0);
    fork(() => {
      expect(machine.load(page(2))).toBeLessThan(0);
      expect([1, 3, 4, 5].map((n) => machine.load(page(n)))).toEqual([2, 4, 0, 6]);
    });
    expect([2, 4].map((n) => machine.load(page(n)))).toEqual([3, 5]);
  });

  test("rights taken and given back do not make a shared page writable", () => {
    map(2);
    machine.touch(BASE, 2);
    expect(doMprotect(machine.hart, machine.mm, page(1), PAGE_BYTES, PROT_NONE)).toBe(0);
    fork((parent, child) => {
      expect(doMprotect(machine.hart, child, BASE, 2 * PAGE_BYTES, RW)).toBe(0);
      expect([machine.store(BASE, 30), machine.store(page(1), 40)]).toEqual([0, 0]);
      machine.enter(parent);
      expect(machine.load(BASE)).toBe(1);
      expect(machine.load(page(1))).toBeLessThan(0);
      machine.enter(child);
    });
  });

  test("the zero page is shared without being counted", () => {
    map(3);
    machine.touch(BASE, 3, ACCESS_LOAD);
    fork((_, child) => {
      expect(machine.load(page(1))).toBe(0);
      expect(machine.store(page(1), 4)).toBe(0);
      expect(machine.shared.get(child + MM_RSS)).toBeLessThan(2);
    });
    expect(machine.load(page(1))).toBe(0);
  });

  test("an unmapped page is freed only when the other has dropped it", () => {
    map(8);
    machine.touch(BASE, 8);
    fork((parent, child) => {
      doMunmap(machine.hart, child, BASE, 8 * PAGE_BYTES);
      machine.enter(parent);
      expect(machine.load(page(7))).toBe(8);
      machine.enter(child);
      expect(machine.load(page(7))).toBeLessThan(0);
    });
  });

  test("many areas over many tables, and the fields that go along", () => {
    for (let i = 0; i < 60; i++) map(3, MAP_PRIVATE, BASE + i * 0x30_0000);
    for (let i = 0; i < 60; i++) machine.store(BASE + i * 0x30_0000 + PAGE_BYTES, i);
    machine.shared.setF64(machine.mm + MM_BRK, machine.shared.getF64(machine.mm + MM_BRK) + 1);
    fork((parent, child) => {
      const { shared } = machine;
      expect(shared.get(child + MM_MAP_COUNT)).toBe(60);
      expect(shared.getF64(child + MM_BRK)).toBe(shared.getF64(parent + MM_BRK));
      for (let i = 0; i < 60; i++) expect(machine.load(BASE + i * 0x30_0000 + PAGE_BYTES)).toBe(i);
    });
  });
});

describe("when something runs out", () => {
  test("of frames, the copy is undone and the parent writes its own pages again", () => {
    machine = new MmMachine(1, RAM_BYTES_MIN);
    machine.start();
    for (let i = 0; i < 20; i++) map(1, MAP_PRIVATE, BASE + i * 0x20_0000);
    for (let i = 0; i < 20; i++) machine.store(BASE + i * 0x20_0000, i);
    const held: number[] = [];
    for (let pfn = allocFrame(machine.hart); pfn !== 0; pfn = allocFrame(machine.hart)) held.push(pfn);
    for (let spare = 0; spare < 24; spare++) {
      if (spare > 0) freeFrame(machine.hart, held.pop() as number);
      const child = dupMm(machine.hart, machine.mm);
      if (child !== 0) {
        mmput(machine.hart, child);
        expect(spare).toBeGreaterThan(21); // a root, a middle table, 20 leaf tables
      }
      machine.drainRcu();
      expect(checkMms(machine.hart, [machine.mm])).toEqual([]);
    }
    for (let i = 0; i < 20; i++) expect(machine.store(BASE + i * 0x20_0000, i + 100)).toBe(0);
    for (const pfn of held) freeFrame(machine.hart, pfn);
    expect(machine.finish()).toEqual([]);
  });

  test("of vmas, nothing is left of the copy", () => {
    machine = new MmMachine();
    machine.start();
    for (let i = 0; i < 10; i++) map(1, MAP_PRIVATE, BASE + i * 0x2000);
    const limit = POOL_BASE + POOL_VMA * POOL_BYTES + POOL_LIMIT;
    const before = machine.shared.get(limit);
    machine.shared.set(limit, machine.shared.get(POOL_BASE + POOL_VMA * POOL_BYTES + POOL_FRESH) + 5);
    expect(dupMm(machine.hart, machine.mm)).toBe(0);
    machine.shared.set(limit, before);
    expect(machine.shared.get(POOL_BASE + POOL_VMA * POOL_BYTES + POOL_LIVE)).toBe(10);
    expect(machine.finish()).toEqual([]);
  });
});

test("the parent's other hart can not write a shared page by its old translation: one flush", () => {
  machine = new MmMachine(2);
  machine.start();
  map(4);
  machine.touch(BASE, 4);
  const other = machine.harts[1];
  for (let n = 0; n < 4; n++) expect(machine.store(page(n), n + 50, other)).toBe(0);
  const flushes = counter(COUNTER_TLB_REMOTE_FLUSH);
  const child = dupMm(machine.hart, machine.mm);
  expect(counter(COUNTER_TLB_REMOTE_FLUSH) - flushes).toBe(1);
  expect(Number(other.core.userStore32(page(2), 99))).toBe(0);
  expect(machine.store(page(2), 99)).toBe(0);
  const parent = machine.mm;
  machine.enter(child);
  expect(machine.load(page(2))).toBe(52);
  machine.enter(parent);
  mmput(machine.hart, child);
  expect(machine.finish()).toEqual([]);
});
