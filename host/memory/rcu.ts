// RCU over harts. A grace period ends when every hart has been quiescent since it began: at a trap from user mode, at
// budget expiry, at a context switch, or in a hart-wait outside a read section (rcuQuiescent); PARKED, HOST_IO and
// OFFLINE harts are quiescent all along. Callbacks are intrusive (RCU_HEAD in the object), so call_rcu never allocates.
//
// Each hart has two lists: callbacks not yet assigned to a grace period, and callbacks that wait for RCU_WAIT_SEQ.

import {
  COUNTER_RCU_CALLBACKS,
  COUNTER_RCU_GP,
  HART_PC,
  HART_RCU_CB_COUNT,
  HART_RCU_CB_HEAD,
  HART_RCU_CB_TAIL,
  HART_RCU_NESTING,
  HART_RCU_SEEN,
  HART_RCU_WAIT_HEAD,
  HART_RCU_WAIT_SEQ,
  HART_RCU_WAIT_TAIL,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_RCU_GP_DONE,
  MACHINE_RCU_GP_SEQ,
  MACHINE_RCU_GP_START_NS,
  MACHINE_RCU_LOCK,
  RCU_HEAD_KIND,
  RCU_HEAD_NEXT,
  RUN_HOST_IO,
  RUN_OFFLINE,
  RUN_PARKED,
  RUN_STATE_MASK,
} from "../../assembly/layout.ts";
import { KernelBug, MachineStopped } from "./errors.ts";
import { type HartLocal, hartBase } from "./hart-local.ts";
import { park } from "./park.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import { spinTryLock, spinUnlock } from "./spinlock.ts";
import { TRACE_RCU_CALLBACK, TRACE_RCU_GRACE_PERIOD, TRACE_RCU_INVOKE_CALLBACK, trace } from "./trace.ts";

const GP_SEQ = MACHINE_BASE + MACHINE_RCU_GP_SEQ;
const GP_DONE = MACHINE_BASE + MACHINE_RCU_GP_DONE;
const STALL_NS = 1_000_000_000;

/**
 * Frees or finishes the object whose RCU head is at `head`; runs outside read sections, may take locks. A stop of the
 * machine may throw it out of the wait for one: it will then be called once more for the same head.
 */
export type RcuCallback = (hart: HartLocal, head: number) => void;

export function rcuReadLock(hart: HartLocal): void {
  hart.set(HART_RCU_NESTING, hart.get(HART_RCU_NESTING) + 1);
}

export function rcuReadUnlock(hart: HartLocal): void {
  hart.set(HART_RCU_NESTING, hart.get(HART_RCU_NESTING) - 1);
}

/** Queues the object for callback `kind` (RCU_*) after a grace period. A head may be queued once at a time. */
export function callRcu(hart: HartLocal, head: number, kind: number): void {
  const { shared } = hart;
  if (shared.get(head + RCU_HEAD_KIND) !== 0) throw new KernelBug("call_rcu of a queued head", { head, kind });
  shared.set(head + RCU_HEAD_KIND, kind);
  shared.set(head + RCU_HEAD_NEXT, 0);
  const tail = hart.get(HART_RCU_CB_TAIL);
  if (tail === 0) hart.set(HART_RCU_CB_HEAD, head);
  else shared.set(tail + RCU_HEAD_NEXT, head);
  hart.set(HART_RCU_CB_TAIL, head);
  hart.set(HART_RCU_CB_COUNT, hart.get(HART_RCU_CB_COUNT) + 1);
  hart.count(COUNTER_RCU_CALLBACKS);
  trace(hart, TRACE_RCU_CALLBACK, head, kind, hart.get(HART_RCU_CB_COUNT));
}

/** This hart holds no RCU pointer right now. Ends a grace period if it was the last one missing. */
export function rcuQuiescent(hart: HartLocal): void {
  const { shared, base } = hart;
  const seq = shared.loadAcquire(GP_SEQ);
  if (shared.get(base + HART_RCU_SEEN) === seq || hart.get(HART_RCU_NESTING) !== 0) return;
  shared.storeRelease(base + HART_RCU_SEEN, seq);
}

/** True if this hart has callbacks that are not done. */
export function rcuPending(hart: HartLocal): boolean {
  return hart.get(HART_RCU_CB_COUNT) !== 0;
}

/**
 * Moves this hart's callbacks along: starts a grace period when some wait for one, ends it when all harts were
 * quiescent, and runs what is due. Called outside read sections with no lock held.
 */
