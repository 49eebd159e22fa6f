// The scheduler's decisions on one hart: who runs next, when a slice ends, what an idle hart steals. The switch itself
// is in switch.ts, the queues in run-queue.ts, waking in wake.ts.
//
// A task's context is in its record, unless TASK_ON_HART names the hart whose block holds it.

import {
  COUNTER_CONTEXT_SWITCH,
  COUNTER_TASK_MIGRATE,
  HART_IDLE_TASK,
  HART_NEED_RESCHED,
  HART_SLICE_END_NS,
  MACHINE_BASE,
  MACHINE_OFFLINE_WANTED,
  PF_KSWAPD,
  PROCESS_GROUP_EXIT,
  RQ_COUNT,
  RQ_HEAD,
  RQ_LOCK,
  RQ_TAIL,
  TASK_FLAGS,
  TASK_HART,
  TASK_INTERRUPTIBLE,
  TASK_NICE,
  TASK_NIVCSW,
  TASK_NVCSW,
  TASK_ON_HART,
  TASK_ON_RQ,
  TASK_PROCESS,
  TASK_RQ_PREV,
  TASK_RUNNING,
  TASK_RUNTIME_NS,
  TASK_SIGNAL_PENDING,
  TASK_STATE,
  TASK_STOPPED,
  TASK_UNINTERRUPTIBLE,
} from "../../../assembly/layout.ts";
import { cpumaskTest } from "../../memory/cpumask.ts";
import { rqOf } from "../../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { isTraced, TRACE_SCHED_MIGRATE_TASK, TRACE_SCHED_SWITCH, traceTask } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { mustMakeRoom } from "../process/group-exit.ts";
import { enqueueOn, kick, kickIdle, selectHart } from "./placement.ts";
import { dequeue, enqueue, enqueueWoken, isAllowed } from "./run-queue.ts";

/** What only the end of its group wakes a task from before its time. */
const KILLABLE_STATES: readonly number[] = [TASK_UNINTERRUPTIBLE, TASK_STOPPED];
const OFFLINE_WANTED = MACHINE_BASE + MACHINE_OFFLINE_WANTED;
/** How long a task runs before it is the turn of the next. */
export const SLICE_NS = 4_000_000;

/**
 * Chooses the next task of this hart; the current one goes to the end of the queue if it still wants to run. Requires:
 * this hart's rq lock, held until leaveHart, so that nobody else runs the old task before its context is saved.
 */
export function chooseNextLocked(hart: Hart): number {
  const { shared, rq, current } = hart;
  hart.set(HART_NEED_RESCHED, 0);
  shared.setF64(current + TASK_RUNTIME_NS, runtimeOfCurrent(hart));
  noticeSignal(hart, current);
  const mayStay = isAllowed(hart, current, hart.id) && !cpumaskTest(hart, OFFLINE_WANTED, hart.id);
  const stays = wantsToRun(hart, current) && mayStay;
  // kswapd has every other turn until there is enough memory: one of many would be too little.
  const isKswapd = (shared.get(current + TASK_FLAGS) & PF_KSWAPD) !== 0;
  if (stays && !isKswapd) enqueue(hart, rq, current);
  const first = shared.get(rq + RQ_HEAD);
  if (first === 0) return stays ? current : hart.get(HART_IDLE_TASK);
  dequeue(hart, rq, first);
  if (stays && isKswapd) enqueueWoken(hart, rq, current);
  return first;
}

/**
 * The hart block now belongs to `next`. Returns the hart to which the old task must move because it may no longer run
 * here, or -1. Requires: this hart's rq lock.
 */
export function leaveHartLocked(hart: Hart, previous: number, next: number): number {
  const { shared } = hart;
  const wasPreempted = wantsToRun(hart, previous);
  const switches = previous + (wasPreempted ? TASK_NIVCSW : TASK_NVCSW);
  shared.set(switches, (shared.get(switches) + 1) | 0);
  const moves = wasPreempted && shared.get(previous + TASK_ON_RQ) === 0;
  const target = moves ? selectHart(hart, previous, hart.id) : -1;
  if (moves) shared.storeRelease(previous + TASK_HART, target);
  shared.storeRelease(previous + TASK_ON_HART, 0);
  shared.storeRelease(next + TASK_ON_HART, hart.id + 1);
  if (isTraced(hart, TRACE_SCHED_SWITCH)) {
    const state = shared.get(previous + TASK_STATE); // plain: a trace makes no schedule points
    traceTask(hart, TRACE_SCHED_SWITCH, next, state, priority(hart, previous) | (priority(hart, next) << 8));
  }
  hart.setCurrent(next);
  hart.count(COUNTER_CONTEXT_SWITCH);
  return target;
}

