// The ledger: when everything has been given back, as many frames and records are free as before the scenario, and
// init_mm, which is never freed, has the references that it had.

import {
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MM_COUNT,
  MM_USERS,
  POOL_MM,
  POOL_VMA,
  POOL_VMA_NODE,
} from "../../assembly/layout.ts";
import { poolLive } from "../memory/pool.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { freeFrameCount } from "../mm/frames.ts";
import type { StateChecker } from "./checker.ts";

const POOLS: Readonly<Record<string, number>> = { mm: POOL_MM, vma: POOL_VMA, "vma node": POOL_VMA_NODE };

export class LeftOverChecker implements StateChecker {
  readonly #shared: SharedMemory;
  readonly #before: Readonly<Record<string, number>>;

  /** Before the scenario's set-up. */
  constructor(shared: SharedMemory) {
    this.#shared = shared;
    this.#before = this.#count();
  }

  reset(): void {}

  check(): string {
    return "";
  }

  checkAtEnd(): string {
    const now = this.#count();
    const changed = Object.keys(now).filter((what) => now[what] !== this.#before[what]);
    return changed.map((what) => `${what}: ${now[what]} in use, ${this.#before[what]} before`).join("; ");
  }

  #count(): Record<string, number> {
    const shared = this.#shared;
    const initMm = shared.i32[(MACHINE_BASE + MACHINE_INIT_MM) >>> 2];
    const counts: Record<string, number> = {};
    for (const [name, pool] of Object.entries(POOLS)) counts[name] = poolLive(shared, pool);
    counts["init_mm users"] = shared.i32[(initMm + MM_USERS) >>> 2];
    counts["init_mm count"] = shared.i32[(initMm + MM_COUNT) >>> 2];
    counts.frames = -freeFrameCount(shared);
    return counts;
  }
}
