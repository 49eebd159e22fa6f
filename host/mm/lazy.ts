// A hart stops borrowing an mm: because it is told to, or because it is about to use another one. And what policies are
// handed of this layer.

import { HART_LOADED_MM, MACHINE_BASE, MACHINE_INIT_MM, TASK_MM } from "../../assembly/layout.ts";
import { A_M3, MUTATIONS } from "../memory/mutation.ts";
import type { Hart } from "../policy/hart.ts";
import type { MmFrame } from "../policy/seams.ts";
import { activeMm, leaveMm, loadMm, setActiveMm } from "./context.ts";
import { mmdrop } from "./mm.ts";
import { vmaFree, vmaFreeLater } from "./vma/vma.ts";
import { vmaWalk } from "./vma/vma-map.ts";

/**
 * If this hart borrows `mm`, it borrows init_mm from now on; true if it did. In an interrupt handler the sender holds a
 * reference of its own, so that the one given back here is never the last.
 */
export function unlazyMm(hart: Hart, mm: number): boolean {
  const { shared, current } = hart;
  const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  if (current === 0 || mm === initMm || activeMm(hart) !== mm || shared.get(current + TASK_MM) === mm) return false;
  hart.interruptsOff();
  if (hart.get(HART_LOADED_MM) !== initMm) loadMm(hart, initMm);
  if (!(MUTATIONS && hart.mutation === A_M3)) setActiveMm(hart, current, initMm);
  // Before the policy lets go: what keeps the mm alive must outlive the last touch of it.
  leaveMm(hart, mm);
  const reference = hart.policies.lazyTlb.unlazy(hart, mm, initMm);
  hart.interruptsOn();
  if (reference !== 0) mmdrop(hart, reference);
  return true;
}

export const mmFrame: MmFrame = {
  unlazyMm,
  dropMm: mmdrop,
  walkVmas: vmaWalk,
  freeVma: vmaFree,
  freeVmaLater: vmaFreeLater,
};
