// hybrid: as little as the mm needs. One thread: the own TLB, after the harts that still borrow the mm were told to
// stop; few harts: interrupts; many: a broadcast. (powerpc radix's flush types; AMD broadcasts from three harts on.)

import {
  COUNTER_TLB_REMOTE_FLUSH,
  IPI_FLUSH_LAST,
  IPI_UNLAZY,
  MM_CPUMASK,
  MM_TLB_GEN,
  MM_USERS,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { cpumaskCopyOthers, maskCount } from "../../memory/cpumask.ts";
import { sendIpi } from "../../memory/ipi.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import { flushByBroadcast } from "./broadcast.ts";
import { flushOp } from "./common.ts";
import { flushByGeneration, ipiMask } from "./ipi-mask.ts";

/** Other harts from which on a broadcast is cheaper than interrupts. */
const BROADCAST_HARTS_MIN = 3;

export const hybrid: TlbFlush = {
  ...ipiMask,
  name: "hybrid",

  flush(hart: Hart, mm: number, vpn: number, pages: number, freedTables: boolean): void {
    const { shared } = hart;
    const op = flushOp(hart, mm);
    // The last flush of a dying mm has to run code where the mm is borrowed.
    if (op !== IPI_FLUSH_LAST && cpumaskCopyOthers(hart, mm + MM_CPUMASK, hart.flushMask)) {
      if (shared.loadAcquire(mm + MM_USERS) === 1 && shared.get(hart.current + TASK_MM) === mm) {
        trim(hart, mm);
      } else if (maskCount(hart.flushMask) >= BROADCAST_HARTS_MIN) {
        shared.fetchAdd(mm + MM_TLB_GEN, 1); // for those that switch to it just now
        hart.count(COUNTER_TLB_REMOTE_FLUSH);
        flushByBroadcast(hart, vpn, pages, freedTables);
        return;
      }
    }
    flushByGeneration(hart, mm, vpn, pages, freedTables, op);
  },
};

/** Only the caller uses the mm: the others in the mask borrow it, and need not any more. They leave the mask too. */
function trim(hart: Hart, mm: number): void {
  sendIpi(hart, hart.flushMask, IPI_UNLAZY, mm);
}
