// Interprocessor interrupts: one mailbox slot per (sender, receiver), a pending bit per sender, and a doorbell that the
// core polls. A slot is filled when SEQ differs from ACK; only the sender writes SEQ and the arguments, only the
// receiver writes ACK. The receiver never takes a lock in a handler; the sender serves its own mailbox while it waits.

import {
  COUNTER_FLUSH_DEFERRED,
  COUNTER_IPI_RECEIVED,
  COUNTER_IPI_SENT,
  COUNTER_IPI_WAIT,
  CPUMASK_WORDS,
  DOORBELL_IPI,
  FLUSH_ON_RESUME,
  HART_DOORBELL,
  HART_IPI_PENDING,
  HART_IPI_SEQ,
  HART_IRQ_DEPTH,
  HART_IRQ_OFF_DEPTH,
  HART_MAILBOX,
  HART_PARK_WORD,
  HART_RUN_STATE,
  IPI_FLUSH,
  IPI_FLUSH_LAST,
  MACHINE_BASE,
  MACHINE_ONLINE_MASK,
  MAILBOX_ACK,
  MAILBOX_ARG0,
  MAILBOX_ARG1,
  MAILBOX_ARG2,
  MAILBOX_ARG3,
  MAILBOX_BYTES,
  MAILBOX_OP,
  MAILBOX_SEQ,
  RUN_HOST_IO,
  RUN_OFFLINE,
  RUN_PARKED,
  RUN_STATE_MASK,
} from "../../assembly/layout.ts";
import { cpumaskCopyOthers } from "./cpumask.ts";
import { KernelBug } from "./errors.ts";
import { type HartLocal, hartBase } from "./hart-local.ts";
import { A_M12, MUTATIONS } from "./mutation.ts";
import { park } from "./park.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import {
  isTraced,
  TLB_REMOTE_SEND_IPI,
  TRACE_IPI_ENTRY,
  TRACE_IPI_EXIT,
  TRACE_IPI_RAISE,
  TRACE_TLB_FLUSH,
  trace,
} from "./trace.ts";

/** What the handler of an IPI does; runs in interrupt context on the receiver: no lock, no allocation. */
export type IpiHandler = (op: number, arg0: number, arg1: number, arg2: number, arg3: number) => void;

/** How long a sender waits before it rings a parked receiver again. */
const RING_AGAIN_NS = 200_000;

/**
 * Sends `op` to every hart of `mask` (CPUMASK_WORDS words at that address, copied first; the caller's own bit is
 * ignored) and returns when all have served it. Waits: the caller holds no lock that a hart takes with interrupts off.
 * `IPI_FLUSH` to a parked hart is delivered by FLUSH_ON_RESUME and does not wake it.
 */
export function sendIpi(hart: HartLocal, mask: Int32Array, op: number, arg0 = 0, arg1 = 0, arg2 = 0, arg3 = 0): void {
  if (hart.get(HART_IRQ_OFF_DEPTH) !== 0) throw new KernelBug("synchronous IPI with interrupts off", { op });
  const seq = (hart.get(HART_IPI_SEQ) + 1) | 0;
  hart.set(HART_IPI_SEQ, seq);
  trace(hart, TRACE_IPI_RAISE, op, mask[0], mask[1]);
  if (op === IPI_FLUSH || op === IPI_FLUSH_LAST) trace(hart, TRACE_TLB_FLUSH, TLB_REMOTE_SEND_IPI, arg2, arg0, arg1);
  const waiting = hart.ipiWaiting;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    waiting[word] = 0;
    for (let bits = mask[word]; bits !== 0; bits &= bits - 1) {
      const target = word * 32 + (31 - Math.clz32(bits & -bits));
      if (target === hart.id) continue;
      if (op === IPI_FLUSH && deferFlush(hart, target)) continue;
      post(hart, target, seq, op, arg0, arg1, arg2, arg3);
      waiting[word] |= bits & -bits;
    }
  }
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    for (let bits = waiting[word]; bits !== 0; bits &= bits - 1) {
      awaitAck(hart, word * 32 + (31 - Math.clz32(bits & -bits)), seq);
    }
  }
}

/** Rings `bits` at hart `target` and wakes it if it is parked. Does not wait. */
export function ringDoorbell(hart: HartLocal, target: number, bits: number): void {
  const { shared } = hart;
  const block = hartBase(target);
  const isLate = SCHEDULE_POINTS && shared.scheduler?.ringsLate(target, bits) === true;
  shared.fetchOr(block + HART_DOORBELL, isLate ? 0 : bits);
  if ((shared.loadOnce(block + HART_RUN_STATE) & RUN_STATE_MASK) === RUN_PARKED) wakeParked(hart, target);
}

