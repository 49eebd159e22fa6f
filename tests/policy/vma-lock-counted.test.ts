// What the counters of the vma locks say when two harts meet, against what was worked out by hand. One hart alone is in
// vma-lock-rows.test.ts.

import { describe, expect, test } from "vitest";
import { ACCESS_STORE, HART_DOORBELL, PAGE_BYTES, RAM_BYTES_MIN, VMA_DETACHED } from "../../assembly/layout.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { mmFrame } from "../../host/mm/lazy.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "../../host/mm/lock.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import { flushRss } from "../../host/mm/rss.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../host/mm/uapi.ts";
import { makeRefcountTypesafe } from "../../host/policy/vma-lock/refcount.ts";
import { makeRwsem } from "../../host/policy/vma-lock/rwsem.ts";
import { MmMachine } from "../mm/harness.ts";
import { counted } from "../support/counted.ts";
import { vmasOf } from "../support/vma-states.ts";

const BASE = 0x1000_0000;
const VPN = BASE / PAGE_BYTES;
const PAGES = 8;

const NAMES = [
  "vma_lock_success",
  "vma_lock_abort",
  "vma_lock_retry",
  "vma_lock_miss",
  "mmap_lock_wait",
  "mmap_lock_write",
  "vm_refcnt_rmw",
  "vma_line_bounces",
  "vma_writer_waits",
  "vma_spurious_wakeups",
];

/** Two harts in one mm with one vma, to which hart 0 was the last to come. */
function mapped(vmaLock: string) {
  const machine = new MmMachine(2, RAM_BYTES_MIN, { "vma-lock": vmaLock });
  machine.useSwap(64);
  const { hart } = machine;
  const mm = machine.start();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  doMmap(hart, mm, BASE, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, flags, 0);
  machine.touch(BASE, 1);
  const { interrupts } = hart;
  return {
    machine,
    hart,
    other: machine.harts[1],
    mm,
    vma: vmasOf(machine, mm)[0],
    count: (step: () => void) => counted(machine.harts, NAMES, step),
    fault: (page: number, by = hart) => handleMmFault(by, mm, BASE + page * PAGE_BYTES, ACCESS_STORE),
    unmap: (page: number) => doMunmap(hart, mm, BASE + page * PAGE_BYTES, PAGE_BYTES),
    /** `serve` is called whenever hart 0 polls, with how often it has been before. */
    whileWaiting: (serve: (polls: number) => void, step: () => void) => {
      let polls = 0;
      hart.interrupts = {
        serve: () => {
          serve(polls++);
          interrupts?.serve();
        },
      };
      step();
      hart.interrupts = interrupts;
    },
  };
}

describe.each(["refcount", "refcount-typesafe"])("%s", (name) => {
  test("two harts that take faults in turns have the vma's line in turns", () => {
    const { machine, other, count, fault } = mapped(name);
    const one = { vma_lock_success: 1, vm_refcnt_rmw: 2 };
    expect(count(() => fault(1))).toEqual(one);
    expect(count(() => fault(2, other))).toEqual({ ...one, vma_line_bounces: 1 });
    expect(count(() => fault(3, other))).toEqual(one);
    expect(count(() => fault(4))).toEqual({ ...one, vma_line_bounces: 1 });
    flushRss(other);
    expect(machine.finish()).toEqual([]);
  });

  test("a writer that meets a reader waits once, and is woken once", () => {
    const { machine, hart, other, mm, vma, count, unmap, whileWaiting } = mapped(name);
    const { vmaLock } = hart.policies;
    expect(vmaLock.startRead(other, mm, VPN + 1)).toBe(vma);
    const leave = (polls: number) => {
      if (polls === 0) vmaLock.endRead(other, vma);
    };
    // The writer's bit, the reader leaves, the bit goes: the line moves each time.
    const met = { mmap_lock_write: 1, vm_refcnt_rmw: 3, vma_line_bounces: 3, vma_writer_waits: 1 };
    expect(count(() => whileWaiting(leave, () => unmap(7)))).toEqual(met);
    expect(machine.finish()).toEqual([]);
  });

  test("a writer that is woken by something else looks again, and sleeps on", () => {
    const { machine, hart, other, mm, vma, count, unmap, whileWaiting } = mapped(name);
    const { vmaLock } = hart.policies;
    vmaLock.startRead(other, mm, VPN + 1);
    const ring = (polls: number) => {
      hart.set(HART_DOORBELL, polls === 0 ? 1 : 0);
      if (polls === 1) vmaLock.endRead(other, vma);
    };
    const spurious = count(() => whileWaiting(ring, () => unmap(7)));
    expect(spurious).toMatchObject({ vma_writer_waits: 1, vma_spurious_wakeups: 1 });
    expect(machine.finish()).toEqual([]);
  });
});

test.each(["rwsem-external", "rwsem", "refcount", "refcount-typesafe"])(
  "%s: a look at nothing, and one at a vma that is write-locked, are aborts",
  (name) => {
    const { machine, hart, other, mm, vma, count } = mapped(name);
    const { vmaLock } = hart.policies;
    expect(count(() => vmaLock.startRead(other, mm, VPN - 1))).toEqual({ vma_lock_abort: 1 });
    mmapWriteLock(hart, mm);
    vmaLock.startWrite(hart, mm, vma);
    expect(count(() => vmaLock.startRead(other, mm, VPN))).toEqual({ vma_lock_abort: 1 });
    mmapWriteUnlock(hart, mm);
    expect(machine.finish()).toEqual([]);
  },
);

test("a vma that was found and has been detached by then is a miss, and the map is asked again", () => {
  for (const [make, name] of [
    [makeRefcountTypesafe, "refcount-typesafe"],
    [makeRwsem, "rwsem"],
  ] as const) {
    const { machine, hart, other, mm, vma, count } = mapped(name);
    const found = [vma, 0];
    const policy = make({ ...mmFrame, walkVmas: () => found.shift() ?? 0 });
    mmapWriteLock(hart, mm);
    hart.policies.vmaLock.startWrite(hart, mm, vma);
    hart.policies.vmaLock.detach(hart, mm, vma);
    mmapWriteUnlock(hart, mm);
    expect(count(() => policy.startRead(other, mm, VPN))).toMatchObject({ vma_lock_miss: 1, vma_lock_abort: 1 });
    mmapWriteLock(hart, mm);
    hart.policies.vmaLock.startWrite(hart, mm, vma);
    hart.policies.vmaLock.attach(hart, mm, vma);
    mmapWriteUnlock(hart, mm);
    expect(machine.shared.get(vma + VMA_DETACHED)).toBe(0);
    expect(machine.finish()).toEqual([]);
  }
});

test("a fault that waits for swap began once for nothing", () => {
  const { machine, hart, count, fault } = mapped("refcount-typesafe");
  while (shrinkMemory(hart, PAGES) > 0);
  expect(count(() => fault(0))).toMatchObject({ vma_lock_retry: 1, vma_lock_success: 1, vm_refcnt_rmw: 4 });
  expect(machine.finish()).toEqual([]);
});

test("mmap_lock that is not to be had at once is a wait", () => {
  const { machine, other, mm, count, unmap, whileWaiting } = mapped("mmap-lock");
  mmapReadLock(other, mm);
  const leave = (polls: number) => {
    if (polls === 0) mmapReadUnlock(other, mm);
  };
  expect(count(() => whileWaiting(leave, () => unmap(7)))).toEqual({ mmap_lock_wait: 1, mmap_lock_write: 1 });
  expect(machine.finish()).toEqual([]);
});
