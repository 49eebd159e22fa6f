// reclaim-batch: ipi-mask, and reclaim, which takes single pages from many mms, pays one flush for all of them before
// it frees or writes the first. (Linux: arch_tlbbatch_add_pending, try_to_unmap_flush in mm/rmap.c.)

import {
  COUNTER_TLB_REMOTE_FLUSH,
  CPUMASK_WORDS,
  IPI_FLUSH,
  MM_BATCH_PENDING,
  MM_CPUMASK,
  MM_TLB_GEN,
} from "../../../assembly/layout.ts";
import { sendIpi } from "../../memory/ipi.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import { flushEverything } from "./common.ts";
import { ipiMask } from "./ipi-mask.ts";

export const reclaimBatch: TlbFlush = {
  ...ipiMask,
  name: "reclaim-batch",
  defers: true,

  flushLater(hart: Hart, mm: number): void {
    const { shared } = hart;
    // Whoever changes the mm from now on sees that something is outstanding.
    shared.storeRelease(mm + MM_BATCH_PENDING, 1);
    shared.fetchAdd(mm + MM_TLB_GEN, 1); // full barrier: the entry was cleared before the mask is read
    for (let word = 0; word < CPUMASK_WORDS; word++) {
      hart.batchMask[word] |= shared.loadOnce(mm + MM_CPUMASK + word * 4);
    }
    hart.batchCount++;
  },

  flushPending(hart: Hart): void {
    if (hart.batchCount === 0) return;
    hart.batchCount = 0;
    flushEverything(hart);
    hart.count(COUNTER_TLB_REMOTE_FLUSH);
    sendIpi(hart, hart.batchMask, IPI_FLUSH); // no mm: everything
    hart.batchMask.fill(0);
  },

  settle(hart: Hart, mm: number): void {
    if (hart.shared.loadAcquire(mm + MM_BATCH_PENDING) === 0) return;
    hart.shared.storeRelease(mm + MM_BATCH_PENDING, 0); // before the flush: what is put off later is seen again
    ipiMask.flush(hart, mm, 0, 0, false);
  },
};
