// What every vma-lock policy promises: operations on vmas in each state of their lock, what is attached and detached
// afterwards, and that a writer finds no reader.

import { beforeEach, describe, expect, test } from "vitest";
import { ACCESS_STORE, PAGE_BYTES, VMA_LOCK_SEQ } from "../../assembly/layout.ts";
import { EAGAIN } from "../../host/memory/errno.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMlock } from "../../host/mm/call/mlock.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../../host/mm/lock.ts";
import { mmput } from "../../host/mm/mm.ts";
import {
  MADV_DONTFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { lockVma, unlockVma } from "../../host/mm/vma/vma-lock.ts";
import { POLICIES } from "../../host/policy/registry.ts";
import { MmMachine } from "../mm/harness.ts";
import { vmasOf, wrongStates } from "../support/vma-states.ts";

const BASE = 0x1000_0000;
const VPN = BASE / PAGE_BYTES;
const PAGES = 6;
const READ_WRITE = PROT_READ | PROT_WRITE;
const names = POLICIES.filter(({ seam }) => seam === "vma-lock").map(({ name }) => name);

const at = (page: number) => BASE + page * PAGE_BYTES;

/** One call on the vma AAAAAA; none of them leaves the vma as it was. */
const OPERATIONS: Readonly<Record<string, (machine: MmMachine) => number>> = {
  "munmap of all": (machine) => doMunmap(machine.hart, machine.mm, BASE, PAGES * PAGE_BYTES),
  "munmap of the head": (machine) => doMunmap(machine.hart, machine.mm, BASE, PAGE_BYTES),
  "munmap of the tail": (machine) => doMunmap(machine.hart, machine.mm, at(5), PAGE_BYTES),
  "munmap of the middle": (machine) => doMunmap(machine.hart, machine.mm, at(2), PAGE_BYTES),
  "mprotect of all": (machine) => doMprotect(machine.hart, machine.mm, BASE, PAGES * PAGE_BYTES, PROT_READ),
  "mprotect of the middle": (machine) => doMprotect(machine.hart, machine.mm, at(2), PAGE_BYTES, PROT_READ),
  "madvise of the head": (machine) => doMadvise(machine.hart, machine.mm, BASE, PAGE_BYTES, MADV_DONTFORK),
  "mlock of the tail": (machine) => doMlock(machine.hart, machine.mm, at(5), PAGE_BYTES, 0),
  "mmap behind it, which merges": (machine) =>
    doMmap(machine.hart, machine.mm, at(6), PAGE_BYTES, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0) > 0
      ? 0
      : -1,
  "mmap over the middle": (machine) =>
    doMmap(machine.hart, machine.mm, at(2), PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0) > 0
      ? 0
      : -1,
  "mremap that grows": (machine) => {
    const bytes = PAGES * PAGE_BYTES;
    return doMremap(machine.hart, machine.mm, BASE, bytes, bytes + PAGE_BYTES, 0, 0) === BASE ? 0 : -1;
  },
  "mremap that moves": (machine) => {
    const bytes = PAGES * PAGE_BYTES;
    const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    return doMremap(machine.hart, machine.mm, BASE, bytes, bytes, flags, at(64)) === at(64) ? 0 : -1;
  },
  fork: (machine) => {
    const child = dupMm(machine.hart, machine.mm);
    const problems = [...checkMms(machine.hart, [machine.mm, child]), ...wrongStates(machine, [machine.mm, child])];
    mmput(machine.hart, child);
    return child !== 0 && problems.length === 0 ? 0 : -1;
  },
};

describe.each(names)("%s", (name) => {
  const machine = new MmMachine(2, 1 << 26, { "vma-lock": name });
  const warnings: string[] = [];
  const [, other] = machine.harts;
  const { vmaLock } = machine.hart.policies;
  for (const hart of machine.harts) hart.warn = (_hart, text) => warnings.push(text);

  beforeEach(() => {
    const mm = machine.start();
    doMmap(machine.hart, mm, BASE, PAGES * PAGE_BYTES, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
    machine.touch(BASE, PAGES);
    return () => {
      expect(wrongStates(machine, [machine.mm])).toEqual([]);
      expect(machine.finish()).toEqual([]);
      // exit_mmap has detached what was left.
      expect(wrongStates(machine, [])).toEqual([]);
      expect(warnings).toEqual([]);
    };
  });

  describe.each(Object.entries(OPERATIONS))("%s", (_operation, operate) => {
    test("S4-6: with nobody in the vma", () => {
      expect(operate(machine)).toBe(0);
    });

    test.each(vmaLock.locksVmas ? [1, 3] : [])(
      "S4-6: with %i readers, who leave when the writer is there",
      (readers) => {
        const vmas = Array.from({ length: readers }, () => vmaLock.startRead(other, machine.mm, VPN + 2));
        expect(vmas.every((vma) => vma === vmasOf(machine, machine.mm)[0])).toBe(true);
        const { interrupts } = machine.hart;
        let left = 0;
        machine.hart.interrupts = {
          serve: () => {
            for (const vma of vmas.splice(0)) {
              vmaLock.endRead(other, vma);
              left++;
            }
            interrupts?.serve();
          },
        };
        const result = operate(machine);
        machine.hart.interrupts = interrupts;
        expect({ result, left }).toEqual({ result: 0, left: readers });
      },
    );
  });

  test("S4-12: a new vma is detached until it is in the map, and locked until mmap_lock is dropped", () => {
    const { mm } = machine;
    mmapWriteLock(machine.hart, mm);
    const [vma] = vmasOf(machine, mm);
    vmaLock.startWrite(machine.hart, mm, vma);
    expect(vmaLock.startRead(other, mm, VPN)).toBe(0);
    mmapWriteUnlock(machine.hart, mm);
    if (!vmaLock.locksVmas) return;
    expect(vmaLock.startRead(other, mm, VPN)).toBe(vma);
    vmaLock.endRead(other, vma);
  });

  test("S4-7: attaching twice and detaching twice say so once, and return false", () => {
    const { hart, mm } = machine;
    mmapWriteLock(hart, mm);
    const [vma] = vmasOf(machine, mm);
    vmaLock.startWrite(hart, mm, vma);
    expect(vmaLock.attach(hart, mm, vma)).toBe(false);
    expect(vmaLock.attach(hart, mm, vma)).toBe(false);
    expect(vmaLock.detach(hart, mm, vma)).toBe(true);
    expect(vmaLock.detach(hart, mm, vma)).toBe(false);
    expect(vmaLock.attach(hart, mm, vma)).toBe(true);
    mmapWriteUnlock(hart, mm);
    expect(warnings.splice(0).map((text) => text.replace(/:.*/, ""))).toEqual(["attached twice", "detached twice"]);
  });

  test("S4-8: what merges with the vma below, above, or both, leaves one that is attached", () => {
    const { hart, mm } = machine;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    const map = (page: number, pages: number) => doMmap(hart, mm, at(page), pages * PAGE_BYTES, READ_WRITE, flags, 0);
    const count = () => vmasOf(machine, mm).length;
    map(PAGES, 2); // AAAAAA -> AAAAAAAA
    expect(count()).toBe(1);
    map(PAGES + 4, 2); // AAAAAAAA..BB
    map(PAGES + 3, 1); // AAAAAAAA.BBB
    expect(count()).toBe(2);
    map(PAGES + 2, 1); // AAAAAAAAAAAA
    expect(count()).toBe(1);
    expect(wrongStates(machine, [mm])).toEqual([]);
  });

  test("S4-9: fork locks every vma of the parent, also those that are not copied", () => {
    const { hart, shared, mm } = machine;
    doMprotect(hart, mm, at(2), PAGE_BYTES, PROT_READ);
    doMadvise(hart, mm, at(4), PAGE_BYTES, MADV_DONTFORK);
    const before = vmasOf(machine, mm).map((vma) => shared.get(vma + VMA_LOCK_SEQ));
    mmput(hart, dupMm(hart, mm));
    const after = vmasOf(machine, mm).map((vma) => shared.get(vma + VMA_LOCK_SEQ));
    if (vmaLock.locksVmas) expect(after.every((seq) => seq === after[0] && !before.includes(seq))).toBe(true);
  });

  test("S4-20: whoever may not have the vma is told to come again", () => {
    const { hart, mm } = machine;
    const vma = lockVma(hart, mm, VPN);
    expect(vma).toBe(vmasOf(machine, mm)[0]);
    unlockVma(hart, mm, vma);
    expect(lockVma(hart, mm, VPN - 1)).toBe(0);
    expect([0, -EAGAIN]).not.toContain(vma);
  });

  test("S4-1, S4-2: a fault finds its page whatever the lock, and leaves it as it was", () => {
    expect(handleMmFault(machine.hart, machine.mm, at(3), ACCESS_STORE)).toBe(0);
    expect(handleMmFault(other, machine.mm, at(4), ACCESS_STORE)).toBe(0);
  });
});
