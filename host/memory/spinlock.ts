// Spin locks that park: LOCK_FREE, LOCK_HELD, LOCK_CONTENDED (held, and somebody may be parked on the word).
// No lock is ever held across a task-wait, so every owner is on a running hart and the wait is short.

import { COUNTER_LOCK_WAIT, HART_LOCK_COUNT, LOCK_CONTENDED, LOCK_FREE, LOCK_HELD } from "../../assembly/layout.ts";
import { KernelBug } from "./errors.ts";
import type { HartLocal } from "./hart-local.ts";
import { FOREVER, park } from "./park.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import { CONTENTION_SPIN, TRACE_CONTENTION_BEGIN, TRACE_CONTENTION_END, trace } from "./trace.ts";

/**
 * A look at a lock takes its cache line away from the owner, who must fetch it back to unlock, and to count what the
 * line holds besides: two harts that fault in one page table are 1.7 times as fast with pauses as without.
 */
const LOOK_EVERY = 8;

/** Takes the lock word at `address`. Serves interrupts while it waits. Throws MachineStopped. */
export function spinLock(hart: HartLocal, address: number): void {
  if (SCHEDULE_POINTS) hart.shared.observer?.lockWanted(hart.id, address);
  if (hart.shared.compareExchange(address, LOCK_FREE, LOCK_HELD) !== LOCK_FREE) spinLockSlow(hart, address);
  if (SCHEDULE_POINTS) hart.shared.observer?.lockTaken(hart.id, address);
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) + 1);
}

/** True if the lock was free and is now held. */
export function spinTryLock(hart: HartLocal, address: number): boolean {
  if (hart.shared.compareExchange(address, LOCK_FREE, LOCK_HELD) !== LOCK_FREE) return false;
  if (SCHEDULE_POINTS) hart.shared.observer?.lockTaken(hart.id, address);
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) + 1);
  return true;
}

export function spinUnlock(hart: HartLocal, address: number): void {
  if (SCHEDULE_POINTS) hart.shared.observer?.lockDropped(hart.id, address);
  const old = hart.shared.exchange(address, LOCK_FREE);
  if (old === LOCK_CONTENDED) hart.shared.notify(address, 1);
  else if (old === LOCK_FREE) throw new KernelBug("unlock of a free spin lock", { address });
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) - 1);
}

function spinLockSlow(hart: HartLocal, address: number): void {
  hart.count(COUNTER_LOCK_WAIT);
  trace(hart, TRACE_CONTENTION_BEGIN, address, CONTENTION_SPIN);
  waitForLock(hart, address);
  trace(hart, TRACE_CONTENTION_END, address);
}

function waitForLock(hart: HartLocal, address: number): void {
  const { shared } = hart;
  for (let spin = 0; spin < hart.spinCount; spin++) {
    hart.pollIrq();
    if (spin % LOOK_EVERY !== 0) continue;
    if (shared.loadOnce(address) === LOCK_FREE && shared.compareExchange(address, LOCK_FREE, LOCK_HELD) === LOCK_FREE) {
      return;
    }
  }
  // From here on the word says CONTENDED, so that the owner's unlock notifies.
  while (shared.exchange(address, LOCK_CONTENDED) !== LOCK_FREE) {
    park(hart, address, LOCK_CONTENDED, FOREVER);
    hart.pollIrq();
  }
}
