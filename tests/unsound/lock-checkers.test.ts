// The checkers of locks in host/check/ (lock-order, sleeping, vma-locks): the same few kernel calls once as they should
// be, of which they must say nothing, and once with the mistake, which they must report. By hand, on the harts of the
// explorer's machine in this one thread; whichever hart waits serves the others as well.

import "../support/schedule-points.ts";
import { describe, expect, test } from "vitest";
import {
  HART_IRQ_DEPTH,
  MACHINE_BASE,
  MACHINE_FRAMES_LOCK,
  PAGE_BYTES,
  POOL_BASE,
  POOL_BYTES,
  POOL_LOCK,
  POOL_MM,
  POOL_VMA,
  VMA_END,
} from "../../assembly/layout.ts";
import type { KernelHart } from "../../host/kernel/kernel-hart.ts";
import { schedule } from "../../host/kernel/sched/switch.ts";
import { rcuReadLock, rcuReadUnlock, synchronizeRcu } from "../../host/memory/rcu.ts";
import { kmemCacheFree } from "../../host/memory/slab.ts";
import { spinLock, spinUnlock } from "../../host/memory/spinlock.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import { pageAt, sharedMm } from "../../host/simulate/scenarios/address-space.ts";
import { Watched } from "../support/watched.ts";

const FRAMES_LOCK = MACHINE_BASE + MACHINE_FRAMES_LOCK;
const MMS_LOCK = POOL_BASE + POOL_MM * POOL_BYTES + POOL_LOCK;
const VPN = pageAt(0) / PAGE_BYTES;

describe("the order of locks", () => {
  const both = (hart: KernelHart, first: number, second: number) => {
    spinLock(hart, first);
    spinLock(hart, second);
    spinUnlock(hart, second);
    spinUnlock(hart, first);
  };

  test("two harts that take two locks the same way round are right", () => {
    const { harts, ...machine } = new Watched();
    for (const hart of harts) both(hart, FRAMES_LOCK, MMS_LOCK);
    expect(machine.reports).toEqual([]);
  });

  test("two harts that take them each its own way are reported, although nobody had to wait", () => {
    const { harts, reports } = new Watched();
    both(harts[0], FRAMES_LOCK, MMS_LOCK);
    both(harts[1], MMS_LOCK, FRAMES_LOCK);
    expect(reports.join()).toMatch(/lock order: hart 1 takes .* the other way round/);
  });

  test("a circle of three is reported", () => {
    const third = POOL_BASE + POOL_VMA * POOL_BYTES + POOL_LOCK;
    const { harts, reports, watch } = new Watched();
    const held = (hart: number, first: number, second: number) => {
      watch.lockTaken(hart, first);
      watch.lockWanted(hart, second);
      watch.lockDropped(hart, first);
    };
    held(0, FRAMES_LOCK, harts[0].base + 4);
    held(1, harts[0].base + 4, third);
    expect(reports).toEqual([]);
    held(0, third, FRAMES_LOCK);
    expect(reports.join()).toContain("the other way round");
  });

  test("a lock that is wanted twice is reported", () => {
    const { harts, reports, watch } = new Watched();
    spinLock(harts[0], FRAMES_LOCK);
    watch.lockWanted(0, FRAMES_LOCK);
    expect(reports.join()).toContain("which it holds");
  });

  test("a lock in an interrupt handler is reported", () => {
    const { harts, reports } = new Watched();
    harts[0].set(HART_IRQ_DEPTH, 1);
    spinLock(harts[0], FRAMES_LOCK);
    expect(reports.join()).toContain("lock in an interrupt");
  });
});

describe("sleeping", () => {
  const IN_ATOMIC_CONTEXT: readonly (readonly [string, (hart: KernelHart) => void])[] = [
    ["with a spin lock held", (hart) => spinLock(hart, MMS_LOCK)],
    ["in a read section", rcuReadLock],
    ["with interrupts off", (hart) => hart.interruptsOff()],
  ];

  test.each(IN_ATOMIC_CONTEXT)("a wait for a grace period %s is reported before it begins", (_, enter) => {
    const { harts, reports } = new Watched();
    enter(harts[0]);
    expect(() => synchronizeRcu(harts[0])).toThrow("synchronize_rcu in atomic context");
    expect(reports.join()).toContain("sleep in atomic context");
  });

  test.each(IN_ATOMIC_CONTEXT)("a task that gives up its hart %s stops the machine", (_, enter) => {
    const { harts } = new Watched();
    enter(harts[0]);
    expect(() => schedule(harts[0])).toThrow("scheduling while atomic");
  });

  test("behind the read section it is right", () => {
    const { harts, watch, reports } = new Watched();
    rcuReadLock(harts[0]);
    rcuReadUnlock(harts[0]);
    watch.mightSleep(0, "synchronize_rcu");
    expect(reports).toEqual([]);
  });
});

describe("vma locks", () => {
  const locked = () => {
    const machine = new Watched();
    const mm = sharedMm(machine.harts, 1);
    const vma = vmaFind(machine.harts[0], mm, 0);
    return { machine, mm, vma, hart: machine.harts[1], writer: machine.harts[0] };
  };

  test("a vma that is read-locked and given back is no violation", () => {
    const { machine, mm, hart } = locked();
    const vma = hart.policies.vmaLock.startRead(hart, mm, VPN);
    expect(machine.problems()).toBe("");
    hart.policies.vmaLock.endRead(hart, vma);
    expect(machine.problems()).toBe("");
  });

  test("a vma that shrinks under its reader is reported", () => {
    const { machine, mm, vma, hart, writer } = locked();
    hart.policies.vmaLock.startRead(hart, mm, VPN);
    writer.shared.set(vma + VMA_END, VPN);
    expect(machine.problems()).toContain("without page");
  });

  test("a vma that is freed while somebody has it is reported", () => {
    const { machine, mm, vma, hart, writer } = locked();
    hart.policies.vmaLock.startRead(hart, mm, VPN);
    kmemCacheFree(writer, POOL_VMA, vma);
    expect(machine.problems()).toContain("freed while counted");
  });

  test("a look at a vma without a lock is reported, in a read section it is not", () => {
    const { machine, vma, hart } = locked();
    rcuReadLock(hart);
    hart.shared.loadOnce(vma + VMA_END);
    rcuReadUnlock(hart);
    expect(machine.problems()).toBe("");
    hart.shared.loadOnce(vma + VMA_END);
    expect(machine.problems()).toContain("without a lock");
  });
});
