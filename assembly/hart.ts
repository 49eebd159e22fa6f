// Which hart this instance is, and how it starts afresh. Module globals are private to the instance, and so to the
// hart.

import { bindDecode } from "./decode.ts";
import { startAt } from "./execute/position.ts";
import { setFflags, setFrm } from "./float/status.ts";
import { clearReservation } from "./mmu/atomic.ts";
import { bindTlb } from "./mmu/tlb.ts";

export let hart: usize = 0; // address of this hart's block, set once by bind()

/** Once per instance: from now on it is the hart whose block lies at that address. */
export function bind(hartAddress: usize): void {
  hart = hartAddress;
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
