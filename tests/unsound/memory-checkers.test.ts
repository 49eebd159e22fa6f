// The checkers of memory in host/check/ (left-over, translations, loaded-mm), and what the kernel counts itself: as in
// lock-checkers.test.ts, calls as they should be, and with the mistake.

import "../support/schedule-points.ts";
import { describe, expect, test } from "vitest";
import {
  FLUSH_ON_RESUME,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MM_COUNT,
  MM_ROOT_PFN,
  MM_TLB_GEN,
  PAGE_BYTES,
  POOL_FILE,
  POOL_VMA,
  PTE_PPN_SHIFT,
  RCU_FREE_POOL,
  RUN_PARKED,
  TASK_ACTIVE_MM,
  VMA_RCU_HEAD,
} from "../../assembly/layout.ts";
import type { KernelHart } from "../../host/kernel/kernel-hart.ts";
import { callRcu } from "../../host/memory/rcu.ts";
import { kmemCacheAlloc } from "../../host/memory/slab.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { allocFrame } from "../../host/mm/frame/frames.ts";
import { freeFrame, putPage } from "../../host/mm/frame/page-refs.ts";
import { mmAlloc, mmput } from "../../host/mm/mm.ts";
import { entryAddress, findPte } from "../../host/mm/table/page-table.ts";
import { MADV_DONTNEED } from "../../host/mm/uapi.ts";
import { pageAt, sharedMm } from "../../host/simulate/scenarios/address-space.ts";
import { enterUser, guestLoad, leaveUser } from "../../host/simulate/scenarios/guest.ts";
import { makeUserTask, startOn, switchToIdle } from "../../host/simulate/scenarios/tasks.ts";
import { exitThread } from "../../host/simulate/scenarios/threads.ts";
import { Watched } from "../support/watched.ts";

const VPN = pageAt(0) / PAGE_BYTES;

describe("what is left over", () => {
  test("nothing, when all is given back", () => {
    const machine = new Watched();
    sharedMm(machine.harts, 2);
    for (const hart of machine.harts) exitThread(hart);
    expect(machine.leftOver()).toBe("");
    expect(machine.problems()).toBe("");
  });

  const LEAKS: readonly (readonly [string, (hart: KernelHart) => void, RegExp])[] = [
    ["a frame", (hart) => allocFrame(hart), /^frames: \d+, before \d+$/],
    ["an mm, with its root table", (hart) => mmAlloc(hart), /^mm_struct: 2, before 1; anon_vma: 1, before 0; frames: /],
    ["a vma", (hart) => kmemCacheAlloc(hart, POOL_VMA), /^vm_area_struct: 1, before 0$/],
    ["an open file", (hart) => kmemCacheAlloc(hart, POOL_FILE), /^filp: 1, before 0$/],
    [
      "a borrower's reference of init_mm",
      (hart) => hart.shared.fetchAdd(hart.shared.get(MACHINE_BASE + MACHINE_INIT_MM) + MM_COUNT, 1),
      /^init_mm has 2 references/,
    ],
  ];

  test.each(LEAKS)("%s that nobody gave back is reported", (_, leak, report) => {
    const machine = new Watched();
    leak(machine.harts[0]);
    expect(machine.leftOver()).toMatch(report);
  });
});

describe("references and queues, which the kernel counts itself", () => {
  test("a page reference that is dropped twice stops the machine", () => {
    const { harts } = new Watched();
    const pfn = allocFrame(harts[0]);
    putPage(harts[0], pfn);
    expect(() => putPage(harts[0], pfn)).toThrow(/dropped twice|bad frame freed/);
  });

  test("an RCU head that is queued twice stops the machine", () => {
    const { harts } = new Watched();
    const vma = kmemCacheAlloc(harts[0], POOL_VMA);
    callRcu(harts[0], vma + VMA_RCU_HEAD, RCU_FREE_POOL + POOL_VMA);
    expect(() => callRcu(harts[0], vma + VMA_RCU_HEAD, RCU_FREE_POOL + POOL_VMA)).toThrow("call_rcu of a queued head");
  });
});