/** As Linux counts it, 100 real-time ones first. */
function priority(hart: Hart, task: number): number {
  return 120 + hart.shared.get(task + TASK_NICE);
}

/** After a switch, lock dropped: sends a task that had to leave on its way, and lets idle harts help. */
export function afterSwitch(hart: Hart, previous: number, target: number): void {
  if (target >= 0) {
    kick(hart, enqueueOn(hart, target, previous));
  }
  startSlice(hart);
}

export function startSlice(hart: Hart): void {
  if (hart.shared.loadOnce(hart.rq + RQ_COUNT) > 0) kickIdle(hart);
  hart.shared.setF64(hart.base + HART_SLICE_END_NS, hart.clock.now() + SLICE_NS);
}

/** The slice of the current task is over: somebody else's turn if anybody waits. */
export function schedulerTick(hart: Hart): void {
  if (hart.shared.loadOnce(hart.rq + RQ_COUNT) === 0) return;
  if (hart.clock.now() >= hart.shared.getF64(hart.base + HART_SLICE_END_NS)) hart.set(HART_NEED_RESCHED, 1);
}

/** An idle hart looks for work on the others' queues. True if it took a task onto its own. */
export function stealTask(hart: Hart): boolean {
  const { shared } = hart;
  for (let step = 1; step < hart.hartCount; step++) {
    const victim = (hart.id + step) % hart.hartCount;
    const rq = rqOf(victim);
    if (shared.loadOnce(rq + RQ_COUNT) === 0) continue;
    spinLock(hart, rq + RQ_LOCK);
    let task = shared.get(rq + RQ_TAIL);
    while (task !== 0 && !isAllowed(hart, task, hart.id)) task = shared.get(task + TASK_RQ_PREV);
    if (task !== 0) {
      dequeue(hart, rq, task);
      shared.storeRelease(task + TASK_HART, hart.id);
    }
    spinUnlock(hart, rq + RQ_LOCK);
    if (task === 0) continue;
    hart.count(COUNTER_TASK_MIGRATE);
    traceTask(hart, TRACE_SCHED_MIGRATE_TASK, task, victim, hart.id);
    const home = enqueueOn(hart, hart.id, task);
    if (home === hart.id) return true;
    kick(hart, home);
  }
  return false;
}

/** How long the current task has run so far, ns. It was charged up to the start of this slice. */
export function runtimeOfCurrent(hart: Hart): number {
  const sliceStart = hart.shared.getF64(hart.base + HART_SLICE_END_NS) - SLICE_NS;
  return hart.shared.getF64(hart.current + TASK_RUNTIME_NS) + Math.max(hart.clock.now() - sliceStart, 0);
}

/**
 * A signal that arrived after the task looked and before it went to sleep found it awake: it must not sleep now. Under
 * the rq lock, since the sender sets SIGNAL_PENDING first and then looks at the state. (Linux: signal_pending_state)
 */
function noticeSignal(hart: Hart, task: number): void {
  const { shared } = hart;
  const state = shared.loadAcquire(task + TASK_STATE);
  if (state === TASK_RUNNING || shared.loadAcquire(task + TASK_SIGNAL_PENDING) === 0) return;
  const wakes = state === TASK_INTERRUPTIBLE || (KILLABLE_STATES.includes(state) && isDying(hart, task));
  if (wakes) shared.storeRelease(task + TASK_STATE, TASK_RUNNING);
}

/** The current task must end: its whole group does, or another thread of it executes a program. */
function isDying(hart: Hart, task: number): boolean {
  const process = hart.shared.get(task + TASK_PROCESS);
  return hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0 || mustMakeRoom(hart, process);
}

function wantsToRun(hart: Hart, task: number): boolean {
  return task !== hart.get(HART_IDLE_TASK) && hart.shared.loadAcquire(task + TASK_STATE) === TASK_RUNNING;
}
