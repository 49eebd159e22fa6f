import { PAGE_BYTES } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { runStub } from "../../../kernel/sched/idle.ts";
import { doMunmap } from "../../../mm/call/munmap.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { pollFor, switchTo, switchToIdle } from "../tasks.ts";
import { exitAndLeave, readPages } from "../threads.ts";

const PAGES = 2;

interface State {
  readonly mm: number;
}

/** One thread unmaps pages that another one reads. */
export const unmapUnderReader = scenario<State>({
  name: "B/unmap-under-reader",
  summary: "munmap of two pages while another hart reads them",
  finds: {
    "B-M1": {},
    "B-M3": {},
    "B-M7": { "tlb-flush": "broadcast" },
    "B-M10": {},
  },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, PAGES) };
  },
  programs: [unmap, (hart) => readPages(hart, PAGES, 3)],
  tearDown: exitAndLeave,
});

/** The same under three readers: what a schedule of four harts costs. */
export const unmapUnderReaders = scenario<State>({
  name: "B/unmap-under-readers",
  summary: "munmap of two pages while three other harts read them",
  finds: { "B-M1": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, PAGES) };
  },
  programs: [unmap, read, read, read],
  tearDown: exitAndLeave,
});

/** The same with a page-walk cache, which holds pointers to the tables that go. */
export const freeTables = scenario<State>({
  name: "B/free-tables",
  summary: "munmap frees page tables that a reader has in its page-walk cache",
  pageWalkCache: true,
  finds: { "B-M4": {} },
  setUp(_hart, harts) {
    const mm = sharedMm(harts, PAGES);
    readPages(harts[1], PAGES, 1);
    return { mm };
  },
  programs: [unmap, (hart) => readPages(hart, PAGES, 3)],
  tearDown: exitAndLeave,
});

/** The reader has gone idle: its walker runs on. */
export const freeTablesOfLazy = scenario<State>({
  name: "B/free-tables-of-lazy",
  summary: "munmap frees page tables that a borrowing hart has in its page-walk cache",
  policies: { "lazy-tlb": "is-lazy" },
  pageWalkCache: true,
  finds: { "B-M9": { "lazy-tlb": "is-lazy" } },
  setUp(_hart, harts) {
    const mm = sharedMm(harts, PAGES);
    readPages(harts[1], PAGES, 1);
    return { mm };
  },
  programs: [
    unmap,
    (hart) => {
      const thread = hart.current;
      switchToIdle(hart);
      pollFor(hart, 8);
      runStub(hart);
      pollFor(hart, 8);
      switchTo(hart, thread);
      readPages(hart, PAGES, 1);
    },
  ],
  tearDown: exitAndLeave,
});

function read(hart: KernelHart): void {
  readPages(hart, PAGES, 1);
}

function unmap(hart: KernelHart, { mm }: State): void {
  doMunmap(hart, mm, pageAt(0), PAGES * PAGE_BYTES);
}
