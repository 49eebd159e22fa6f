// Statements of the debate about per-VMA locks as a count (January 2025), each with its row in the specification.

import { describe, expect, test } from "vitest";
import {
  COUNTER_CALL_RCU_VMA,
  COUNTER_MMAP_LOCK_READ,
  COUNTER_MMAP_LOCK_WRITE,
  COUNTER_PGFAULT,
  COUNTER_VM_REFCNT_RMW,
  COUNTER_VMA_LOCK_ABORT,
  COUNTER_VMA_LOCK_SUCCESS,
  COUNTER_VMA_READER_LIMIT,
  COUNTER_VMA_REUSE_IN_GP,
  COUNTER_VMA_WRITER_WAITS,
  HART_COUNTERS,
  LINE_BYTES,
  PAGE_BYTES,
  RWSEM_BASE,
  RWSEM_BYTES,
  RWSEM_WORD,
  VMA_BASE,
  VMA_BYTES,
  VMA_DETACHED,
  VMA_END,
  VMA_EXTERNAL_LOCK,
  VMA_FLAGS,
  VMA_FREED_GP,
  VMA_GENERATION,
  VMA_LOCK_LAST,
  VMA_LOCK_SEQ,
  VMA_MAPPING,
  VMA_MM,
  VMA_PGOFF,
  VMA_RCU_HEAD,
  VMA_REFCNT,
  VMA_RMAP_ANON,
  VMA_RMAP_FILE,
  VMA_RWSEM,
  VMA_START,
} from "../../assembly/layout.ts";
import { EAGAIN } from "../../host/memory/errno.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../host/mm/uapi.ts";
import { lockVma } from "../../host/mm/vma/vma-lock.ts";
import { dumpVma } from "../../host/policy/vma-lock/dump.ts";
import { VMA_WRITER } from "../../host/policy/vma-lock/vm-refcnt.ts";
import { MmMachine } from "../mm/harness.ts";
import { vmasOf } from "../support/vma-states.ts";

const BASE = 0x1000_0000;
const VPN = BASE / PAGE_BYTES;
const FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

const COUNTERS = {
  pgfault: COUNTER_PGFAULT,
  vma_lock_success: COUNTER_VMA_LOCK_SUCCESS,
  vma_lock_abort: COUNTER_VMA_LOCK_ABORT,
  mmap_lock_read: COUNTER_MMAP_LOCK_READ,
  mmap_lock_write: COUNTER_MMAP_LOCK_WRITE,
  vm_refcnt_rmw: COUNTER_VM_REFCNT_RMW,
  vma_writer_waits: COUNTER_VMA_WRITER_WAITS,
  call_rcu_vma: COUNTER_CALL_RCU_VMA,
  vma_reuse_in_gp: COUNTER_VMA_REUSE_IN_GP,
} as const;

/** A fixed trace on one hart: four pages, a hole in the middle, all away, and one page again. */
function trace(name: string): Record<string, number> {
  const machine = new MmMachine(1, 1 << 26, { "vma-lock": name });
  const { hart } = machine;
  const mm = machine.start();
  const read = () => Object.values(COUNTERS).map((counter) => hart.get(HART_COUNTERS + counter));
  const before = read();
  doMmap(hart, mm, BASE, 4 * PAGE_BYTES, PROT_READ | PROT_WRITE, FLAGS, 0);
  machine.touch(BASE, 4);
  doMunmap(hart, mm, BASE + PAGE_BYTES, PAGE_BYTES);
  doMunmap(hart, mm, BASE, 4 * PAGE_BYTES);
  doMmap(hart, mm, BASE, PAGE_BYTES, PROT_READ | PROT_WRITE, FLAGS, 0);
  const counts = read().map((count, index) => count - before[index]);
  expect(machine.finish()).toEqual([]);
  return Object.fromEntries(Object.keys(COUNTERS).map((counter, index) => [counter, counts[index]]));
}

// By hand. Faults: 4. mmap_lock for write: once for each mmap and munmap, and once more for the tables that go at last.
// vm_refcnt: in and out for each fault, 8; the vma that gets the hole is locked by 2; each of the two that go at last
// is locked by 2 and detached by 1. Nobody else is there, so nobody waits. Two vmas are freed, and one record of theirs
// is used again before a grace period can have ended.
const COMMON = { pgfault: 4, mmap_lock_write: 5, vma_writer_waits: 0, vm_refcnt_rmw: 0, vma_reuse_in_gp: 0 };
const LOCKED = { ...COMMON, mmap_lock_read: 0, vma_lock_success: 4, vma_lock_abort: 0 };

test.each([
  ["mmap-lock", { ...COMMON, mmap_lock_read: 4, vma_lock_success: 0, vma_lock_abort: 0, call_rcu_vma: 0 }],
  // The first fault finds no page table.
  ["speculative", { ...COMMON, mmap_lock_read: 1, vma_lock_success: 3, vma_lock_abort: 1, call_rcu_vma: 2 }],
  ["rwsem-external", { ...LOCKED, call_rcu_vma: 2 }],
  ["rwsem", { ...LOCKED, call_rcu_vma: 2 }],
  ["refcount", { ...LOCKED, vm_refcnt_rmw: 16, call_rcu_vma: 2 }],
  ["refcount-typesafe", { ...LOCKED, vm_refcnt_rmw: 16, call_rcu_vma: 0, vma_reuse_in_gp: 1 }],
])("S4-14: %s counts on a fixed trace what was worked out by hand", (name, expected) => {
  expect(trace(name)).toEqual(expected);
});

