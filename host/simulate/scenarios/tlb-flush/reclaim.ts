import { PAGE_BYTES, PAGE_FLAGS, PG_LAZYFREE, PTE_D, PTE_PPN_SHIFT } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { pageOf } from "../../../mm/frame/page.ts";
import { getPage, putPage } from "../../../mm/frame/page-refs.ts";
import { tryLockPage, unlockPage } from "../../../mm/mapping/page-lock.ts";
import { evictPage } from "../../../mm/reclaim/evict.ts";
import { findPte } from "../../../mm/table/page-table.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { enterUser, guestLoad, guestStore, leaveUser } from "../guest.ts";
import { exitAndLeave, readPages } from "../threads.ts";

interface State {
  readonly pfn: number;
}

const ROUNDS = 3;

/** A page that was given up is taken by reclaim, while another hart reads it, or writes to it after all. */
export const reclaimUnderReader = scenario<State>({
  name: "B/reclaim-under-reader",
  summary: "reclaim takes a page of MADV_FREE that another hart reads and writes",
  policies: { "tlb-flush": "reclaim-batch" },
  finds: { "B-M7": { "tlb-flush": "broadcast" } },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1);
    const pte = findPte(hart, mm, pageAt(0) / PAGE_BYTES);
    const pfn = hart.shared.get(pte) >>> PTE_PPN_SHIFT;
    // What madvise does; its flush would wait for hart 1, which does not run yet.
    hart.shared.fetchOr(pageOf(pfn) + PAGE_FLAGS, PG_LAZYFREE);
    hart.shared.fetchAnd(pte, ~PTE_D);
    readPages(harts[1], 1, 1);
    return { pfn };
  },
  programs: [reclaim, readAndWrite],
  tearDown: exitAndLeave,
});

function reclaim(hart: KernelHart, { pfn }: State): void {
  const page = pageOf(pfn);
  getPage(hart, pfn);
  if (tryLockPage(hart, page)) {
    evictPage(hart, pfn);
    unlockPage(hart, page);
  }
  putPage(hart, pfn);
}

function readAndWrite(hart: KernelHart): void {
  enterUser(hart);
  for (let round = 0; round < ROUNDS; round++) {
    guestLoad(hart, pageAt(0));
    guestStore(hart, pageAt(0), round);
  }
  leaveUser(hart);
}
