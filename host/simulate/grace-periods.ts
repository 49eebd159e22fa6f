// Grace periods that end at the earliest legal moment. The kernel's own end when some hart comes round to it, and in a
// short program none does: what waits for one is freed after the schedule, the latest time there is. With this, what
// waits is freed as soon as every hart has been quiescent since it was queued: parked outside a read section, or in
// user mode (host/memory/rcu.ts). A reader that trusts to luck for another step does so in vain.

import {
  HART_FRAMES_LIST,
  HART_LOCK_COUNT,
  HART_NMI_DEPTH,
  HART_RCU_CB_COUNT,
  HART_RCU_NESTING,
  HART_RUN_STATE,
  RUN_PARKED,
  RUN_STATE_MASK,
  RUN_USER,
} from "../../assembly/layout.ts";
import type { KernelHart } from "../kernel/kernel-hart.ts";
import { rcuDrainAll } from "../memory/rcu.ts";
import { LIST_BUSY } from "../mm/frame/frames.ts";
import { runToEnd } from "./coroutine.ts";

export class GracePeriods {
  readonly #harts: readonly KernelHart[];
  /** Per hart, the step at which it was last quiescent, and the step at which it last queued something. */
  readonly #quietAt: Float64Array;
  readonly #queuedAt: Float64Array;
  readonly #queued: Int32Array;

  constructor(harts: readonly KernelHart[]) {
    this.#harts = harts;
    this.#quietAt = new Float64Array(harts.length);
    this.#queuedAt = new Float64Array(harts.length);
    this.#queued = new Int32Array(harts.length);
  }

  reset(): void {
    this.#quietAt.fill(0);
    this.#queuedAt.fill(0);
    this.#queued.fill(0);
  }

  /** Before access number `step` of the schedule. */
  atStep(step: number): void {
    let last = -1;
    let waiting = 0;
    let quiet = step;
    for (const { id, base, shared } of this.#harts) {
      const { i32 } = shared;
      const count = i32[(base + HART_RCU_CB_COUNT) >>> 2];
      if (count > this.#queued[id]) this.#queuedAt[id] = step;
      this.#queued[id] = count;
      waiting += count;
      if (count > 0 && this.#queuedAt[id] > last) last = this.#queuedAt[id];
      if (isQuiescent(i32, base)) this.#quietAt[id] = step;
      quiet = Math.min(quiet, this.#quietAt[id]);
    }
    if (waiting > 0 && quiet > last && !this.#isBusy()) drainRcu(this.#harts[0]);
  }

  /** Somebody holds what a callback may want. */
  #isBusy(): boolean {
    return this.#harts.some(({ base, shared }) => {
      const { i32 } = shared;
      return i32[(base + HART_LOCK_COUNT) >>> 2] !== 0 || i32[(base + HART_FRAMES_LIST) >>> 2] === LIST_BUSY;
    });
  }
}

/** Runs everything that waits for a grace period, outside the schedule. */
export function drainRcu(hart: KernelHart): void {
  const { scheduler } = hart.shared;
  hart.shared.scheduler = null;
  runToEnd(() => rcuDrainAll(hart, hart.rcuCallbacks));
  hart.shared.scheduler = scheduler;
}

function isQuiescent(i32: Int32Array<ArrayBufferLike>, base: number): boolean {
  const state = i32[(base + HART_RUN_STATE) >>> 2] & RUN_STATE_MASK;
  const inside = i32[(base + HART_RCU_NESTING) >>> 2] + i32[(base + HART_NMI_DEPTH) >>> 2];
  return (state === RUN_PARKED || state === RUN_USER) && inside === 0;
}
