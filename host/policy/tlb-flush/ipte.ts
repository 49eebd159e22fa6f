// ipte: s390. Taking a live entry out of a page table is itself a synchronous broadcast, one for each; an mm that one
// hart alone uses is spared that. Upper tables need a flush of their own before any table is freed.

import { HART_SATP_ASID, MM_CPUMASK } from "../../../assembly/layout.ts";
import { cpumaskCopyOthers } from "../../memory/cpumask.ts";
import { tlbi, tlbsync } from "../../memory/tlbi.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import { broadcast } from "./broadcast.ts";

export const ipte: TlbFlush = {
  ...broadcast,
  name: "ipte",
  perPte: true,

  pteChanged(hart: Hart, mm: number, vpn: number): void {
    const asid = hart.get(HART_SATP_ASID);
    // The exchange of the entry was a full barrier: who enters the mask after this look walks the changed entry.
    if (cpumaskCopyOthers(hart, mm + MM_CPUMASK, hart.flushMask)) {
      tlbi(hart, vpn, 1, asid);
      hart.core.flushRange(vpn, 1, asid);
      tlbsync(hart);
    } else {
      hart.core.flushRange(vpn, 1, asid);
    }
  },
};
