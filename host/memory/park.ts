// Hart-wait: how a hart waits for a word that another hart will change. It spins briefly, serving its own mailbox
// (two harts that flush each other would deadlock otherwise), then parks on that very word.
//
// A parked hart is PARKED for everybody: it is quiescent for RCU, and a TLB flush is delivered to it by setting
// FLUSH_ON_RESUME, which it honours before anything else. IPIs of other kinds wake it (see ipi.ts), again and again
// until they are acknowledged, so a wake-up that falls between the last test and Atomics.wait is not lost.

import {
  COUNTER_PARK,
  FLUSH_ON_RESUME,
  HART_DOORBELL,
  HART_IRQ_OFF_DEPTH,
  HART_PARK_WORD,
  HART_RUN_STATE,
  MACHINE_BASE,
  MACHINE_STOP,
  RUN_KERNEL,
  RUN_PARKED,
  STOP_NONE,
} from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";
import { POINT_WAIT, SCHEDULE_POINTS, suspend } from "./schedule.ts";

/** No deadline: wait until the word changes. */
export const FOREVER = Number.POSITIVE_INFINITY;

/**
 * Parks the hart until the word at `address` differs from `expected`, `deadlineNs` (monotonic) passes, an interrupt
 * is pending, or the machine stops. May return early: callers test their condition in a loop.
 */
export function park(hart: HartLocal, address: number, expected: number, deadlineNs: number, point = POINT_WAIT): void {
  const { shared, base } = hart;
  if (SCHEDULE_POINTS && shared.scheduler !== null) {
    enterParked(hart, address);
    shared.scheduler.wait(point, address, expected, deadlineNs);
    suspend();
    leaveParked(hart);
    return;
  }
  hart.count(COUNTER_PARK);
  enterParked(hart, address);
  const i32 = shared.i32;
  const interruptible = hart.get(HART_IRQ_OFF_DEPTH) === 0;
  const rung = interruptible && Atomics.load(i32, (base + HART_DOORBELL) >>> 2) !== 0;
  if (!rung && Atomics.load(i32, (MACHINE_BASE + MACHINE_STOP) >>> 2) === STOP_NONE) {
    const timeoutMs = deadlineNs === FOREVER ? FOREVER : (deadlineNs - hart.clock.now()) / 1e6;
    if (timeoutMs > 0) Atomics.wait(i32, address >>> 2, expected, timeoutMs);
  }
  leaveParked(hart);
}

function enterParked(hart: HartLocal, address: number): void {
  const { shared, base } = hart;
  shared.storeOnce(base + HART_PARK_WORD, address);
  // Full barrier: whoever rang the doorbell before this sees PARKED and notifies; whoever rings later is seen below.
  shared.exchange(base + HART_RUN_STATE, RUN_PARKED);
}

function leaveParked(hart: HartLocal): void {
  const { shared, base } = hart;
  const state = shared.exchange(base + HART_RUN_STATE, RUN_KERNEL);
  // Before anything else, an NMI included: the flush has counted as delivered since the flag was set.
  if ((state & FLUSH_ON_RESUME) !== 0) hart.core.flushAll();
  shared.storeOnce(base + HART_PARK_WORD, 0);
}

/**
 * Waits until the word at `address` differs from `expected` and returns the new value. For acks and counters that
 * another hart is sure to change; serves this hart's interrupts meanwhile. Throws MachineStopped.
 */
export function waitWhileEqual(hart: HartLocal, address: number, expected: number): number {
  for (;;) {
    for (let spin = 0; spin <= hart.spinCount; spin++) {
      const value = hart.shared.loadAcquire(address);
      if (value !== expected) return value;
      hart.pollIrq();
    }
    park(hart, address, expected, FOREVER);
    hart.pollIrq();
  }
}
