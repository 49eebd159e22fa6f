// The power switch: how a hart or the host stops the machine, and how everyone is told. MACHINE_STOP is tested by every
// wait loop; the first writer wins, and what it says is what the process reports.

import {
  DOORBELL_RESCHED,
  DOORBELL_STOP,
  HART_DOORBELL,
  HART_PARK_WORD,
  MACHINE_BASE,
  MACHINE_BATON,
  MACHINE_BOOTED,
  MACHINE_CONSOLE_PULSE,
  MACHINE_EXIT_STATUS,
  MACHINE_HART_COUNT,
  MACHINE_OFFLINE_WANTED,
  MACHINE_STOP,
  MACHINE_STOP_HART,
  STOP_NONE,
} from "../../assembly/layout.ts";
import { hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";

/** MACHINE_STOP_HART when the main thread stopped the machine. */
export const STOP_BY_HOST = -1;

/**
 * Stops the machine for `reason` (STOP_*) unless it has stopped already; true if this call was the one. `status` is
 * the exit code or signal that goes with the reason. Wakes every hart and the main thread.
 */
export function stopMachine(shared: SharedMemory, reason: number, status: number, hartId: number): boolean {
  const { i32 } = shared;
  const first = Atomics.compareExchange(i32, (MACHINE_BASE + MACHINE_STOP) >>> 2, STOP_NONE, reason) === STOP_NONE;
  if (first) {
    i32[(MACHINE_BASE + MACHINE_EXIT_STATUS) >>> 2] = status;
    Atomics.store(i32, (MACHINE_BASE + MACHINE_STOP_HART) >>> 2, hartId);
  }
  wakeEveryHart(shared);
  pulseHost(shared);
  return first;
}

/** STOP_NONE while the machine runs. */
export function stopReason(shared: SharedMemory): number {
  return Atomics.load(shared.i32, (MACHINE_BASE + MACHINE_STOP) >>> 2);
}

/**
 * Rings every doorbell and wakes every parked hart. A hart that was about to park may miss it, so whoever needs
 * certainty calls again until the harts have left.
 */
export function wakeEveryHart(shared: SharedMemory): void {
  const { i32 } = shared;
  const harts = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
  for (let id = 0; id < harts; id++) ringFromHost(shared, id, DOORBELL_STOP);
  Atomics.notify(i32, (MACHINE_BASE + MACHINE_BOOTED) >>> 2);
  Atomics.notify(i32, (MACHINE_BASE + MACHINE_BATON) >>> 2);
}

/** Asks a hart to leave the machine, or to come back; it does when it has nothing to run. (Linux: cpuN/online) */
export function setHartOnline(shared: SharedMemory, hartId: number, online: boolean): void {
  const wanted = (MACHINE_BASE + MACHINE_OFFLINE_WANTED + (hartId >>> 5) * 4) >>> 2;
  const bit = 1 << (hartId & 31);
  if (online) Atomics.and(shared.i32, wanted, ~bit);
  else Atomics.or(shared.i32, wanted, bit);
  ringFromHost(shared, hartId, DOORBELL_RESCHED);
}

/** Sets DOORBELL_* bits of one hart from outside the kernel, and wakes it if it sleeps. */
export function ringFromHost(shared: SharedMemory, hartId: number, bits: number): void {
  const { i32 } = shared;
  const block = hartBase(hartId);
  Atomics.or(i32, (block + HART_DOORBELL) >>> 2, bits);
  Atomics.notify(i32, (block + HART_DOORBELL) >>> 2);
  const word = Atomics.load(i32, (block + HART_PARK_WORD) >>> 2);
  if (word !== 0) Atomics.notify(i32, word >>> 2);
}

/** Tells the main thread to look: there is output, room, a wish for input, or the machine's state has changed. */
export function pulseHost(shared: SharedMemory): void {
  const index = (MACHINE_BASE + MACHINE_CONSOLE_PULSE) >>> 2;
  Atomics.add(shared.i32, index, 1);
  Atomics.notify(shared.i32, index);
}
