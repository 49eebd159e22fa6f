// A temporary mm: the hart walks another root for a moment, interrupts off, and nobody else ever does. Clients are
// text_poke, which writes kernel text through an alias of its own, and calls into firmware, which wants a map that the
// kernel does not have. (Linux: use_temporary_mm, efi_mm, text_poke in arch/x86)
//
// While it is loaded, the hart is in the cpumask of no other mm: neither a flush nor a look for borrowers finds it. So
// it must not stand on a borrowed mm: that would die meanwhile, and be loaded again afterwards. A hart that borrows
// goes to init_mm first, which never dies, and comes back to that.

import {
  COUNTER_TEMP_MM_ENTER,
  HART_LOADED_MM,
  HART_TEMP_MM_DEPTH,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { A_M9, F_M3, F_M4, MUTATIONS } from "../../memory/mutation.ts";
import { activeMm, leaveMm, loadMm } from "../../mm/context.ts";
import { unlazyMm } from "../../mm/lazy.ts";
import type { Hart } from "../../policy/hart.ts";

/** Loads `temporary` with interrupts off; returns what leaveTemporaryMm needs. No waiting, no flush in between. */
export function useTemporaryMm(hart: Hart, temporary: number): number {
  if (hart.get(HART_TEMP_MM_DEPTH) !== 0) throw new KernelBug("temporary mm inside a temporary mm", { temporary });
  const active = activeMm(hart);
  const borrows = hart.shared.get(hart.current + TASK_MM) === 0;
  const initMm = hart.shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  hart.interruptsOff();
  hart.set(HART_TEMP_MM_DEPTH, 1);
  const before = hart.get(HART_LOADED_MM);
  if (borrows && active !== initMm && !(MUTATIONS && hart.mutation === A_M9)) unlazyMm(hart, active);
  const previous = hart.get(HART_LOADED_MM);
  loadMm(hart, temporary);
  leaveMm(hart, previous);
  hart.count(COUNTER_TEMP_MM_ENTER);
  return MUTATIONS && hart.mutation === F_M3 ? before : previous;
}

/** Loads what was loaded before. The alias of the temporary mm is in no TLB afterwards. */
export function leaveTemporaryMm(hart: Hart, temporary: number, previous: number): void {
  loadMm(hart, previous);
  leaveMm(hart, temporary);
  // A policy with ASIDs would keep what the temporary mm has left; others have flushed with the load.
  if (!(MUTATIONS && hart.mutation === F_M4)) hart.core.flushAll();
  hart.set(HART_TEMP_MM_DEPTH, 0);
  hart.interruptsOn();
}
