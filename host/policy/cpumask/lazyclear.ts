// lazyclear: as sticky, but the first flush that reaches a hart for nothing takes it out. (Linux x86 since 6.14.)

import { MM_CPUMASK } from "../../../assembly/layout.ts";
import { cpumaskClear, cpumaskSet } from "../../memory/cpumask.ts";
import type { Hart } from "../hart.ts";
import type { Cpumask } from "../seams.ts";

export const lazyclear: Cpumask = {
  name: "lazyclear",
  leavesEarly: false,

  enter(hart: Hart, mm: number): void {
    cpumaskSet(hart, mm + MM_CPUMASK, hart.id);
  },

  leave(): void {},

  // Only this hart sets its bit, and it is in the handler: the bit cannot come back in between.
  useless(hart: Hart, mm: number): void {
    cpumaskClear(hart, mm + MM_CPUMASK, hart.id);
  },
};
