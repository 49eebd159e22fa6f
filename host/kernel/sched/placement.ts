// Where a runnable task goes: to an idle hart if it may run there, else to the hart it ran on last. Idle harts are
// told.
//
// A task on its way from one queue to another is on none, and no lock is held: TASK_HART names the one where it will
// arrive, and there the queue's lock decides whether it still may (sched_setaffinity takes that lock too).

import {
  CPUMASK_WORDS,
  DOORBELL_RESCHED,
  HART_NEED_RESCHED,
  MACHINE_BASE,
  MACHINE_IDLE_MASK,
  MACHINE_OFFLINE_WANTED,
  MACHINE_ONLINE_MASK,
  PF_KSWAPD,
  RQ_HEAD,
  RQ_LOCK,
  TASK_CPUS_ALLOWED,
  TASK_FLAGS,
  TASK_HART,
  TASK_RQ_NEXT,
} from "../../../assembly/layout.ts";
import { cpumaskTest } from "../../memory/cpumask.ts";
import { rqOf } from "../../memory/hart-local.ts";
import { ringDoorbell } from "../../memory/ipi.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { enqueueWoken, isAllowed } from "./run-queue.ts";

const IDLE_MASK = MACHINE_BASE + MACHINE_IDLE_MASK;
const ONLINE_MASK = MACHINE_BASE + MACHINE_ONLINE_MASK;
const OFFLINE_WANTED = MACHINE_BASE + MACHINE_OFFLINE_WANTED;

/**
 * An idle hart that may run it, the one it ran on last if possible; else that one, but for kswapd the hart that asks,
 * which is the one that uses up memory. Else the first it may use.
 */
export function selectHart(hart: Hart, task: number, home: number): number {
  const homeAllowed = isAllowed(hart, task, home);
  if (homeAllowed && (hart.shared.loadOnce(IDLE_MASK + (home >>> 5) * 4) & (1 << (home & 31))) !== 0) return home;
  const idle = idleHartFor(hart, task);
  if (idle >= 0) return idle;
  const isKswapd = (hart.shared.loadOnce(task + TASK_FLAGS) & PF_KSWAPD) !== 0;
  if (isKswapd && isAllowed(hart, task, hart.id) && !cpumaskTest(hart, OFFLINE_WANTED, hart.id)) return hart.id;
  if (homeAllowed && (onlineHarts(hart, home >>> 5) & (1 << (home & 31))) !== 0) return home;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const allowed = hart.shared.get(task + TASK_CPUS_ALLOWED + word * 4) & onlineHarts(hart, word);
    if (allowed !== 0) return firstHart(word, allowed);
  }
  return home;
}

/** The first idle hart that may run `task`, or -1. */
function idleHartFor(hart: Hart, task: number): number {
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const idle = hart.shared.get(task + TASK_CPUS_ALLOWED + word * 4) & hart.shared.loadOnce(IDLE_MASK + word * 4);
    if (idle !== 0) return firstHart(word, idle);
  }
  return -1;
}

/** Those of a word of the mask that take tasks: not the harts that leave (hotplug.ts). */
function onlineHarts(hart: Hart, word: number): number {
  return hart.shared.loadOnce(ONLINE_MASK + word * 4) & ~hart.shared.loadOnce(OFFLINE_WANTED + word * 4);
}

function firstHart(word: number, bits: number): number {
  return word * 32 + (31 - Math.clz32(bits & -bits));
}

/**
 * Puts a runnable task that is on no queue (its TASK_HART says `target`) on that hart's queue, or if it may no longer
 * run there, on another one. Returns whose queue it is on now.
 */
export function enqueueOn(hart: Hart, target: number, task: number): number {
  for (let at = target; ; ) {
    const rq = rqOf(at);
    spinLock(hart, rq + RQ_LOCK);
    const next = isAllowed(hart, task, at) ? at : selectHart(hart, task, at);
    if (next === at) enqueueWoken(hart, rq, task);
    else hart.shared.storeRelease(task + TASK_HART, next);
    spinUnlock(hart, rq + RQ_LOCK);
    if (next === at) return at;
    at = next;
  }
}

/** Tells an idle hart that its queue has work. A busy one finds it at the end of the slice. */
export function kick(hart: Hart, target: number): void {
  const idle = (hart.shared.loadOnce(IDLE_MASK + (target >>> 5) * 4) & (1 << (target & 31))) !== 0;
  if (target === hart.id) {
    if (idle) hart.set(HART_NEED_RESCHED, 1);
  } else if (idle) {
    ringDoorbell(hart, target, DOORBELL_RESCHED);
  }
}

/** Lets an idle hart steal a task of this hart's queue, if one may run there. */
export function kickIdle(hart: Hart): void {
  const { shared, rq } = hart;
  if (!isAnyIdle(hart)) return;
  let target = -1;
  spinLock(hart, rq + RQ_LOCK);
  for (let task = shared.get(rq + RQ_HEAD); task !== 0 && target < 0; task = shared.get(task + TASK_RQ_NEXT)) {
    target = idleHartFor(hart, task);
  }
  spinUnlock(hart, rq + RQ_LOCK);
  if (target >= 0) ringDoorbell(hart, target, DOORBELL_RESCHED);
}

function isAnyIdle(hart: Hart): boolean {
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    if (hart.shared.loadOnce(IDLE_MASK + word * 4) !== 0) return true;
  }
  return false;
}
