// For tests: a hart that dies while it holds a lock. It rides on the schedule points of the deterministic worker, with
// the harts running in parallel as in the threaded driver, and throws when one of them enters its section-th locked
// section. Whoever waits for that lock must then leave because the machine stops, and the process ends with an oops.

import { HART_LOCK_COUNT, MACHINE_BASE, MACHINE_STOP, STOP_NONE } from "../../assembly/layout.ts";
import { hartBase } from "../memory/hart-local.ts";
import { FOREVER } from "../memory/park.ts";
import type { Scheduler } from "../memory/schedule.ts";
import type { SharedMemory } from "../memory/shared.ts";

/** How long a waiting hart sleeps before it looks whether the machine has stopped. */
const SLICE_MS = 50;

export interface DeathInLock {
  /** Which hart dies. */
  readonly hart: number;
  /** In which of its locked sections, counted from 1. */
  readonly section: number;
}

export class DyingScheduler implements Scheduler {
  readonly #shared: SharedMemory;
  readonly #lockCount: number;
  readonly #section: number;
  #held = false;
  #entered = 0;

  constructor(shared: SharedMemory, hartId: number, death: DeathInLock) {
    this.#shared = shared;
    this.#lockCount = hartBase(hartId) + HART_LOCK_COUNT;
    this.#section = death.hart === hartId ? death.section : Number.POSITIVE_INFINITY;
  }

  point(): boolean {
    const held = this.#shared.get(this.#lockCount) > 0;
    if (held && !this.#held && ++this.#entered === this.#section) {
      throw new Error(`this hart dies in locked section ${this.#section} at ${Date.now()} ms`);
    }
    this.#held = held;
    return false;
  }

  wait(_kind: number, address: number, expected: number, deadlineNs: number): void {
    const { i32 } = this.#shared;
    // In slices: there is no doorbell to look at here, and callers test their condition in a loop anyway.
    const timeoutMs = deadlineNs === FOREVER ? SLICE_MS : 1;
    if (i32[(MACHINE_BASE + MACHINE_STOP) >>> 2] === STOP_NONE) Atomics.wait(i32, address >>> 2, expected, timeoutMs);
  }

  allocationFails(): boolean {
    return false;
  }

  ringsLate(): boolean {
    return false;
  }

  retired(): void {}
}
