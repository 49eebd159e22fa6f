// The context switch: which mm is loaded, who borrows it, and who is current. The frame is Linux's context_switch()
// (kernel/sched/core.c): the lazy-tlb policy is asked when a task without user memory takes over a loaded mm, and when
// it hands it back.

import {
  COUNTER_LAZY_EXIT_SAME,
  COUNTER_LAZY_EXIT_SWITCH,
  HART_CURRENT,
  HART_LOADED_MM,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MM_MEMBARRIER,
  PF_IDLE,
  PF_KTHREAD,
  PF_RSEQ,
  RQ_LOCK,
  TASK_DEAD,
  TASK_FLAGS,
  TASK_MM,
  TASK_RSEQ_BYTES,
  TASK_STATE,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { A_M8, A_M11, F_M1, F_M2, MUTATIONS } from "../../memory/mutation.ts";
import { rcuQuiescent } from "../../memory/rcu.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { activeMm, enterLazy, leaveMm, loadMm, setActiveMm } from "../../mm/context.ts";
import { unlazyMm } from "../../mm/lazy.ts";
import { mmdrop } from "../../mm/mm.ts";
import { flushRss } from "../../mm/rss.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishDeadTask } from "../process/exit.ts";
import { afterSwitch, chooseNextLocked, leaveHartLocked, startSlice } from "./sched.ts";

/** Gives the hart to the next runnable task, or to the idle task. No lock held, no read section open. */
export function schedule(hart: Hart): void {
  const { shared, rq } = hart;
  const previous = hart.current;
  const dead = shared.loadAcquire(previous + TASK_STATE) === TASK_DEAD;
  if (hart.inAtomicContext()) throw new KernelBug("scheduling while atomic", { task: previous });
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
  beginSwitch(hart, previous, next);
  const target = leaveHartLocked(hart, previous, next);
  endSwitch(hart, previous, next);
  spinUnlock(hart, rq + RQ_LOCK);
  if (hasUserContext(hart, next)) hart.core.restoreContext(next);
  if (shared.get(next + TASK_RSEQ_BYTES) !== 0) {
    shared.set(next + TASK_FLAGS, shared.get(next + TASK_FLAGS) | PF_RSEQ);
  }
  afterSwitch(hart, previous, target);
  finishLazy(hart);
  if (dead) finishDeadTask(hart, previous);
}

/** Up to the store of rq.curr, with interrupts off. The run queue's lock, a full barrier, has been taken. */
export function beginSwitch(hart: Hart, previous: number, next: number): void {
  hart.interruptsOff();
  switchActiveMm(hart, previous, next);
  if (MUTATIONS && hart.mutation === F_M2) orderForMembarrier(hart, previous, next);
}

/** From the store of rq.curr on. */
export function endSwitch(hart: Hart, previous: number, next: number): void {
  if (!(MUTATIONS && hart.mutation === F_M2)) orderForMembarrier(hart, previous, next);
  hart.interruptsOn();
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
  hart.interruptsOff();
  enterLazy(hart, current, mm);
  shared.storeRelease(current + TASK_MM, 0);
  hart.interruptsOn();
  return mm;
}

/**
 * The current task goes on with `next`, of which the caller has a user for it; returns the mm that it had, whose
 * mm_users the caller drops, or 0. (Linux: exec_mmap)
 */
export function execMmap(hart: Hart, next: number): number {
  const { shared, current } = hart;
  const old = shared.get(current + TASK_MM);
  flushRss(hart);
  hart.interruptsOff();
  const active = activeMm(hart);
  const loaded = hart.get(HART_LOADED_MM);
  if (old === 0) hart.policies.lazyTlb.resume(hart);
  loadMm(hart, next);
  shared.storeRelease(current + TASK_MM, next);
  setActiveMm(hart, current, next);
  leaveMm(hart, loaded);
  if (old === 0) hart.policies.lazyTlb.put(hart, active);
  hart.interruptsOn();
  finishLazy(hart);
  return old;
}

/** The hart leaves the machine: whatever mm it borrows goes back, so that nothing stays allocated. */
export function releaseBorrowedMm(hart: Hart): void {
  const { shared, current } = hart;
  const active = current === 0 ? 0 : activeMm(hart);
  const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  if (active === 0 || shared.get(current + TASK_MM) !== 0) return;
  hart.interruptsOff();
  if (active !== initMm) unlazyMm(hart, active);
  hart.policies.lazyTlb.put(hart, initMm);
  hart.interruptsOn();
  finishLazy(hart);
}

/** After the switch: the reference that the lazy-tlb policy has left over goes. Interrupts are on. */
export function finishLazy(hart: Hart): void {
  const borrowed = hart.policies.lazyTlb.finish(hart);
  if (borrowed !== 0) mmdrop(hart, borrowed);
}

export function switchActiveMm(hart: Hart, previous: number, next: number): void {
  const { shared } = hart;
  hart.interruptsOff();
  const active = activeMm(hart);
  const previousMm = shared.get(previous + TASK_MM);
  const nextMm = shared.get(next + TASK_MM);
  if (nextMm !== 0) {
    if (previousMm === 0) returnToUser(hart, previous, next, active, nextMm);
    else if (active !== nextMm) switchUser(hart, active, nextMm);
    setActiveMm(hart, next, nextMm);
  } else if (previousMm !== 0) {
    enterLazy(hart, next, active);
  } else {
    setActiveMm(hart, next, active); // kernel to kernel: handed over, not counted anew
    setActiveMm(hart, previous, 0);
  }
  hart.interruptsOn();
}

function switchUser(hart: Hart, previousMm: number, nextMm: number): void {
  loadMm(hart, nextMm);
  leaveMm(hart, previousMm);
}

/** `previous` has borrowed `borrowed`, which may be the mm of `next`. */
function returnToUser(hart: Hart, previous: number, next: number, borrowed: number, nextMm: number): void {
  const { lazyTlb, tlbFlush } = hart.policies;
  const loaded = hart.get(HART_LOADED_MM);
  hart.count(borrowed === nextMm ? COUNTER_LAZY_EXIT_SAME : COUNTER_LAZY_EXIT_SWITCH);
  const putEarly = MUTATIONS && (hart.mutation === A_M8 || hart.mutation === A_M11);
  if (putEarly) lazyTlb.put(hart, borrowed);
  lazyTlb.resume(hart);
  if (loaded !== nextMm) loadMm(hart, nextMm);
  else if (lazyTlb.skipsFlush) tlbFlush.catchUp(hart, nextMm);
  setActiveMm(hart, next, nextMm);
  setActiveMm(hart, previous, 0);
  // The cpumask bit goes when neither satp nor active_mm names the mm, and while the policy still keeps it alive.
  if (loaded !== nextMm) leaveMm(hart, loaded);
  if (!putEarly) lazyTlb.put(hart, borrowed);
}

/**
 * membarrier(2) looks at rq.curr: whoever it does not interrupt must have a full barrier between the store of rq.curr
 * and user code. Some lazy-tlb policies have one in finish(), as Linux has one in mmdrop.
 */
function orderForMembarrier(hart: Hart, previous: number, next: number): void {
  const { shared } = hart;
  const nextMm = shared.get(next + TASK_MM);
  if (nextMm === 0 || shared.get(previous + TASK_MM) === nextMm) return;
  if (hart.policies.lazyTlb.finishIsBarrier || shared.loadOnce(nextMm + MM_MEMBARRIER) === 0) return;
  if (MUTATIONS && hart.mutation === F_M1) return;
  shared.barrier(hart.base + HART_CURRENT);
}
