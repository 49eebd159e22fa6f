// The mask of blocked signals of the current task, and whether anything pending gets past it. Only the task itself
// changes its mask, under SIGHAND_LOCK, so that a sender sees either the old or the new one.

import {
  PROCESS_PENDING_HI,
  PROCESS_PENDING_LO,
  PROCESS_THREADS,
  SIGHAND_LOCK,
  TASK_PENDING_HI,
  TASK_PENDING_LO,
  TASK_PROCESS,
  TASK_SAVED_MASK,
  TASK_SAVED_MASK_HI,
  TASK_SAVED_MASK_LO,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
  TASK_SIGNAL_PENDING,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { notifyTaskLocked } from "./notify.ts";
import { SIGKILL, SIGSTOP } from "./signal-numbers.ts";

/** SIGKILL and SIGSTOP can be neither blocked nor handled. Both are in the low word. */
export const UNBLOCKABLE_LO = (1 << (SIGKILL - 1)) | (1 << (SIGSTOP - 1));

/** set_current_blocked: takes the locks itself. */
export function setBlocked(hart: Hart, lo: number, hi: number): void {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  const process = shared.get(current + TASK_PROCESS);
  const newLo = lo & ~UNBLOCKABLE_LO;
  spinLock(hart, sighand + SIGHAND_LOCK);
  const blockedLo = newLo & ~shared.get(current + TASK_SIGMASK_LO) & shared.get(process + PROCESS_PENDING_LO);
  const blockedHi = hi & ~shared.get(current + TASK_SIGMASK_HI) & shared.get(process + PROCESS_PENDING_HI);
  shared.storeOnce(current + TASK_SIGMASK_LO, newLo);
  shared.storeOnce(current + TASK_SIGMASK_HI, hi);
  noticePendingLocked(hart);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  // A signal to the process of which only this thread was told: another one must take it now.
  if ((blockedLo | blockedHi) !== 0) retargetSignals(hart, process, blockedLo, blockedHi);
}

/** The mask that a call replaced while it waited comes back. (restore_saved_sigmask) */
export function restoreSavedMask(hart: Hart): void {
  const { shared, current } = hart;
  if (shared.get(current + TASK_SAVED_MASK) === 0) return;
  shared.set(current + TASK_SAVED_MASK, 0);
  setBlocked(hart, shared.get(current + TASK_SAVED_MASK_LO), shared.get(current + TASK_SAVED_MASK_HI));
}

/** The current call waits with another mask; the delivery of a signal, or restoreSavedMask, undoes it. */
export function setTemporaryMask(hart: Hart, lo: number, hi: number): void {
  const { shared, current } = hart;
  shared.set(current + TASK_SAVED_MASK_LO, shared.get(current + TASK_SIGMASK_LO));
  shared.set(current + TASK_SAVED_MASK_HI, shared.get(current + TASK_SIGMASK_HI));
  shared.set(current + TASK_SAVED_MASK, 1);
  setBlocked(hart, lo, hi);
}

/** recalc_sigpending: the current task looks at its signals if one gets past its mask. Requires: SIGHAND_LOCK. */
export function noticePendingLocked(hart: Hart): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  const lo = shared.get(current + TASK_PENDING_LO) | shared.get(process + PROCESS_PENDING_LO);
  const hi = shared.get(current + TASK_PENDING_HI) | shared.get(process + PROCESS_PENDING_HI);
  const open = (lo & ~shared.get(current + TASK_SIGMASK_LO)) | (hi & ~shared.get(current + TASK_SIGMASK_HI));
  if (open !== 0) shared.storeRelease(current + TASK_SIGNAL_PENDING, 1);
}

/** Makes those threads look at the shared signals `lo`, `hi` that do not block them. (retarget_shared_pending) */
function retargetSignals(hart: Hart, process: number, lo: number, hi: number): void {
  spinLock(hart, TASKLIST_LOCK);
  retargetSignalsLocked(hart, process, lo, hi);
  spinUnlock(hart, TASKLIST_LOCK);
}

/** Requires: TASKLIST_LOCK. */
export function retargetSignalsLocked(hart: Hart, process: number, lo: number, hi: number): void {
  const { shared, current } = hart;
  if ((lo | hi) === 0) return;
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    if (task === current) continue;
    const open = (lo & ~shared.loadOnce(task + TASK_SIGMASK_LO)) | (hi & ~shared.loadOnce(task + TASK_SIGMASK_HI));
    if (open !== 0) notifyTaskLocked(hart, task);
  }
}
