// sticky: a hart that ever loaded the mm stays in the set. Nothing to do at the switch away, more IPIs than needed.

import { MM_CPUMASK } from "../../../assembly/layout.ts";
import { cpumaskSet } from "../../memory/cpumask.ts";
import type { Hart } from "../hart.ts";
import type { Cpumask } from "../seams.ts";

export const sticky: Cpumask = {
  name: "sticky",
  leavesEarly: false,

  enter(hart: Hart, mm: number): void {
    // A full barrier even if the bit is there.
    cpumaskSet(hart, mm + MM_CPUMASK, hart.id);
  },

  leave(): void {},

  useless(): void {},
};
