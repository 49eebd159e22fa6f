// Vmas and nodes of the vma map come from pools of fixed size and return to them only after a grace period. A guest
// that maps and unmaps faster than grace periods end must wait for one, not see ENOMEM.

import { POOL_BASE, POOL_BYTES, POOL_LIMIT, POOL_LIVE, POOL_VMA, POOL_VMA_NODE } from "../../../assembly/layout.ts";
import { rcuBarrier, rcuPending, synchronizeRcu } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";

/** Below this share of free records a call that changes vmas first waits. */
const FREE_SHARE = 1 / 8;

/** Called by such calls before they take mmap_lock. Hart-wait when a pool is nearly empty: no lock held. */
export function relieveVmaPools(hart: Hart): void {
  if (!isLow(hart, POOL_VMA) && !isLow(hart, POOL_VMA_NODE)) return;
  // Its own garbage, or that of the others, which they free when they next look.
  if (rcuPending(hart)) rcuBarrier(hart, hart.rcuCallbacks);
  else synchronizeRcu(hart);
}

function isLow(hart: Hart, pool: number): boolean {
  const descriptor = POOL_BASE + pool * POOL_BYTES;
  const limit = hart.shared.get(descriptor + POOL_LIMIT);
  return limit - hart.shared.loadOnce(descriptor + POOL_LIVE) < limit * FREE_SHARE;
}
