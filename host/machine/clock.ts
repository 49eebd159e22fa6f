// The machine's clocks. Threaded: the host's monotonic clock, with one zero (MACHINE_BOOT_HRTIME_NS) for all harts,
// although performance.now() counts from the start of each worker. Deterministic: virtual time in shared memory.

import { MACHINE_BASE, MACHINE_BOOT_HRTIME_NS, MACHINE_VIRTUAL_NS } from "../../assembly/layout.ts";
import type { Clock } from "../memory/hart-services.ts";
import type { SharedMemory } from "../memory/shared.ts";

const CALIBRATION_COUNT = 8;

/** Nanoseconds since boot. performance.now() allocates nothing, which process.hrtime would. */
export class HostClock implements Clock {
  readonly #offsetNs: number;

  /** `hrtimeNs` reads the clock that all threads share. */
  constructor(shared: SharedMemory, hrtimeNs: () => number) {
    this.#offsetNs = calibrate(hrtimeNs) - shared.getF64(MACHINE_BASE + MACHINE_BOOT_HRTIME_NS);
  }

  now(): number {
    return performance.now() * 1e6 + this.#offsetNs;
  }
}

/** Advanced by the scheduler (deterministic.ts): 1 ns per retired instruction and per schedule point. */
export class VirtualClock implements Clock {
  readonly #f64: Float64Array<ArrayBufferLike>;

  constructor(shared: SharedMemory) {
    this.#f64 = shared.f64;
  }

  now(): number {
    return this.#f64[(MACHINE_BASE + MACHINE_VIRTUAL_NS) >>> 3];
  }
}

/** What to add to performance.now() in ns: the reading with the shortest way between the two clocks wins. */
function calibrate(hrtimeNs: () => number): number {
  let best = 0;
  let bestGap = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < CALIBRATION_COUNT; attempt++) {
    const before = hrtimeNs();
    const here = performance.now() * 1e6;
    const gap = hrtimeNs() - before;
    if (gap < bestGap) {
      bestGap = gap;
      best = before + gap / 2 - here;
    }
  }
  return best;
}
