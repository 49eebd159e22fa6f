// hash-batch: powerpc's hash MMU under a hypervisor. Entries that change are collected per hart and invalidated by one
// call, before the page-table lock is dropped: afterwards somebody else could fill the entry anew. No code runs on the
// other harts. (Linux: arch/powerpc/mm/book3s64/hash_tlb.c)

import { HART_SATP_ASID } from "../../../assembly/layout.ts";
import { B_M13, MUTATIONS } from "../../memory/mutation.ts";
import { tlbi, tlbsync } from "../../memory/tlbi.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import { broadcast, flushByBroadcast } from "./broadcast.ts";

/** Pages that one call invalidates singly; more of them cost the whole ASID. */
const SINGLE_PAGES_MAX = 8;

export const hashBatch: TlbFlush = {
  ...broadcast,
  name: "hash-batch",
  perPte: true,

  // What went through pteChanged is gone already: this is for tables, and for callers that change entries otherwise.
  flush(hart: Hart, _mm: number, vpn: number, pages: number, freedTables: boolean): void {
    flushBatch(hart);
    flushByBroadcast(hart, vpn, pages, freedTables);
  },

  pteChanged(hart: Hart, _mm: number, vpn: number): void {
    hart.batchVpns[hart.batchCount++] = vpn;
    if (hart.batchCount === hart.batchVpns.length) flushBatch(hart);
  },

  beforeUnlock(hart: Hart): void {
    if (!(MUTATIONS && hart.mutation === B_M13)) flushBatch(hart);
  },
};

function flushBatch(hart: Hart): void {
  const count = hart.batchCount;
  if (count === 0) return;
  const asid = hart.get(HART_SATP_ASID);
  hart.batchCount = 0;
  if (count > SINGLE_PAGES_MAX) {
    tlbi(hart, 0, 0, asid);
    hart.core.flushAsid(asid);
  } else {
    for (let i = 0; i < count; i++) {
      tlbi(hart, hart.batchVpns[i], 1, asid);
      hart.core.flushRange(hart.batchVpns[i], 1, asid);
    }
  }
  tlbsync(hart);
}