export function rcuAdvance(hart: HartLocal, callbacks: readonly (RcuCallback | undefined)[]): void {
  if (hart.get(HART_RCU_CB_COUNT) === 0) return;
  const { shared } = hart;
  rcuQuiescent(hart);
  tryEndGracePeriod(hart);
  if (hart.get(HART_RCU_WAIT_HEAD) !== 0 && reached(shared.loadAcquire(GP_DONE), hart.get(HART_RCU_WAIT_SEQ))) {
    const head = hart.get(HART_RCU_WAIT_HEAD);
    hart.set(HART_RCU_WAIT_HEAD, 0);
    hart.set(HART_RCU_WAIT_TAIL, 0);
    runCallbacks(hart, head, callbacks);
  }
  if (hart.get(HART_RCU_WAIT_HEAD) === 0 && hart.get(HART_RCU_CB_HEAD) !== 0) {
    hart.set(HART_RCU_WAIT_HEAD, hart.get(HART_RCU_CB_HEAD));
    hart.set(HART_RCU_WAIT_TAIL, hart.get(HART_RCU_CB_TAIL));
    hart.set(HART_RCU_CB_HEAD, 0);
    hart.set(HART_RCU_CB_TAIL, 0);
    hart.set(HART_RCU_WAIT_SEQ, snapshotGracePeriod(hart));
  }
  startGracePeriod(hart);
}

/** Waits for a full grace period. Hart-wait: the caller holds no lock and is in no read section. */
export function synchronizeRcu(hart: HartLocal): void {
  if (SCHEDULE_POINTS) hart.shared.observer?.mightSleep(hart.id, "synchronize_rcu");
  if (hart.inAtomicContext()) throw new KernelBug("synchronize_rcu in atomic context");
  const target = snapshotGracePeriod(hart);
  for (let spin = 0; !reached(hart.shared.loadAcquire(GP_DONE), target); spin++) {
    startGracePeriod(hart, target);
    rcuQuiescent(hart);
    tryEndGracePeriod(hart);
    hart.pollIrq();
    if (spin > hart.spinCount) park(hart, GP_DONE, hart.shared.loadAcquire(GP_DONE), hart.clock.now() + 100_000);
  }
}

/** Waits until every callback that this hart had queued has run. Other harts' queues are theirs to drain. */
export function rcuBarrier(hart: HartLocal, callbacks: readonly (RcuCallback | undefined)[]): void {
  while (rcuPending(hart)) {
    rcuAdvance(hart, callbacks);
    if (!rcuPending(hart)) return;
    hart.pollIrq();
    park(hart, GP_DONE, hart.shared.loadAcquire(GP_DONE), hart.clock.now() + 50_000);
  }
}

/**
 * Runs every hart's callbacks at once. Only when no hart runs any more, so that no reader can be left. Whatever a
 * callback queues anew runs too.
 */
export function rcuDrainAll(hart: HartLocal, callbacks: readonly (RcuCallback | undefined)[]): void {
  const { shared } = hart;
  for (let again = true; again; ) {
    again = false;
    for (let id = 0; id < hart.hartCount; id++) {
      for (const field of [HART_RCU_WAIT_HEAD, HART_RCU_CB_HEAD]) {
        const head = shared.get(hartBase(id) + field);
        if (head === 0) continue;
        shared.set(hartBase(id) + field, 0);
        shared.set(hartBase(id) + field + 4, 0);
        runCallbacks(hart, head, callbacks);
        again = true;
      }
    }
  }
}

/** One line that names the harts which hold up the grace period in progress for a second or more, or "". */
export function rcuStallReport(hart: HartLocal): string {
  const { shared } = hart;
  const seq = shared.loadAcquire(GP_SEQ);
  if (seq === shared.loadAcquire(GP_DONE)) return "";
  const ns = hart.clock.now() - shared.getF64(MACHINE_BASE + MACHINE_RCU_GP_START_NS);
  if (ns < STALL_NS) return "";
  const holders: string[] = [];
  for (let id = 0; id < hart.hartCount; id++) {
    if (!isQuiescent(hart, id, seq))
      holders.push(`hart ${id} pc 0x${shared.u64[(hartBase(id) + HART_PC) >>> 3].toString(16)}`);
  }
  if (holders.length === 0) return ""; // nobody has come round to end it
  return `rcu: grace period ${seq} has lasted ${(ns / 1e9).toFixed(1)} s, waiting for ${holders.join(", ")}`;
}

/** For statistics: the grace period that a free right now would wait for, and whether one is over. */
export function rcuStamp(hart: HartLocal): number {
  return (hart.shared.loadOnce(GP_SEQ) + 1) | 0;
}

