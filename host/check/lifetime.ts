// Object incarnations: an access to a record that has been given back to its pool. Records that are reused while
// readers may still look at them (vmas under some policies, and task records) are none of this checker's business; an
// mm is, and so is a node of the vma map, which nobody looks at any more when its grace period is over. What the free
// list and those who tell incarnations apart need may be looked at.

import { LINE_BYTES, POOL_MM, POOL_VMA_NODE, RCU_HEAD_BYTES } from "../../assembly/layout.ts";
import { kmemCacheObject } from "../memory/slab.ts";
import type { Report } from "./checker.ts";
import { nameOf } from "./names.ts";

/** A pool whose records nobody may touch after the free, beyond their first bytes. */
interface StrictPool {
  readonly first: number;
  readonly end: number;
  readonly slotBytes: number;
  readonly openBytes: number;
}

/** Of each pool, so many records are watched: more than a scenario has. */
const WATCHED = 1024;

const STRICT: ReadonlyMap<number, StrictPool> = new Map([
  [POOL_MM, strict(POOL_MM, LINE_BYTES)],
  [POOL_VMA_NODE, strict(POOL_VMA_NODE, RCU_HEAD_BYTES)],
]);

function strict(pool: number, openBytes: number): StrictPool {
  const first = kmemCacheObject(pool, 0);
  const slotBytes = kmemCacheObject(pool, 1) - first;
  return { first, end: first + WATCHED * slotBytes, slotBytes, openBytes };
}

export class LifetimeChecker {
  readonly #report: Report;
  /** Free records of strict pools that were in use before. */
  readonly #free = new Set<number>();

  constructor(report: Report) {
    this.#report = report;
  }

  reset(): void {
    this.#free.clear();
  }

  allocated(_pool: number, slot: number): void {
    this.#free.delete(slot);
  }

  freed(pool: number, slot: number): void {
    if (!STRICT.has(pool)) return;
    if (this.#free.has(slot)) this.#report("double free", `${nameOf(slot)} is freed twice`);
    this.#free.add(slot);
  }

  access(hart: number, address: number): void {
    if (this.#free.size === 0) return;
    for (const { first, end, slotBytes, openBytes } of STRICT.values()) {
      if (address < first || address >= end) continue;
      const offset = (address - first) % slotBytes;
      if (offset < openBytes || !this.#free.has(address - offset)) return;
      this.#report("use after free", `hart ${hart} touches ${nameOf(address)} of a freed record`);
    }
  }
}