describe("the record", () => {
  const hot = { VMA_START, VMA_END, VMA_MM, VMA_FLAGS, VMA_PGOFF, VMA_GENERATION, VMA_RCU_HEAD, VMA_MAPPING };
  const lock = { VMA_LOCK_SEQ, VMA_REFCNT, VMA_RWSEM, VMA_DETACHED, VMA_LOCK_LAST, VMA_FREED_GP };
  const lineOf = (field: number) => Math.floor(field / LINE_BYTES);

  test("S4-11, S4-24: three lines, what a lookup reads, the lock, and the rest, by one layout for both sides", () => {
    expect(VMA_BYTES).toBe(3 * LINE_BYTES);
    expect(VMA_BASE % LINE_BYTES).toBe(0);
    expect([...new Set(Object.values({ ...hot, VMA_EXTERNAL_LOCK }).map(lineOf))]).toEqual([0]);
    expect([...new Set(Object.values(lock).map(lineOf))]).toEqual([1]);
    expect([VMA_RMAP_FILE, VMA_RMAP_ANON].map(lineOf)).toEqual([2, 2]);
  });

  test("S4-10: the lock in the vma disturbs lookups only where the hardware fetches lines in pairs", () => {
    // Does a write of the lock take a line away that a lookup of this vma, or of a neighbour, reads?
    const disturbs = (lockAddress: (vma: number, index: number) => number, unitBytes: number) => {
      const unit = (address: number) => Math.floor(address / unitBytes);
      const vmas = Array.from({ length: 8 }, (_, index) => VMA_BASE + index * VMA_BYTES);
      return vmas.some((vma, index) => vmas.some((each) => unit(each + VMA_START) === unit(lockAddress(vma, index))));
    };
    const inside = (vma: number) => vma + VMA_RWSEM;
    const outside = (_vma: number, index: number) => RWSEM_BASE + index * RWSEM_BYTES + RWSEM_WORD;
    expect({ inside: disturbs(inside, LINE_BYTES), outside: disturbs(outside, LINE_BYTES) }).toEqual({
      inside: false,
      outside: false,
    });
    expect({ inside: disturbs(inside, 2 * LINE_BYTES), outside: disturbs(outside, 2 * LINE_BYTES) }).toEqual({
      inside: true,
      outside: false,
    });
  });
});

describe.each(["refcount", "refcount-typesafe"])("%s", (name) => {
  const mapped = () => {
    const machine = new MmMachine(1, 1 << 26, { "vma-lock": name });
    const mm = machine.start();
    doMmap(machine.hart, mm, BASE, PAGE_BYTES, PROT_READ | PROT_WRITE, FLAGS, 0);
    return { machine, mm, vma: vmasOf(machine, mm)[0] };
  };

  test("S4-13: one word says whether it is attached, who reads and who writes", () => {
    const { machine, mm, vma } = mapped();
    const { hart, shared } = machine;
    const { vmaLock } = hart.policies;
    expect(shared.get(vma + VMA_REFCNT)).toBe(1);
    expect(vmaLock.startRead(hart, mm, VPN)).toBe(vma);
    expect(vmaLock.startRead(hart, mm, VPN)).toBe(vma);
    expect(shared.get(vma + VMA_REFCNT)).toBe(3);
    vmaLock.endRead(hart, vma);
    vmaLock.endRead(hart, vma);
    doMunmap(hart, mm, BASE, PAGE_BYTES);
    expect(shared.get(vma + VMA_REFCNT)).toBe(0);
    expect(vmaLock.isAttached(hart, vma)).toBe(false);
    expect(machine.finish()).toEqual([]);
  });

  test("S4-16, S4-20: readers stop short of the writer's bit; the fault takes mmap_lock, others come again", () => {
    const { machine, mm, vma } = mapped();
    const { hart, shared } = machine;
    shared.set(vma + VMA_REFCNT, VMA_WRITER - 1);
    expect(hart.policies.vmaLock.startRead(hart, mm, VPN)).toBe(0);
    expect(lockVma(hart, mm, VPN)).toBe(-EAGAIN);
    machine.touch(BASE, 1);
    expect(shared.get(vma + VMA_REFCNT)).toBe(VMA_WRITER - 1);
    expect(hart.get(HART_COUNTERS + COUNTER_VMA_READER_LIMIT)).toBe(4);
    shared.set(vma + VMA_REFCNT, 1);
    expect(machine.finish()).toEqual([]);
  });

  test("S4-22: a vma in a report comes with the state of its count", () => {
    const { machine, vma } = mapped();
    expect(dumpVma(machine.hart, vma)).toContain(" refcnt 1 ");
    machine.shared.set(vma + VMA_REFCNT, VMA_WRITER + 2);
    expect(dumpVma(machine.hart, vma)).toContain(" refcnt writer + 2 ");
    machine.shared.set(vma + VMA_REFCNT, 1);
    expect(machine.finish()).toEqual([]);
  });
});
