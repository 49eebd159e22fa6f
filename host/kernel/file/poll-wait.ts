// Who polls. Every task in poll, select or epoll_wait sleeps on one queue, MACHINE_POLLERS, and looks at all its files
// again when it is woken: there are few of them, and a file then needs no list of its own. Whoever has made a file
// ready calls wakePollers, after it has let go of the file's lock.

import { MACHINE_BASE, MACHINE_POLLERS, WAITQ_HEAD, WAITQ_LOCK } from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { waitqAdd, wakeUpAll } from "../sched/wait.ts";

const POLLERS = MACHINE_BASE + MACHINE_POLLERS;

/**
 * Some file has become ready. Cheap when nobody polls. The unlock of the file's lock was a full barrier, and so is
 * joinPollers: either the poller's scan sees the file, or this look sees the poller.
 */
export function wakePollers(hart: Hart): void {
  if (hart.shared.loadOnce(POLLERS + WAITQ_HEAD) === 0) return;
  wakeUpAll(hart, POLLERS);
}

/** The current task joins the queue: before its last look at the files. finishWait takes it off again. */
export function joinPollers(hart: Hart): void {
  spinLock(hart, POLLERS + WAITQ_LOCK);
  waitqAdd(hart, POLLERS);
  spinUnlock(hart, POLLERS + WAITQ_LOCK);
}
