// broadcast: hardware invalidates every TLB, no hart is interrupted. (powerpc tlbie, arm64 TLBI, AMD INVLPGB.) Nothing
// runs on the others, so a flush cannot end a borrowing; and the requester waits for all of them, used or not.

import { COUNTER_FLUSH_RANGE_PAGES, HART_SATP_ASID } from "../../../assembly/layout.ts";
import { B_M7, MUTATIONS } from "../../memory/mutation.ts";
import { tlbi, tlbsync } from "../../memory/tlbi.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import {
  concernsLoadedMm,
  flushEverything,
  flushesWholeMm,
  flushKernelByIpi,
  flushPages,
  wholeRanges,
} from "./common.ts";
import { loadWithoutAsid } from "./ipi-mask.ts";

export const broadcast: TlbFlush = {
  ...wholeRanges,
  name: "broadcast",
  runsRemoteCode: false,

  flush(hart: Hart, _mm: number, vpn: number, pages: number, freedTables: boolean): void {
    flushByBroadcast(hart, vpn, pages, freedTables);
  },

  flushKernel: flushKernelByIpi,

  flushLater(hart: Hart, _mm: number, vpn: number): void {
    flushByBroadcast(hart, vpn, 1, false);
  },

  // Flushes come by no interrupt; flushKernel does.
  onIpi(hart: Hart, mm: number): void {
    if (concernsLoadedMm(hart, mm)) flushEverything(hart);
  },

  switchTo(hart: Hart, next: number): void {
    loadWithoutAsid(hart, next);
  },

  catchUp(hart: Hart): void {
    hart.core.flushAll();
  },
};

/** All mms share ASID 0, and so does every request; generations are not compared. */
export function flushByBroadcast(hart: Hart, vpn: number, pages: number, freedTables: boolean): void {
  const wholeMm = flushesWholeMm(hart, pages, freedTables);
  const asid = hart.get(HART_SATP_ASID);
  const rangePages = wholeMm ? 0 : pages;
  hart.count(COUNTER_FLUSH_RANGE_PAGES, rangePages);
  tlbi(hart, vpn, rangePages, asid);
  if (rangePages === 0) hart.core.flushAsid(asid);
  else flushPages(hart, vpn, rangePages, asid);
  if (!(MUTATIONS && hart.mutation === B_M7)) tlbsync(hart);
}
