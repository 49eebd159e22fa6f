// exact: a hart is in the set while the mm is loaded. Two atomic updates per switch between mms.

import { MM_CPUMASK } from "../../../assembly/layout.ts";
import { cpumaskClear, cpumaskSet } from "../../memory/cpumask.ts";
import type { Hart } from "../hart.ts";
import type { Cpumask } from "../seams.ts";

export const exact: Cpumask = {
  name: "exact",
  leavesEarly: false,

  enter(hart: Hart, mm: number): void {
    cpumaskSet(hart, mm + MM_CPUMASK, hart.id);
  },

  leave(hart: Hart, mm: number): void {
    cpumaskClear(hart, mm + MM_CPUMASK, hart.id);
  },

  useless(): void {},
};
