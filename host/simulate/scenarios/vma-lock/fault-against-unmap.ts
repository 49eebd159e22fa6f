import { MM_LOCK_SEQ, PAGE_BYTES } from "../../../../assembly/layout.ts";
import { KernelBug } from "../../../memory/errors.ts";
import { allocPte } from "../../../mm/table/page-table.ts";
import { scenario } from "../../scenario.ts";
import { BASE, READ_WRITE, sharedMm } from "../address-space.ts";
import { exitAndLeave } from "../threads.ts";
import { faultAt, mapPages, unmapPages } from "./fault.ts";

interface State {
  readonly mm: number;
}

/** A reader, and a writer that takes the whole vma away. */
export const faultAgainstUnmap = scenario<State>({
  name: "D/fault-against-unmap",
  summary: "munmap of a vma in which another hart takes faults",
  finds: {
    "D-M3": {},
    "D-M11": {},
    "D-M12": {},
    "D-M13": {},
    "D-M15": {},
    "D-M20": {},
    "D-M23": {},
  },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [(hart, { mm }) => unmapPages(hart, mm, 0, 2), (hart) => faultAt(hart, 0, 2)],
  tearDown: exitAndLeave,
});

/** A writer that makes the vma smaller: it stays the same vma. */
export const faultAgainstShrink = scenario<State>({
  name: "D/fault-against-shrink",
  summary: "munmap of the page of a vma in which another hart takes faults",
  finds: { "D-M1": {}, "D-M17": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [(hart, { mm }) => unmapPages(hart, mm, 1, 1), (hart) => faultAt(hart, 1, 2)],
  tearDown: exitAndLeave,
});

/** Between two others, the vma goes and comes by a store to the published leaf (mm/vma/vma-map-in-place.ts). */
export const unmapInPlace = scenario<State>({
  name: "D/unmap-in-place",
  summary: "a vma between two others is unmapped and mapped again under a fault, with buffered stores",
  weakMemory: true,
  finds: {},
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1);
    mapPages(hart, mm, 2, 1);
    mapPages(hart, mm, 4, 1);
    return { mm };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 2, 1);
      mapPages(hart, mm, 2, 1);
      unmapPages(hart, mm, 2, 1);
    },
    (hart) => faultAt(hart, 2, 3),
  ],
  tearDown: exitAndLeave,
});

/** The page table is there, and empty: what seems empty may be about to be filled. */
export const firstFaultOfTable = scenario<State>({
  name: "D/first-fault-of-table",
  summary: "munmap of a vma whose page table is empty, while another hart takes its first fault there",
  policies: { "vma-lock": "speculative" },
  finds: {},
  setUp(hart, harts) {
    const mm = sharedMm(harts, 2, READ_WRITE, []);
    if (allocPte(hart, mm, BASE / PAGE_BYTES) === 0)
      throw new KernelBug("a scenario cannot make its page table", { mm });
    return { mm };
  },
  programs: [(hart, { mm }) => unmapPages(hart, mm, 0, 1), (hart) => faultAt(hart, 0, 1)],
  tearDown: exitAndLeave,
});

/** The sequence numbers come round while the writer is at work. */
export const sequenceWraps = scenario<State>({
  name: "D/sequence-wraps",
  summary: "munmap in an mm whose write-lock sequence has just wrapped",
  finds: { "D-M19": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 2);
    hart.shared.set(mm + MM_LOCK_SEQ, 0x7fff_fffe);
    return { mm };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 1, 1); // takes the lock for write twice: the second time below zero
      mapPages(hart, mm, 1, 1);
      unmapPages(hart, mm, 0, 2);
    },
    (hart) => faultAt(hart, 0, 3),
  ],
  tearDown: exitAndLeave,
});

/** With rwsems: whether it is detached is known before its range is looked at. */
export const rangeOfDetached = scenario<State>({
  name: "D/range-of-detached",
  summary: "a fault finds a vma that is unmapped before it is locked",
  policies: { "vma-lock": "rwsem" },
  finds: { "D-M16": { "vma-lock": "rwsem" } },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [(hart, { mm }) => unmapPages(hart, mm, 0, 2), (hart) => faultAt(hart, 0, 2)],
  tearDown: exitAndLeave,
});
