// early_clear: the defect of an architecture that leaves a borrowed mm behind the scheduler's back, to be spared flush
// IPIs while idle, and takes its hart out of the set, while active_mm still names the mm. Whoever looks for borrowers
// by the set misses this hart. (What "mm_cpumask is not reliable" is about; x86's leave_mm.)

import { MM_CPUMASK } from "../../../assembly/layout.ts";
import { cpumaskClear, cpumaskSet } from "../../memory/cpumask.ts";
import type { Hart } from "../hart.ts";
import type { Cpumask } from "../seams.ts";

export const earlyClear: Cpumask = {
  name: "early_clear",
  leavesEarly: true,

  enter(hart: Hart, mm: number): void {
    cpumaskSet(hart, mm + MM_CPUMASK, hart.id);
  },

  leave(hart: Hart, mm: number): void {
    cpumaskClear(hart, mm + MM_CPUMASK, hart.id);
  },

  useless(): void {},
};
