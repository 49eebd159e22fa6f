// The reader-writer lock behind mmap_lock: many readers or one writer in one word (RW_*). A waiting writer holds new
// readers back. Waiters spin, then park on the word; nobody sleeps while holding it, so the wait is a hart-wait.

import {
  COUNTER_LOCK_WAIT,
  HART_LOCK_COUNT,
  RW_READER,
  RW_READERS_MASK,
  RW_WAITERS,
  RW_WRITER,
  RW_WRITER_WANTED,
} from "../../assembly/layout.ts";
import { KernelBug } from "./errors.ts";
import type { HartLocal } from "./hart-local.ts";
import { FOREVER, park } from "./park.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import { CONTENTION_READ, CONTENTION_WRITE, TRACE_CONTENTION_BEGIN, TRACE_CONTENTION_END, trace } from "./trace.ts";

/** True if it had to wait. */
export function readLock(hart: HartLocal, address: number): boolean {
  if (SCHEDULE_POINTS) hart.shared.observer?.lockWanted(hart.id, address);
  if (readTryLock(hart, address)) return false;
  trace(hart, TRACE_CONTENTION_BEGIN, address, CONTENTION_READ);
  readLockSlow(hart, address);
  trace(hart, TRACE_CONTENTION_END, address);
  return true;
}

/**
 * Counts itself in first and looks then: one transfer of the line where a load and a compare-and-swap cost two, and
 * readers never fail because of each other.
 */
export function readTryLock(hart: HartLocal, address: number): boolean {
  const old = hart.shared.fetchAdd(address, RW_READER);
  if ((old & (RW_WRITER | RW_WRITER_WANTED)) !== 0) {
    dropReader(hart, address);
    return false;
  }
  if (SCHEDULE_POINTS) hart.shared.observer?.lockTaken(hart.id, address);
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) + 1);
  return true;
}

export function readUnlock(hart: HartLocal, address: number): void {
  if (SCHEDULE_POINTS) hart.shared.observer?.lockDropped(hart.id, address);
  dropReader(hart, address);
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) - 1);
}

function dropReader(hart: HartLocal, address: number): void {
  const old = hart.shared.fetchAdd(address, -RW_READER);
  if ((old & RW_READERS_MASK) === 0) throw new KernelBug("read unlock without readers", { address });
  if ((old & RW_READERS_MASK) === RW_READER && (old & RW_WAITERS) !== 0) wakeAll(hart, address);
}

/** True if it had to wait. */
export function writeLock(hart: HartLocal, address: number): boolean {
  if (SCHEDULE_POINTS) hart.shared.observer?.lockWanted(hart.id, address);
  const waits = hart.shared.compareExchange(address, 0, RW_WRITER) !== 0;
  if (waits) {
    trace(hart, TRACE_CONTENTION_BEGIN, address, CONTENTION_WRITE);
    writeLockSlow(hart, address);
    trace(hart, TRACE_CONTENTION_END, address);
  }
  if (SCHEDULE_POINTS) hart.shared.observer?.lockTaken(hart.id, address);
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) + 1);
  return waits;
}

export function writeUnlock(hart: HartLocal, address: number): void {
  if (SCHEDULE_POINTS) hart.shared.observer?.lockDropped(hart.id, address);
  const old = hart.shared.fetchAnd(address, ~RW_WRITER);
  if ((old & RW_WRITER) === 0) throw new KernelBug("write unlock without a writer", { address });
  hart.set(HART_LOCK_COUNT, hart.get(HART_LOCK_COUNT) - 1);
  if ((old & RW_WAITERS) !== 0) wakeAll(hart, address);
}

/** From writer to reader without letting another writer in. */
export function downgradeWrite(hart: HartLocal, address: number): void {
  const old = hart.shared.fetchAdd(address, RW_READER - RW_WRITER);
  if ((old & RW_WAITERS) !== 0) wakeAll(hart, address);
}

function wakeAll(hart: HartLocal, address: number): void {
  // Waiters set the bits again if they must go on waiting.
  hart.shared.fetchAnd(address, ~(RW_WAITERS | RW_WRITER_WANTED));
  hart.shared.notify(address);
}

function readLockSlow(hart: HartLocal, address: number): void {
  hart.count(COUNTER_LOCK_WAIT);
  for (let tries = 0; ; tries++) {
    const busy = (hart.shared.loadOnce(address) & (RW_WRITER | RW_WRITER_WANTED)) !== 0;
    if (!busy && readTryLock(hart, address)) return;
    waitForChange(hart, address, tries, RW_WRITER | RW_WRITER_WANTED, RW_WAITERS);
  }
}

function writeLockSlow(hart: HartLocal, address: number): void {
  const { shared } = hart;
  hart.count(COUNTER_LOCK_WAIT);
  for (let tries = 0; ; tries++) {
    const word = shared.loadOnce(address);
    if ((word & (RW_READERS_MASK | RW_WRITER)) === 0) {
      if (shared.compareExchange(address, word, (word & ~RW_WRITER_WANTED) | RW_WRITER) === word) return;
      continue;
    }
    waitForChange(hart, address, tries, RW_READERS_MASK | RW_WRITER, RW_WAITERS | RW_WRITER_WANTED);
  }
}

/** Spins for the first tries, then marks the word and parks on it, as long as any of `busy` is set. */
function waitForChange(hart: HartLocal, address: number, tries: number, busy: number, mark: number): void {
  if (tries > hart.spinCount) {
    const word = hart.shared.loadOnce(address);
    if ((word & busy) === 0) return;
    const marked = word | mark;
    if (word === marked || hart.shared.compareExchange(address, word, marked) === word) {
      park(hart, address, marked, FOREVER);
    }
  }
  hart.pollIrq();
}
