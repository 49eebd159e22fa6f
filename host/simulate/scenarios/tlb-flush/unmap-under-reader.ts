import { PAGE_BYTES } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { exitMm } from "../../../kernel/switch.ts";
import { mmput } from "../../../mm/mm.ts";
import { doMunmap } from "../../../mm/munmap.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { enterUser, guestLoad, leaveUser } from "../guest.ts";
import { leaveAll, switchToIdle } from "../tasks.ts";

const PAGES = 2;
const READS = 3;

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
  programs: [
    (hart, { mm }) => {
      doMunmap(hart, mm, pageAt(0), PAGES * PAGE_BYTES);
    },
    (hart) => readPages(hart, READS),
  ],
  tearDown: exitThread,
});

/** Reads the pages in turn; a page that is gone reads as a fault, which ends nothing. */
export function readPages(hart: KernelHart, rounds: number): void {
  enterUser(hart);
  for (let round = 0; round < rounds; round++) {
    for (let page = 0; page < PAGES; page++) guestLoad(hart, pageAt(page));
  }
  leaveUser(hart);
}

export function exitThread(hart: KernelHart): void {
  const mm = exitMm(hart);
  switchToIdle(hart);
  if (mm !== 0) mmput(hart, mm);
  leaveAll(hart);
}
