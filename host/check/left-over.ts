// The ledger: when everything has been given back, as many frames and records are in use as before the scenario, and
// init_mm, which is never freed, has no reference of a borrower.

import {
  MACHINE_BASE,
  MACHINE_FRAMES_FRESH,
  MACHINE_INIT_MM,
  MM_COUNT,
  MM_USERS,
  PAGE_FLAGS,
  PAGE_REFCOUNT,
  PG_FREE,
  POOL_ANON_VMA,
  POOL_FILE,
  POOL_MAPPING,
  POOL_MM,
  POOL_VMA,
  POOL_VMA_LOCK,
  POOL_VMA_NODE,
  RAM_PFN_BASE,
} from "../../assembly/layout.ts";
import { KMEM_CACHES } from "../memory/kmem-caches.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { kmemCacheLive } from "../memory/slab.ts";
import { pageOf } from "../mm/frame/page.ts";
import type { StateChecker } from "./checker.ts";

/** Not tasks and what is theirs: a scenario may end with them. */
const POOLS = [POOL_MM, POOL_VMA, POOL_VMA_NODE, POOL_VMA_LOCK, POOL_ANON_VMA, POOL_MAPPING, POOL_FILE];

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
    if (changed.length > 0)
      return changed.map((what) => `${what}: ${now[what]}, before ${this.#before[what]}`).join("; ");
    const initMm = this.#shared.i32[(MACHINE_BASE + MACHINE_INIT_MM) >>> 2];
    const count = this.#shared.i32[(initMm + MM_COUNT) >>> 2];
    // No hart borrows it any more; its own users are one reference.
    return count === 1 ? "" : `init_mm has ${count} references instead of 1`;
  }

  #count(): Record<string, number> {
    const shared = this.#shared;
    const initMm = shared.i32[(MACHINE_BASE + MACHINE_INIT_MM) >>> 2];
    const counts: Record<string, number> = {};
    for (const pool of POOLS) counts[KMEM_CACHES[pool].name] = kmemCacheLive(shared, pool);
    counts["init_mm users"] = shared.i32[(initMm + MM_USERS) >>> 2];
    counts.frames = this.#framesInUse();
    return counts;
  }

  #framesInUse(): number {
    const { i32 } = this.#shared;
    const fresh = i32[(MACHINE_BASE + MACHINE_FRAMES_FRESH) >>> 2];
    let inUse = 0;
    for (let pfn = RAM_PFN_BASE; pfn < fresh; pfn++) {
      const page = pageOf(pfn) >>> 2;
      // A frame that was never handed out has no flags, and no references either.
      if (i32[page + (PAGE_FLAGS >>> 2)] !== PG_FREE && i32[page + (PAGE_REFCOUNT >>> 2)] !== 0) inUse++;
    }
    return inUse;
  }
}
