// The way into a handler and out of it again.

import { TASK_RUNNING, TASK_UNINTERRUPTIBLE } from "../../../assembly/layout.ts";
import { UserFaultWait } from "../../memory/errors.ts";
import type { Hart } from "../../policy/hart.ts";
import { WAIT } from "../sched/wait.ts";
import type { Handler } from "./types.ts";

/** Calls `handler`, whose user copies may find that the task must wait for userfaultfd: the call is then made again. */
export function enter(hart: Hart, handler: Handler): number {
  hart.userFaultState = TASK_UNINTERRUPTIBLE;
  try {
    return handler(hart);
  } catch (error) {
    if (error !== UserFaultWait.thrown) throw error;
    return WAIT;
  } finally {
    hart.userFaultState = TASK_RUNNING;
  }
}
