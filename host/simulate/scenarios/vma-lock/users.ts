// Who else locks vmas: fork, a stack that grows, userfaultfd; and the page tables that a locked vma keeps.

import { ACCESS_STORE, PAGE_BYTES, VM_GROWSDOWN, VMA_REFCNT } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { checkMms } from "../../../mm/check-mm.ts";
import { dupMm } from "../../../mm/dup-mmap.ts";
import { handleMmFault } from "../../../mm/fault/fault.ts";
import { mmapReadLock, mmapReadUnlock } from "../../../mm/lock.ts";
import { mmget, mmput } from "../../../mm/mm.ts";
import { lockVma, unlockVma } from "../../../mm/vma/vma-lock.ts";
import { vmaFind } from "../../../mm/vma/vma-map.ts";
import { VMA_WRITER } from "../../../policy/vma-lock/vm-refcnt.ts";
import { scenario } from "../../scenario.ts";
import { BASE, mapAnonymous, pageAt, READ_WRITE, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { awaitTold, tell } from "../signal.ts";
import { leaveAll, makeUserTask, startOn } from "../tasks.ts";
import { exitAndLeave, exitThread } from "../threads.ts";
import { COUNTS } from "./counts.ts";
import { faultAt, mapPages, unmapPages } from "./fault.ts";

interface State {
  readonly mm: number;
}

const CHILD = 0;

/** All counts of these mms are right, but for resident pages, of which each hart keeps some back. */
function claimLedger(hart: KernelHart, mms: readonly number[]): void {
  mmapReadLock(hart, mms[0]);
  const problems = checkMms(hart, mms).filter((problem) => !problem.startsWith("MM_RSS"));
  mmapReadUnlock(hart, mms[0]);
  claim(problems.length === 0, problems.join("; "));
}

/** The pages of the parent are private to it and without the right to write: an earlier child has gone. */
export const fork = scenario<State>({
  name: "D/fork",
  summary: "fork while another thread stores to a page that it has to itself",
  finds: { "D-M18": {} },
  setUp(hart, harts) {
    const mm = sharedMm([hart], 1);
    mmput(hart, dupMm(hart, mm));
    mmget(hart, mm);
    startOn(harts[1], makeUserTask(harts[1], mm));
    return { mm };
  },
  programs: [
    (hart, { mm }) => {
      const child = dupMm(hart, mm);
      claim(child !== 0, "fork fails");
      tell(hart, CHILD, child);
    },
    (hart, { mm }) => {
      faultAt(hart, 0, 1);
      const child = awaitTold(hart, CHILD);
      claimLedger(hart, [mm, child]);
      mmput(hart, child);
    },
  ],
  tearDown: exitAndLeave,
});

export const stackGrows = scenario<State>({
  name: "D/stack-grows",
  summary: "a stack grows down while another thread takes faults in it",
  finds: {},
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2, READ_WRITE | VM_GROWSDOWN, [0]) };
  },
  programs: [
    (hart, { mm }) => {
      handleMmFault(hart, mm, BASE - PAGE_BYTES, ACCESS_STORE);
    },
    (hart) => faultAt(hart, 1, 2),
  ],
  tearDown: exitAndLeave,
});

/** As many readers as the count can hold; those that are not there never go. */
export const readerLimit = scenario<State>({
  name: "D/reader-limit",
  summary: "a fault in a vma that has almost too many readers",
  onlyFor: COUNTS,
  finds: { "D-M14": {}, "D-M21": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1);
    hart.shared.set(vmaFind(hart, mm, 0) + VMA_REFCNT, VMA_WRITER - 2);
    return { mm };
  },
  programs: [(hart, { mm }) => useVma(hart, mm), (hart, { mm }) => useVma(hart, mm), (hart) => faultAt(hart, 0, 1)],
  tearDown(hart, { mm }) {
    if (hart.id === 0) hart.shared.storeOnce(vmaFind(hart, mm, 0) + VMA_REFCNT, 1);
    exitThread(hart);
    leaveAll(hart);
  },
});

/** As userfaultfd does. */
function useVma(hart: KernelHart, mm: number): void {
  const vma = lockVma(hart, mm, BASE / PAGE_BYTES);
  if (vma <= 0) return;
  hart.pollIrq();
  unlockVma(hart, mm, vma);
}

const SPAN_PAGES = 512;

/** Two vmas in the span of one table, a third in the next: only the table of that one may go. */
export const tableOfNeighbour = scenario<State>({
  name: "D/table-of-neighbour",
  summary: "munmap beside and above a vma, in whose page table another thread takes faults",
  finds: {},
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1, READ_WRITE, []);
    mapPages(hart, mm, 2, 1);
    mapPages(hart, mm, SPAN_PAGES, 1);
    faultAt(hart, SPAN_PAGES, 1);
    return { mm };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 2, 1);
      unmapPages(hart, mm, SPAN_PAGES, 1);
    },
    (hart) => faultAt(hart, 0, 1),
  ],
  tearDown(hart, { mm }) {
    if (hart.id === 0) {
      claimLedger(hart, [mm]);
      claim(handleMmFault(hart, mm, pageAt(0), ACCESS_STORE) === 0, "the vma that stays takes no fault");
      mapAnonymous(hart, mm, 1);
    }
    exitAndLeave(hart);
  },
});
