// What happens to an object when its grace period is over, by kind (RCU_*).

import { POOL_TASK, POOL_TIMER, RCU_FREE_POOL } from "../../assembly/layout.ts";
import type { RcuCallback } from "../memory/rcu.ts";
import { afterGracePeriod } from "../memory/slab.ts";
import { mmRcuCallbacks } from "../mm/rcu.ts";
import { putProcessOf } from "./process/task.ts";

export const rcuCallbacks: readonly (RcuCallback | undefined)[] = table();

function table(): (RcuCallback | undefined)[] {
  const callbacks = [...mmRcuCallbacks];
  callbacks[RCU_FREE_POOL + POOL_TASK] = afterGracePeriod(POOL_TASK, putProcessOf);
  callbacks[RCU_FREE_POOL + POOL_TIMER] = afterGracePeriod(POOL_TIMER);
  return callbacks;
}
