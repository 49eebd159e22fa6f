// Policies with an observer on what they promise: rewritten into generators like all scenario code.

import { MM_ROOT_PFN } from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import type { Policies } from "../../policy/seams.ts";

/** The same policies; the observer hears when a flush has returned. */
export function watched(policies: Policies): Policies {
  const { tlbFlush } = policies;
  return {
    ...policies,
    tlbFlush: {
      ...tlbFlush,
      flush(hart: Hart, mm: number, vpn: number, pages: number, freedTables: boolean): void {
        tlbFlush.flush(hart, mm, vpn, pages, freedTables);
        hart.shared.observer?.flushEnds(hart.shared.i32[(mm + MM_ROOT_PFN) >>> 2], vpn, pages);
      },
    },
  };
}
