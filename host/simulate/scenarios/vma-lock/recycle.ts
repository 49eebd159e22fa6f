// The record of a vma becomes another vma while a fault looks at it (vma-lock=refcount-typesafe): of the same mm, of
// another one, or of one that ends. The pages have not been touched: munmap then has nothing to flush, and need not
// wait until the hart that faults looks at its mailbox, which it does not do between finding a vma and locking it.

import { MM_USERS, VMA_REFCNT } from "../../../../assembly/layout.ts";
import { mmAlloc, mmput } from "../../../mm/mm.ts";
import { vmaFind } from "../../../mm/vma/vma-map.ts";
import { scenario } from "../../scenario.ts";
import { mapAnonymous, READ_WRITE, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { pollFor } from "../tasks.ts";
import { exitAndLeave } from "../threads.ts";
import { COUNTS } from "./counts.ts";
import { faultAt, mapPages, unmapPages } from "./fault.ts";

interface State {
  readonly mm: number;
  readonly other: number;
}

export const recycleHere = scenario<State>({
  name: "D/recycle-here",
  summary: "a vma is unmapped and its record is one of another place of the same mm",
  finds: { "D-M22": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2, READ_WRITE, []), other: 0 };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 0, 2);
      mapPages(hart, mm, 8, 2);
    },
    (hart) => faultAt(hart, 0, 2),
  ],
  tearDown: exitAndLeave,
});

/** Under the memory model: at the same place, where only the order of loads and stores tells the lives apart. */
export const recycleWeak = scenario<State>({
  name: "D/recycle-weak",
  summary: "a vma is unmapped and mapped again while a fault locks it, with buffered stores",
  weakMemory: true,
  finds: { "D-M5b": {}, "D-M24": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2, READ_WRITE, []), other: 0 };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 0, 2);
      mapPages(hart, mm, 0, 2);
    },
    (hart) => faultAt(hart, 0, 3),
  ],
  tearDown: exitAndLeave,
});

/** The record is one of another mm, which ends at once: its exit waits for the fault that has counted itself in. */
export const recycleThere = scenario<State>({
  name: "D/recycle-there",
  summary: "a vma is unmapped, its record becomes one of another mm, and that mm ends",
  finds: { "D-M2": {}, "D-M4": {}, "D-M7": {}, "D-M10": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 2, READ_WRITE, []);
    const other = mmAlloc(hart);
    claim(hart.shared.get(other + MM_USERS) === 1, "a fresh mm has one user");
    return { mm, other };
  },
  programs: [
    (hart, { mm, other }) => {
      unmapPages(hart, mm, 0, 2);
      mapAnonymous(hart, other, 2);
      pollFor(hart, 6);
      mmput(hart, other);
    },
    (hart) => faultAt(hart, 0, 2),
  ],
  tearDown: exitAndLeave,
});

/** The record is one half of a vma that is split: a copy of one that covers the page. */
export const recycleAsCopy = scenario<State>({
  name: "D/recycle-as-copy",
  summary: "a vma is unmapped and its record is the part of a vma that is split",
  onlyFor: COUNTS,
  finds: { "D-M6": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1, READ_WRITE, []);
    mapPages(hart, mm, 4, 5);
    return { mm, other: 0 };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 0, 1);
      unmapPages(hart, mm, 6, 1);
      const vma = vmaFind(hart, mm, 0);
      claim(vma === 0 || hart.shared.loadOnce(vma + VMA_REFCNT) >= 1, "a vma in the map is attached");
    },
    (hart) => {
      faultAt(hart, 0, 1);
      faultAt(hart, 7, 2);
    },
  ],
  tearDown: exitAndLeave,
});
