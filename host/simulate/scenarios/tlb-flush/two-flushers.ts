import { PAGE_BYTES } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { doMadvise } from "../../../mm/madvise.ts";
import { MADV_DONTNEED } from "../../../mm/uapi.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { exitAndLeave, readPages } from "../threads.ts";

interface State {
  readonly mm: number;
}

/** Two harts flush each other at the same time. */
export const crossFlush = scenario<State>({
  name: "B/cross-flush",
  summary: "two harts take a page away from each other",
  finds: { "A-M12": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [(hart, { mm }) => drop(hart, mm, 0), (hart, { mm }) => drop(hart, mm, 1)],
  tearDown: exitAndLeave,
});

/** Two harts flush a third one, whose interrupts may arrive in any order. */
export const twoFlushers = scenario<State>({
  name: "B/two-flushers",
  summary: "two harts take pages away that a third one reads",
  finds: { "B-M6": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [(hart, { mm }) => drop(hart, mm, 0), (hart) => readPages(hart, 2, 3), (hart, { mm }) => drop(hart, mm, 1)],
  tearDown: exitAndLeave,
});

/** So many pages between two that are touched that a flush of both is a full one. */
const FAR = 68;

/** A full flush, while another page is taken away that the hardware reads ahead. */
export const fullFlush = scenario<State>({
  name: "B/full-flush",
  summary: "a full flush and a small one at once; the hardware of the hart that is flushed reads ahead",
  speculates: [pageAt(FAR + 1)],
  finds: { "B-M15": {} },
  setUp(_hart, harts) {
    const mm = sharedMm(harts, FAR + 2, undefined, [0, FAR, FAR + 1]);
    return { mm };
  },
  programs: [
    (hart, { mm }) => drop(hart, mm, 0, FAR + 1),
    (hart) => readPages(hart, 1, 6, FAR + 1),
    (hart, { mm }) => drop(hart, mm, FAR + 1),
  ],
  tearDown: exitAndLeave,
});

function drop(hart: KernelHart, mm: number, page: number, pages = 1): void {
  doMadvise(hart, mm, pageAt(page), pages * PAGE_BYTES, MADV_DONTNEED);
}
