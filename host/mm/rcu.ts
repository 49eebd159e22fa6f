// What happens to mm objects after their grace period.

import {
  POOL_VMA_NODE,
  RCU_FREE_TABLE,
  RCU_FREE_VMA,
  RCU_FREE_VMA_NODE,
  VMA_NODE_RCU_HEAD,
} from "../../assembly/layout.ts";
import { poolFree } from "../memory/pool.ts";
import type { RcuCallback } from "../memory/rcu.ts";
import { freeTableCallback } from "./page-table.ts";
import { vmaFreeCallback } from "./vma.ts";

export const mmRcuCallbacks: readonly (RcuCallback | undefined)[] = table();

function table(): (RcuCallback | undefined)[] {
  const callbacks: (RcuCallback | undefined)[] = [];
  callbacks[RCU_FREE_VMA_NODE] = (hart, head) => poolFree(hart, POOL_VMA_NODE, head - VMA_NODE_RCU_HEAD);
  callbacks[RCU_FREE_VMA] = vmaFreeCallback;
  callbacks[RCU_FREE_TABLE] = freeTableCallback;
  return callbacks;
}
