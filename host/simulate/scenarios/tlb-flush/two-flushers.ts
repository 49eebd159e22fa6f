import { PAGE_BYTES } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { doMadvise } from "../../../mm/call/madvise.ts";
import { findPte } from "../../../mm/table/page-table.ts";
import { MADV_DONTNEED } from "../../../mm/uapi.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { exitAndLeave, readPages } from "../threads.ts";

const VPN = pageAt(0) / PAGE_BYTES;

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

/** So many pages that a flush of them is a full one. They lie beside the page that goes. */
const MANY = 68;

interface FullFlushState extends State {
  readonly pte: number;
  readonly entry: number;
}

/**
 * A full flush, while a page goes that the hardware reads ahead. Both flushes are called without an munmap around them:
 * the hart that is flushed must stand between two accesses for as long as it takes to empty the entry and begin to
 * flush it.
 */
export const fullFlush = scenario<FullFlushState>({
  name: "B/full-flush",
  summary: "a full flush and a small one at once; the hardware of the hart that is flushed reads ahead",
  speculates: [pageAt(0)],
  finds: { "B-M15": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1);
    const pte = findPte(hart, mm, VPN);
    return { mm, pte, entry: hart.shared.get(pte) };
  },
  programs: [
    (hart, { mm }) => hart.policies.tlbFlush.flush(hart, mm, VPN + 1, MANY, false),
    (hart) => readPages(hart, 1, 4),
    (hart, { mm, pte }) => {
      hart.shared.exchange(pte, 0);
      hart.policies.tlbFlush.flush(hart, mm, VPN, 1, false);
    },
  ],
  tearDown(hart, { pte, entry }) {
    if (hart.id === 0) hart.shared.exchange(pte, entry); // for exit_mmap to find
    exitAndLeave(hart);
  },
});

function drop(hart: KernelHart, mm: number, page: number): void {
  doMadvise(hart, mm, pageAt(page), PAGE_BYTES, MADV_DONTNEED);
}
