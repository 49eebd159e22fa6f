// What happens to an object when its grace period is over, by kind (RCU_*).

import { RCU_FREE_TASK, RCU_FREE_TIMER } from "../../assembly/layout.ts";
import type { RcuCallback } from "../memory/rcu.ts";
import { mmRcuCallbacks } from "../mm/rcu.ts";
import { freeTimerRcu } from "./posix-timer.ts";
import { freeTaskRcu } from "./task.ts";

export const rcuCallbacks: readonly (RcuCallback | undefined)[] = table();

function table(): (RcuCallback | undefined)[] {
  const callbacks = [...mmRcuCallbacks];
  callbacks[RCU_FREE_TASK] = freeTaskRcu;
  callbacks[RCU_FREE_TIMER] = freeTimerRcu;
  return callbacks;
}
