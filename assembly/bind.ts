// An instance and its hart: binding, starting afresh, and switching tasks.

import { bindDecode } from "./decode.ts";
import { setFflags, setFrm } from "./float/status.ts";
import { startAt } from "./execute/position.ts";
import { hart, setHart } from "./hart.ts";
import { CONTEXT_BYTES } from "./layout.ts";
import { clearReservation } from "./mmu/atomic.ts";
import { bindTlb } from "./mmu/tlb.ts";

/** Once per instance: from now on it is the hart whose block lies at that address. */
export function bind(hartAddress: usize): void {
  setHart(hartAddress);
  reset();
}

/** Puts every module global back to its state after bind(), and empties TLB and decode cache. */
export function reset(): void {
  bindDecode(); // before the TLB: that asks which frames are decoded
  bindTlb();
  clearReservation();
  startAt(0, 0);
  setFflags(0);
  setFrm(0);
}

/** Hart's registers to the task that leaves it. */
export function saveContext(task: usize): void {
  memory.copy(task, hart, CONTEXT_BYTES);
  clearReservation();
}

/** Task's registers to the hart that it is to run on. */
export function restoreContext(task: usize): void {
  memory.copy(hart, task, CONTEXT_BYTES);
  clearReservation();
}