/** Serves every filled slot of this hart's mailbox. */
export function serveMailbox(hart: HartLocal, handle: IpiHandler): void {
  const { shared, base } = hart;
  hart.set(HART_IRQ_DEPTH, hart.get(HART_IRQ_DEPTH) + 1);
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    if (shared.loadOnce(base + HART_IPI_PENDING + word * 4) === 0) continue;
    for (let bits = shared.exchange(base + HART_IPI_PENDING + word * 4, 0); bits !== 0; bits &= bits - 1) {
      const slot = base + HART_MAILBOX + (word * 32 + (31 - Math.clz32(bits & -bits))) * MAILBOX_BYTES;
      const seq = shared.loadAcquire(slot + MAILBOX_SEQ);
      if (seq === shared.get(slot + MAILBOX_ACK)) continue;
      hart.count(COUNTER_IPI_RECEIVED);
      traceIpi(hart, TRACE_IPI_ENTRY, slot);
      handle(
        shared.get(slot + MAILBOX_OP),
        shared.get(slot + MAILBOX_ARG0),
        shared.get(slot + MAILBOX_ARG1),
        shared.get(slot + MAILBOX_ARG2),
        shared.get(slot + MAILBOX_ARG3),
      );
      traceIpi(hart, TRACE_IPI_EXIT, slot);
      shared.storeRelease(slot + MAILBOX_ACK, seq);
      shared.notify(slot + MAILBOX_ACK, 1);
    }
  }
  hart.set(HART_IRQ_DEPTH, hart.get(HART_IRQ_DEPTH) - 1);
}

function traceIpi(hart: HartLocal, event: number, slot: number): void {
  if (!isTraced(hart, event)) return;
  const sender = (slot - hart.base - HART_MAILBOX) / MAILBOX_BYTES;
  trace(hart, event, hart.shared.get(slot + MAILBOX_OP), sender);
}

/**
 * Copies the set of harts that take part, without the caller; true if there are any. A hart that has not booted yet is
 * left out: it starts with an empty TLB and borrows nothing.
 */
export function copyRunningOthers(hart: HartLocal, copy: Int32Array): boolean {
  let any = 0;
  cpumaskCopyOthers(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, copy);
  for (let id = 0; id < hart.hartCount; id++) {
    const state = hart.shared.loadAcquire(hartBase(id) + HART_RUN_STATE) & RUN_STATE_MASK;
    if (state === RUN_OFFLINE) copy[id >>> 5] &= ~(1 << (id & 31));
    any |= copy[id >>> 5];
  }
  return any !== 0;
}

/** True if the hart is parked and has promised, by FLUSH_ON_RESUME, to flush everything before it goes on. */
export function deferFlush(hart: HartLocal, target: number): boolean {
  const { shared } = hart;
  const address = hartBase(target) + HART_RUN_STATE;
  for (;;) {
    const state = shared.loadAcquire(address);
    const resting = (state & RUN_STATE_MASK) === RUN_PARKED || (state & RUN_STATE_MASK) === RUN_HOST_IO;
    if (!resting) return false;
    if (shared.compareExchange(address, state, state | FLUSH_ON_RESUME) === state) {
      hart.count(COUNTER_FLUSH_DEFERRED);
      return true;
    }
  }
}

function post(
  hart: HartLocal,
  target: number,
  seq: number,
  op: number,
  arg0: number,
  arg1: number,
  arg2: number,
  arg3: number,
): void {
  const { shared } = hart;
  const block = hartBase(target);
  const slot = block + HART_MAILBOX + hart.id * MAILBOX_BYTES;
  shared.set(slot + MAILBOX_OP, op);
  shared.set(slot + MAILBOX_ARG0, arg0);
  shared.set(slot + MAILBOX_ARG1, arg1);
  shared.set(slot + MAILBOX_ARG2, arg2);
  shared.set(slot + MAILBOX_ARG3, arg3);
  shared.storeRelease(slot + MAILBOX_SEQ, seq);
  shared.fetchOr(block + HART_IPI_PENDING + (hart.id >>> 5) * 4, 1 << (hart.id & 31));
  hart.count(COUNTER_IPI_SENT);
  ringDoorbell(hart, target, DOORBELL_IPI);
}

function awaitAck(hart: HartLocal, target: number, seq: number): void {
  const { shared } = hart;
  const block = hartBase(target);
  const ack = block + HART_MAILBOX + hart.id * MAILBOX_BYTES + MAILBOX_ACK;
  for (let spin = 0; ; spin++) {
    const value = shared.loadAcquire(ack);
    if (value === seq) return;
    hart.count(COUNTER_IPI_WAIT);
    if (MUTATIONS && hart.mutation === A_M12) hart.checkStop();
    else hart.pollIrq();
    if (spin < hart.spinCount) continue;
    // The receiver may have parked between our ring and its last look at the doorbell: ring until it answers.
    if ((shared.loadOnce(block + HART_RUN_STATE) & RUN_STATE_MASK) === RUN_PARKED) wakeParked(hart, target);
    park(hart, ack, value, hart.clock.now() + RING_AGAIN_NS);
  }
}

export function wakeParked(hart: HartLocal, target: number): void {
  const word = hart.shared.loadOnce(hartBase(target) + HART_PARK_WORD);
  if (word !== 0) hart.shared.notify(word);
}
