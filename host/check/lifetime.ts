// Object incarnations: an access to a record that has been given back to its cache; a second free of any. Records of a
// type-safe cache may be looked at when they are others already, so accesses to them are none of this checker's
// business. An mm's are, and so are those to a task or a node of the vma map, which nobody looks at any more when its
// grace period is over. What the free list and those who tell incarnations apart need may be looked at.

import { LINE_BYTES, POOL_MM, POOL_TASK, POOL_VMA_NODE, RCU_HEAD_BYTES } from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { KMEM_CACHES, SLAB_TYPESAFE_BY_RCU } from "../memory/kmem-caches.ts";
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

/** SLOT_NEXT. */
const SLOT_BYTES = 4;

const STRICT: ReadonlyMap<number, StrictPool> = new Map([
  [POOL_MM, strict(POOL_MM, LINE_BYTES)],
  [POOL_VMA_NODE, strict(POOL_VMA_NODE, RCU_HEAD_BYTES)],
  [POOL_TASK, strict(POOL_TASK, SLOT_BYTES)],
]);

function strict(pool: number, openBytes: number): StrictPool {
  const { flags, name, objectBytes: slotBytes } = KMEM_CACHES[pool];
  if ((flags & SLAB_TYPESAFE_BY_RCU) !== 0) throw new KernelBug("a type-safe cache may be looked at", { name });
  const first = kmemCacheObject(pool, 0);
  return { first, end: first + WATCHED * slotBytes, slotBytes, openBytes };
}

export class LifetimeChecker {
  readonly #report: Report;
  /** Free records of strict pools that were in use before. */
  readonly #free = new Set<number>();
  /** The same of all pools. */
  readonly #freed = new Set<number>();

  constructor(report: Report) {
    this.#report = report;
  }

  reset(): void {
    this.#free.clear();
    this.#freed.clear();
  }

  allocated(_pool: number, slot: number): void {
    this.#free.delete(slot);
    this.#freed.delete(slot);
  }

  freed(pool: number, slot: number): void {
    if (this.#freed.has(slot)) this.#report("double free", `${nameOf(slot)} is freed twice`);
    this.#freed.add(slot);
    if (STRICT.has(pool)) this.#free.add(slot);
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
