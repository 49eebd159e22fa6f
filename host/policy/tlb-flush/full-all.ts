// full-all: each entry that changes is an IPI to all harts, and each of them drops all that it has. The upper bound.

import { COUNTER_TLB_REMOTE_FLUSH } from "../../../assembly/layout.ts";
import { copyRunningOthers, sendIpi } from "../../memory/ipi.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import { concernsLoadedMm, flushKernelByIpi, flushOp, wholeRanges } from "./common.ts";
import { loadWithoutAsid } from "./ipi-mask.ts";

export const fullAll: TlbFlush = {
  ...wholeRanges,
  name: "full-all",
  runsRemoteCode: true,
  perPte: true,

  flush(hart: Hart, mm: number): void {
    flushAllHarts(hart, mm);
  },

  flushKernel: flushKernelByIpi,

  pteChanged(hart: Hart, mm: number): void {
    flushAllHarts(hart, mm);
  },

  flushLater(hart: Hart, mm: number): void {
    flushAllHarts(hart, mm);
  },

  onIpi(hart: Hart, mm: number): void {
    if (concernsLoadedMm(hart, mm)) hart.core.flushAll();
  },

  switchTo(hart: Hart, next: number): void {
    loadWithoutAsid(hart, next);
  },

  catchUp(hart: Hart): void {
    hart.core.flushAll();
  },
};

function flushAllHarts(hart: Hart, mm: number): void {
  hart.core.flushAll();
  if (!copyRunningOthers(hart, hart.flushMask)) return;
  hart.count(COUNTER_TLB_REMOTE_FLUSH);
  sendIpi(hart, hart.flushMask, flushOp(hart, mm), mm);
}