export function rcuHasPassed(hart: HartLocal, stamp: number): boolean {
  return reached(hart.shared.loadOnce(GP_DONE), stamp);
}

/** The grace period whose end proves that every read section open now is over. */
function snapshotGracePeriod(hart: HartLocal): number {
  // Full barrier: what the caller unpublished is visible before we look at the sequence.
  const seq = hart.shared.fetchAdd(GP_SEQ, 0);
  // One in progress may have passed harts that read before our removal, so wait for the next one.
  return (seq + 1) | 0;
}

function startGracePeriod(hart: HartLocal, target = hart.get(HART_RCU_WAIT_SEQ)): void {
  const { shared } = hart;
  const seq = shared.loadAcquire(GP_SEQ);
  if (seq !== shared.loadAcquire(GP_DONE) || reached(seq, target)) return;
  if (!spinTryLock(hart, MACHINE_BASE + MACHINE_RCU_LOCK)) return;
  if (shared.loadAcquire(GP_SEQ) === seq && shared.loadAcquire(GP_DONE) === seq) {
    shared.setF64(MACHINE_BASE + MACHINE_RCU_GP_START_NS, hart.clock.now());
    shared.fetchAdd(GP_SEQ, 1);
    hart.count(COUNTER_RCU_GP);
    trace(hart, TRACE_RCU_GRACE_PERIOD, (seq + 1) | 0, 0);
  }
  spinUnlock(hart, MACHINE_BASE + MACHINE_RCU_LOCK);
}

function tryEndGracePeriod(hart: HartLocal): void {
  const { shared } = hart;
  const seq = shared.loadAcquire(GP_SEQ);
  if (seq === shared.loadAcquire(GP_DONE)) return;
  for (let id = 0; id < hart.hartCount; id++) {
    if (!isQuiescent(hart, id, seq)) return;
  }
  const before = (seq - 1) | 0;
  if (shared.compareExchange(GP_DONE, before, seq) === before) trace(hart, TRACE_RCU_GRACE_PERIOD, seq, 1);
  shared.notify(GP_DONE);
}

function isQuiescent(hart: HartLocal, id: number, seq: number): boolean {
  const { shared } = hart;
  const block = hartBase(id);
  // The run state first: a hart that unparks afterwards starts with no RCU pointer and will see the new tree.
  const state = shared.loadAcquire(block + HART_RUN_STATE) & RUN_STATE_MASK;
  if (state === RUN_HOST_IO || state === RUN_OFFLINE) return true;
  if (state === RUN_PARKED && shared.loadAcquire(block + HART_RCU_NESTING) === 0) return true;
  return reached(shared.loadAcquire(block + HART_RCU_SEEN), seq);
}

/** Sequence numbers wrap. */
function reached(sequence: number, target: number): boolean {
  return ((sequence - target) | 0) >= 0;
}

function runCallbacks(hart: HartLocal, first: number, callbacks: readonly (RcuCallback | undefined)[]): void {
  const { shared } = hart;
  for (let head = first; head !== 0; ) {
    const next = shared.get(head + RCU_HEAD_NEXT);
    const kind = shared.get(head + RCU_HEAD_KIND);
    const callback = callbacks[kind];
    if (callback === undefined) throw new KernelBug("RCU callback of no known kind", { head, kind });
    shared.set(head + RCU_HEAD_KIND, 0);
    hart.set(HART_RCU_CB_COUNT, hart.get(HART_RCU_CB_COUNT) - 1);
    trace(hart, TRACE_RCU_INVOKE_CALLBACK, head, kind);
    try {
      callback(hart, head);
    } catch (error) {
      if (error instanceof MachineStopped) putBack(hart, head, kind, next);
      throw error;
    }
    head = next;
  }
}

/** The machine stopped in the middle of a callback: it and those behind it are left to rcuDrainAll. */
function putBack(hart: HartLocal, head: number, kind: number, next: number): void {
  const { shared } = hart;
  shared.set(head + RCU_HEAD_KIND, kind);
  shared.set(head + RCU_HEAD_NEXT, next);
  hart.set(HART_RCU_CB_COUNT, hart.get(HART_RCU_CB_COUNT) + 1);
  let tail = head;
  while (shared.get(tail + RCU_HEAD_NEXT) !== 0) tail = shared.get(tail + RCU_HEAD_NEXT);
  hart.set(HART_RCU_WAIT_HEAD, head);
  hart.set(HART_RCU_WAIT_TAIL, tail);
}
