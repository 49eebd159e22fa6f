// refcount: the classic answer. Each borrower holds one mm_count reference; the switch away drops it afterwards.
// Two contended read-modify-writes per idle round trip, nothing to do at exit. (Linux: CONFIG_MMU_LAZY_TLB_REFCOUNT.)

import { COUNTER_MM_COUNT_ATOMICS, MM_COUNT, RQ_PREV_MM } from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { LazyTlb } from "../seams.ts";

export const refcount: LazyTlb = {
  name: "refcount",

  grab(hart: HartLocal, mm: number): void {
    hart.count(COUNTER_MM_COUNT_ATOMICS);
    hart.shared.fetchAdd(mm + MM_COUNT, 1);
  },

  put(hart: HartLocal, mm: number): void {
    if (hart.shared.get(hart.rq + RQ_PREV_MM) !== 0) throw new KernelBug("two lazy mms on one run queue", { mm });
    hart.shared.set(hart.rq + RQ_PREV_MM, mm);
  },

  finish(hart: HartLocal): number {
    const mm = hart.shared.get(hart.rq + RQ_PREV_MM);
    if (mm !== 0) {
      hart.count(COUNTER_MM_COUNT_ATOMICS);
      hart.shared.set(hart.rq + RQ_PREV_MM, 0);
    }
    return mm;
  },

  lastUser(): void {},

  lastRef(): void {},
};
