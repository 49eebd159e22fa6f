// speculative: the common fault, a page of private anonymous memory, takes no lock on the vma at all. It reads what it
// needs under RCU and, with the page-table lock held, asks whether mmap_lock has been taken for write since
// (mm/fault/speculative-fault.ts). Everything else takes mmap_lock. Tables and vmas are freed after a grace period,
// because such a fault may still look at them. (Laurent Dufour's speculative page faults, 2017-2019, where spf_test
// comes from)

import { COUNTER_CALL_RCU_VMA } from "../../../assembly/layout.ts";
import type { Hart } from "../hart.ts";
import type { MmFrame, VmaLock } from "../seams.ts";
import { makeMmapLock } from "./mmap-lock.ts";

export function makeSpeculative(frame: MmFrame): VmaLock {
  return {
    ...makeMmapLock(frame),
    name: "speculative",
    speculates: true,

    free(hart: Hart, vma: number): void {
      hart.count(COUNTER_CALL_RCU_VMA);
      frame.freeVmaLater(hart, vma);
    },
  };
}
