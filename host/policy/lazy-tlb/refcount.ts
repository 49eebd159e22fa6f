// refcount: the classic answer. Each borrower holds one mm_count reference; the switch away drops it afterwards.
// Two contended read-modify-writes per idle round trip, nothing to do at exit. (Linux: CONFIG_MMU_LAZY_TLB_REFCOUNT.)

import { RQ_PREV_MM } from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { A_M11, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";
import type { LazyTlb, MmFrame } from "../seams.ts";
import { addMmCount } from "./mm-count.ts";

export function makeRefcount(frame: MmFrame): LazyTlb {
  return {
    name: "refcount",
    unlazyAtFlush: false,
    skipsFlush: false,
    finishIsBarrier: true, // mmdrop
    activeIsLoaded: false,

    grab(hart: Hart, mm: number): void {
      addMmCount(hart, mm, 1);
    },

    refuses(): boolean {
      return false;
    },

    resume(): void {},

    put(hart: Hart, mm: number): void {
      if (MUTATIONS && hart.mutation === A_M11) {
        frame.dropMm(hart, mm);
        return;
      }
      if (hart.shared.get(hart.rq + RQ_PREV_MM) !== 0) throw new KernelBug("two lazy mms on one run queue", { mm });
      hart.shared.set(hart.rq + RQ_PREV_MM, mm);
    },

    unlazy(hart: Hart, mm: number, initMm: number): number {
      addMmCount(hart, initMm, 1);
      return mm;
    },

    finish(hart: Hart): number {
      const mm = hart.shared.get(hart.rq + RQ_PREV_MM);
      if (mm !== 0) hart.shared.set(hart.rq + RQ_PREV_MM, 0);
      return mm;
    },

    lastUser(): void {},

    lastRef(): void {},
  };
}
