// What a timer does when its time has come, by its kind. In a read section, without a lock: the timer is off its list,
// and who owns it may have changed his mind meanwhile.

import {
  KTIMER_FD,
  KTIMER_KIND,
  KTIMER_POSIX,
  KTIMER_REAL,
  KTIMER_TASK,
  PROCESS_BASE,
  PSIG_BASE,
  PSIG_PROCESS_SHIFT,
  PSIG_REAL_TIMER,
  TASK_TIMER,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakeTask } from "../sched/wake.ts";
import { realTimerExpired } from "./itimer.ts";
import { posixTimerExpired } from "./posix-timer.ts";
import { timerfdExpired } from "./timerfd.ts";

export function timerExpired(hart: Hart, timer: number): void {
  const kind = hart.shared.get(timer + KTIMER_KIND);
  switch (kind) {
    case KTIMER_TASK:
      wakeTask(hart, timer - TASK_TIMER); // the restarted call sees that its deadline has passed
      return;
    case KTIMER_REAL:
      realTimerExpired(hart, PROCESS_BASE + ((timer - PSIG_REAL_TIMER - PSIG_BASE) << PSIG_PROCESS_SHIFT));
      return;
    case KTIMER_POSIX:
      posixTimerExpired(hart, timer);
      return;
    case KTIMER_FD:
      timerfdExpired(hart, timer);
      return;
    default:
      throw new KernelBug("timer of no known kind", { timer, kind });
  }
}
