// What every tlb-flush policy promises, with every cpumask: when a call that takes a page or a right away has returned,
// no hart translates by what was there. Real TLBs; the harts live in this thread.

import { beforeEach, describe, expect, test } from "vitest";
import { MACHINE_BASE, MACHINE_STUB_PFN, MM_BATCH_PENDING, PAGE_BYTES, PTE_PPN_SHIFT } from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { moveKernelStub } from "../../host/mm/table/kernel-map.ts";
import { findPte } from "../../host/mm/table/page-table.ts";
import { lockPte, unlockPte } from "../../host/mm/table/pte-lock.ts";
import { clearPte } from "../../host/mm/table/set-pte.ts";
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
import { POLICIES } from "../../host/policy/registry.ts";
import { MmMachine } from "../mm/harness.ts";

const names = (seam: string) => POLICIES.filter((entry) => entry.seam === seam).map((entry) => entry.name);
const combinations = names("tlb-flush").flatMap((flush) =>
  names("cpumask").map((cpumask) => [flush, cpumask] as const),
);

const BASE = 0x1000_0000;
const OTHER = 0x2000_0000;
const RW = PROT_READ | PROT_WRITE;
const PAGES = 80; // above the ceiling of a ranged flush

describe.each(combinations)("%s, cpumask %s", (flush, cpumask) => {
  let machine: MmMachine;

  beforeEach(() => {
    machine = new MmMachine(3, 1 << 25, { "tlb-flush": flush, cpumask });
    machine.start();
    map(BASE, PAGES, MAP_PRIVATE);
    return () => expect(machine.finish()).toEqual([]);
  });

  function map(va: number, pages: number, flags: number): void {
    doMmap(machine.hart, machine.mm, va, pages * PAGE_BYTES, RW, flags | MAP_ANONYMOUS | MAP_FIXED, 0);
    machine.touch(va, pages);
    for (const hart of machine.harts) {
      for (let page = 0; page < pages; page++) expect(machine.load(va + page * PAGE_BYTES, hart)).toBe(page + 1);
    }
  }

  const seen = (va: number) => machine.harts.map((hart) => machine.peek(va, hart));

  test.each([1, 3, PAGES])("munmap of %i pages takes them from every hart, and only them", (pages) => {
    const first = PAGES - pages;
    doMunmap(machine.hart, machine.mm, BASE + first * PAGE_BYTES, pages * PAGE_BYTES);
    for (let page = first; page < PAGES; page++) expect(seen(BASE + page * PAGE_BYTES)).toEqual([null, null, null]);
    if (first > 0) expect(seen(BASE + (first - 1) * PAGE_BYTES)).toEqual([first, first, first]);
  });

  test("a dirty page of a shared mapping is gone from every hart", () => {
    map(OTHER, 4, MAP_SHARED);
    doMunmap(machine.hart, machine.mm, OTHER, 2 * PAGE_BYTES);
    expect(seen(OTHER)).toEqual([null, null, null]);
    expect(seen(OTHER + 3 * PAGE_BYTES)).toEqual([4, 4, 4]);
  });

  test("mprotect takes rights from every hart", () => {
    doMprotect(machine.hart, machine.mm, BASE, 2 * PAGE_BYTES, PROT_READ);
    for (const hart of machine.harts) expect(hart.core.userCmpxchg32(BASE, 1, 9)).toBe(-1n);
    doMprotect(machine.hart, machine.mm, BASE, 2 * PAGE_BYTES, PROT_NONE);
    expect(seen(BASE)).toEqual([null, null, null]);
  });

  test("mremap takes the old address from every hart", () => {
    const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    expect(doMremap(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES, 4 * PAGE_BYTES, flags, OTHER)).toBe(OTHER);
    expect(seen(BASE + 3 * PAGE_BYTES)).toEqual([null, null, null]);
    for (const hart of machine.harts) expect(machine.load(OTHER + 3 * PAGE_BYTES, hart)).toBe(4);
  });

  test("a copy on write is seen by a hart that had read the zero page", () => {
    doMadvise(machine.hart, machine.mm, BASE, PAGE_BYTES, MADV_DONTNEED);
    for (const hart of machine.harts) expect(machine.load(BASE, hart)).toBe(0);
    expect(machine.store(BASE, 5)).toBe(0);
    for (const hart of machine.harts) expect(machine.load(BASE, hart)).toBe(5);
  });

  test("a kernel page that moves is dropped by every hart, global as it is", () => {
    const before = machine.shared.get(MACHINE_BASE + MACHINE_STUB_PFN);
    expect(moveKernelStub(machine.hart)).toBe(true);
    expect(machine.shared.get(MACHINE_BASE + MACHINE_STUB_PFN)).not.toBe(before);
  });

  test("what reclaim puts off is done when it asks, and before anybody else could miss it", () => {
    const { hart, shared, mm } = machine;
    const policy = hart.policies.tlbFlush;
    const take = (va: number) => {
      const pte = findPte(hart, mm, va / PAGE_BYTES);
      lockPte(hart, pte);
      const old = clearPte(hart, pte);
      policy.flushLater(hart, mm, va / PAGE_BYTES);
      unlockPte(hart, pte);
      return old;
    };
    const put = (va: number, old: number) => {
      const pte = findPte(hart, mm, va / PAGE_BYTES);
      shared.storeRelease(pte, old);
    };
    const old = take(BASE);
    policy.flushPending(hart);
    expect(seen(BASE)).toEqual([null, null, null]);
    put(BASE, old);
    const other = take(BASE + PAGE_BYTES);
    if (policy.defers) {
      expect(shared.get(mm + MM_BATCH_PENDING)).toBe(1);
      policy.settle(hart, mm);
    }
    expect(seen(BASE + PAGE_BYTES)).toEqual([null, null, null]);
    policy.flushPending(hart);
    put(BASE + PAGE_BYTES, other);
    expect(old >>> PTE_PPN_SHIFT).not.toBe(0);
  });
});
