// What a schedule may bring besides the order of accesses. Each of these is drawn by choose(), so it is part of the
// schedule, of its file and of its replay, and any strategy searches it.

import { HART_DOORBELL } from "../../assembly/layout.ts";
import { hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";

/**
 * nmi: to each hart comes a non-maskable interrupt, at any time, interrupts off or not, whatever it does or waits for.
 * late-ipi: what a hart rings at another one's doorbell arrives some accesses later.
 * earliest-grace: grace periods end at the earliest legal moment (grace-periods.ts), not after the schedule.
 * allocation-failure: any allocation of the programs may fail, as if memory had run out for a moment.
 */
export const INJECTIONS = ["nmi", "late-ipi", "earliest-grace", "allocation-failure"] as const;
export type Injection = (typeof INJECTIONS)[number];

/** What every scenario must hold with. Allocations fail only in those that say so: others take memory for granted. */
export const INJECTIONS_FOR_ALL: readonly Injection[] = ["nmi", "late-ipi", "earliest-grace"];

/** By how many accesses of any hart a ring is late. */
const DELAYS = [0, 12, 50, 200] as const;

/** Rings that are on their way. */
export class LateRings {
  readonly #shared: SharedMemory;
  readonly #target: number[] = [];
  readonly #bits: number[] = [];
  readonly #due: number[] = [];

  constructor(shared: SharedMemory) {
    this.#shared = shared;
  }

  reset(): void {
    this.#target.length = 0;
    this.#bits.length = 0;
    this.#due.length = 0;
  }

  /** True if the ring is late by then: `choose` says by how much, from access number `step` on. */
  send(target: number, bits: number, step: number, choose: (count: number) => number): boolean {
    const delay = DELAYS[choose(DELAYS.length)];
    if (delay === 0) return false;
    this.#target.push(target);
    this.#bits.push(bits);
    this.#due.push(step + delay);
    return true;
  }

  /** Before access number `step`: what is due arrives. True if anything did. */
  arrive(step: number): boolean {
    let any = false;
    for (let at = this.#due.length - 1; at >= 0; at--) {
      if (this.#due[at] > step) continue;
      this.#shared.i32[(hartBase(this.#target[at]) + HART_DOORBELL) >>> 2] |= this.#bits[at];
      any = true;
      this.#target.splice(at, 1);
      this.#bits.splice(at, 1);
      this.#due.splice(at, 1);
    }
    return any;
  }
}
