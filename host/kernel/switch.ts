// The context switch: which mm is loaded, who borrows it, and who is current. The frame is Linux's context_switch()
// (kernel/sched/core.c): the lazy-tlb policy is asked when a task without user memory takes over a loaded mm, and when
// it hands it back.

import {
  COUNTER_LAZY_ENTER,
  COUNTER_LAZY_EXIT_SAME,
  COUNTER_LAZY_EXIT_SWITCH,
  HART_IRQ_OFF_DEPTH,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  PF_IDLE,
  PF_KTHREAD,
  RQ_LOCK,
  TASK_ACTIVE_MM,
  TASK_DEAD,
  TASK_FLAGS,
  TASK_MM,
  TASK_STATE,
} from "../../assembly/layout.ts";
import { rcuQuiescent } from "../memory/rcu.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { switchMm } from "../mm/context.ts";
import { mmdrop } from "../mm/mm.ts";
import { flushRss } from "../mm/rss.ts";
import type { Hart } from "../policy/hart.ts";
import { finishDeadTask } from "./exit.ts";
import { afterSwitch, chooseNextLocked, leaveHartLocked, startSlice } from "./sched.ts";

/** Gives the hart to the next runnable task, or to the idle task. No lock held, no read section open. */
export function schedule(hart: Hart): void {
  const { shared, rq } = hart;
  const previous = hart.current;
  const dead = shared.loadAcquire(previous + TASK_STATE) === TASK_DEAD;
  flushRss(hart);
  rcuQuiescent(hart);
  spinLock(hart, rq + RQ_LOCK);
  const next = chooseNextLocked(hart);
  if (next === previous) {
    spinUnlock(hart, rq + RQ_LOCK);
    startSlice(hart);
    return;
  }
  if (hasUserContext(hart, previous)) hart.core.saveContext(previous);
  switchActiveMm(hart, previous, next);
  const target = leaveHartLocked(hart, previous, next);
  spinUnlock(hart, rq + RQ_LOCK);
  if (hasUserContext(hart, next)) hart.core.restoreContext(next);
  afterSwitch(hart, previous, target);
  const borrowed = hart.policies.lazyTlb.finish(hart);
  if (borrowed !== 0) mmdrop(hart, borrowed);
  if (dead) finishDeadTask(hart, previous);
}

function hasUserContext(hart: Hart, task: number): boolean {
  return (hart.shared.get(task + TASK_FLAGS) & (PF_IDLE | PF_KTHREAD)) === 0;
}

/** The current task gives up its mm and lives on as a borrower; returns the mm, whose mm_users the caller drops. */
export function exitMm(hart: Hart): number {
  const { shared, current } = hart;
  const mm = shared.get(current + TASK_MM);
  if (mm === 0) return 0;
  flushRss(hart); // whoever drops the last user frees the mm
  hart.policies.lazyTlb.grab(hart, mm);
  hart.count(COUNTER_LAZY_ENTER);
  shared.storeRelease(current + TASK_MM, 0);
  return mm;
}

/** The hart leaves the machine: whatever mm it borrows goes back, so that nothing stays allocated. */
export function releaseBorrowedMm(hart: Hart): void {
  const { shared, current } = hart;
  const active = current === 0 ? 0 : shared.get(current + TASK_ACTIVE_MM);
  const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  if (active === 0 || active === initMm || shared.get(current + TASK_MM) !== 0) return;
  switchMm(hart, active, initMm);
  shared.set(current + TASK_ACTIVE_MM, 0);
  hart.policies.lazyTlb.put(hart, active);
  const borrowed = hart.policies.lazyTlb.finish(hart);
  if (borrowed !== 0) mmdrop(hart, borrowed);
}

/** The frame alone, for the explorer's scenarios as well: `next` is not yet current. Requires: nothing of RQ_LOCK. */
export function switchActiveMm(hart: Hart, previous: number, next: number): void {
  const { shared, policies } = hart;
  const active = shared.get(previous + TASK_ACTIVE_MM);
  const previousMm = shared.get(previous + TASK_MM);
  const nextMm = shared.get(next + TASK_MM);
  hart.set(HART_IRQ_OFF_DEPTH, hart.get(HART_IRQ_OFF_DEPTH) + 1);
  if (nextMm === 0) {
    shared.set(next + TASK_ACTIVE_MM, active);
    if (previousMm !== 0) {
      policies.lazyTlb.grab(hart, active);
      hart.count(COUNTER_LAZY_ENTER);
    } else {
      shared.set(previous + TASK_ACTIVE_MM, 0); // kernel to kernel: handed over, not counted anew
    }
  } else {
    if (previousMm === 0) hart.count(active === nextMm ? COUNTER_LAZY_EXIT_SAME : COUNTER_LAZY_EXIT_SWITCH);
    if (active !== nextMm) switchMm(hart, active, nextMm);
    shared.set(next + TASK_ACTIVE_MM, nextMm);
    if (previousMm === 0) {
      policies.lazyTlb.put(hart, active);
      shared.set(previous + TASK_ACTIVE_MM, 0);
    }
  }
  hart.set(HART_IRQ_OFF_DEPTH, hart.get(HART_IRQ_OFF_DEPTH) - 1);
}
