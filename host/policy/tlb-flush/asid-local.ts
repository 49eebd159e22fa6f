// asid-local: every hart numbers the few mms that it ran last, so that their translations survive a switch; a hart that
// is not in the mask is told nothing, and looks at tlb_gen when it comes back. (Linux x86: PCID, TLB_NR_DYN_ASIDS.)

import {
  ASID_BASE,
  ASID_SLOT_BYTES,
  ASID_SLOT_MM,
  ASID_SLOT_MM_GENERATION,
  ASID_SLOT_TLB_GEN,
  ASID_SLOTS,
  ASID_TABLE_BYTES,
  COUNTER_ASID_ROLLOVER,
  HART_ASID_NEXT,
  HART_LOADED_GEN,
  HART_SATP_ASID,
  MM_GENERATION,
  MM_TLB_GEN,
} from "../../../assembly/layout.ts";
import { B_M8, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import { ipiMask } from "./ipi-mask.ts";

export const asidLocal: TlbFlush = {
  ...ipiMask,
  name: "asid-local",

  switchTo(hart: Hart, next: number): void {
    const { shared } = hart;
    saveGeneration(hart);
    const asid = findAsid(hart, next);
    const slot = slotOf(hart, asid);
    const known = shared.get(slot + ASID_SLOT_MM) === next && isSameMm(hart, slot, next);
    // Read before the flush, and after the cpumask bit is set: what changes later is flushed by its own IPI.
    const generation = shared.loadAcquire(next + MM_TLB_GEN);
    const fresh = known && ((shared.get(slot + ASID_SLOT_TLB_GEN) - generation) | 0) >= 0;
    if (!known) {
      shared.set(slot + ASID_SLOT_MM, next);
      shared.set(slot + ASID_SLOT_MM_GENERATION, shared.get(next + MM_GENERATION));
    }
    hart.set(HART_SATP_ASID, asid);
    hart.core.loadSatp();
    if (!fresh && !(MUTATIONS && hart.mutation === B_M8 && !known)) hart.core.flushAsid(asid);
    hart.set(HART_LOADED_GEN, generation);
  },
};

/** How far the ASID that is loaded has been flushed: for when its mm comes back. */
function saveGeneration(hart: Hart): void {
  const asid = hart.get(HART_SATP_ASID);
  if (asid !== 0) hart.shared.set(slotOf(hart, asid) + ASID_SLOT_TLB_GEN, hart.get(HART_LOADED_GEN));
}

/** The ASID that the hart has given to `mm`, or the next in turn. */
function findAsid(hart: Hart, mm: number): number {
  for (let asid = 1; asid <= ASID_SLOTS; asid++) {
    if (hart.shared.get(slotOf(hart, asid) + ASID_SLOT_MM) === mm) return asid;
  }
  const next = (hart.get(HART_ASID_NEXT) % ASID_SLOTS) + 1;
  hart.set(HART_ASID_NEXT, next);
  if (next === 1) hart.count(COUNTER_ASID_ROLLOVER);
  return next;
}

function isSameMm(hart: Hart, slot: number, mm: number): boolean {
  return hart.shared.get(slot + ASID_SLOT_MM_GENERATION) === hart.shared.get(mm + MM_GENERATION);
}

function slotOf(hart: Hart, asid: number): number {
  return ASID_BASE + hart.id * ASID_TABLE_BYTES + (asid - 1) * ASID_SLOT_BYTES;
}
