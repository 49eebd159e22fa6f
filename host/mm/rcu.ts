// What happens to mm objects after their grace period.

import { POOL_VMA, POOL_VMA_NODE, RCU_FREE_POOL, RCU_FREE_TABLE } from "../../assembly/layout.ts";
import type { RcuCallback } from "../memory/rcu.ts";
import { afterGracePeriod } from "../memory/slab.ts";
import { freeTableCallback } from "./table/page-table.ts";
import { vmaPutLock } from "./vma/vma.ts";

export const mmRcuCallbacks: readonly (RcuCallback | undefined)[] = table();

function table(): (RcuCallback | undefined)[] {
  const callbacks: (RcuCallback | undefined)[] = [];
  callbacks[RCU_FREE_POOL + POOL_VMA_NODE] = afterGracePeriod(POOL_VMA_NODE);
  callbacks[RCU_FREE_POOL + POOL_VMA] = afterGracePeriod(POOL_VMA, vmaPutLock);
  callbacks[RCU_FREE_TABLE] = freeTableCallback;
  return callbacks;
}