describe("translations", () => {
  /** Hart 1 has read a page of an mm that both have loaded. */
  function withReader() {
    const machine = new Watched();
    const [hart, reader] = machine.harts;
    const mm = sharedMm(machine.harts, 2);
    read(reader);
    return { machine, hart, reader, mm, root: hart.shared.get(mm + MM_ROOT_PFN) };
  }

  function read(reader: KernelHart): void {
    enterUser(reader);
    guestLoad(reader, pageAt(0));
    leaveUser(reader);
  }

  test("a page that is taken away with a flush is right", () => {
    const { machine, hart, reader, mm } = withReader();
    doMadvise(hart, mm, pageAt(0), PAGE_BYTES, MADV_DONTNEED);
    read(reader);
    expect(machine.problems()).toBe("");
  });

  test("a flush that returns without having reached a hart is reported when the hart uses its entry", () => {
    const { machine, hart, reader, mm, root } = withReader();
    hart.shared.exchange(findPte(hart, mm, VPN), 0);
    hart.shared.fetchAdd(mm + MM_TLB_GEN, 1);
    machine.watch.flushEnds(root, VPN, 1);
    expect(machine.problems()).toBe(""); // it may have it for as long as it does not use it
    read(reader);
    expect(machine.problems()).toMatch(/hart 1 uses a stale translation: .* a flush that covers it has returned/);
  });

  test("a flush of another page leaves the entry as it is: stale, and legal", () => {
    const { machine, hart, reader, mm, root } = withReader();
    hart.shared.exchange(findPte(hart, mm, VPN), 0);
    machine.watch.flushEnds(root, VPN + 1, 1);
    read(reader);
    expect(machine.problems()).toBe("");
  });

  test("user memory that is read through another mm's root is reported, whatever LOADED_MM says", () => {
    const { machine, hart, reader } = withReader();
    const { current } = reader;
    startOn(reader, makeUserTask(reader, mmAlloc(hart)));
    read(reader);
    expect(machine.problems()).toBe("");
    reader.setCurrent(current); // its mm is not the one that has just been loaded
    read(reader);
    expect(machine.problems()).toMatch(/hart 1 reads user memory, but satp holds another mm than its current task's/);
  });

  test("user memory that is read before a flush that was promised is reported", () => {
    const { machine, reader } = withReader();
    reader.set(HART_RUN_STATE, RUN_PARKED | FLUSH_ON_RESUME);
    machine.watch.guestAccess(reader.id, pageAt(0));
    expect(machine.problems()).toContain("hart 1 reads user memory before the flush that it has promised");
  });

  test("a page that is freed before the flush is reported at once if the hart is in user mode", () => {
    const { machine, hart, reader, mm } = withReader();
    const pfn = hart.shared.get(findPte(hart, mm, VPN)) >>> PTE_PPN_SHIFT;
    enterUser(reader);
    freeFrame(hart, pfn);
    expect(machine.problems()).toMatch(/hart 1, in user mode, can use a stale translation: .* its page has been freed/);
  });

  test("tables that munmap frees are right, page-walk cache or not", () => {
    const { machine, hart, reader, mm } = withReader();
    doMunmap(hart, mm, pageAt(0), 2 * PAGE_BYTES);
    read(reader);
    expect(machine.problems()).toBe("");
  });

  test("a table that is freed after a flush of leaf entries is reported: the page-walk cache leads there", () => {
    const { machine, hart, mm, root } = withReader();
    const table = Math.floor(findPte(hart, mm, VPN) / PAGE_BYTES);
    const middle = hart.shared.get(entryAddress(root, VPN, 2)) >>> PTE_PPN_SHIFT;
    hart.shared.exchange(entryAddress(middle, VPN, 1), 0);
    for (const each of machine.harts) each.core.flushVa(pageAt(0));
    freeFrame(hart, table);
    expect(machine.problems()).toMatch(/a page table of level 0 was freed while hart \d has it in its page-walk cache/);
  });
});

describe("loaded mms", () => {
  test("a borrower keeps the mm that it has loaded, whoever goes", () => {
    const machine = new Watched();
    sharedMm(machine.harts, 1);
    switchToIdle(machine.harts[1]);
    exitThread(machine.harts[0]);
    expect(machine.problems()).toBe("");
  });

  test("a root table that is freed while a hart has it in satp is reported", () => {
    const machine = new Watched();
    const [hart] = machine.harts;
    const mm = sharedMm(machine.harts, 1);
    machine.watch.check();
    freeFrame(hart, hart.shared.get(mm + MM_ROOT_PFN));
    expect(machine.problems()).toContain("has a freed root table in satp");
  });

  test("a freed mm in active_mm is reported: an NMI would read it", () => {
    const machine = new Watched();
    const [hart, other] = machine.harts;
    const mm = mmAlloc(hart);
    machine.watch.check();
    startOn(other, makeUserTask(other, mmAlloc(other)));
    other.shared.set(other.current + TASK_ACTIVE_MM, mm); // a switch that has forgotten to say so
    machine.watch.check();
    mmput(hart, mm);
    expect(machine.problems()).toMatch(/an NMI on hart 1 would read a freed mm/);
  });
});
