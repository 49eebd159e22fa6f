// Object incarnations: an access to a record that has been given back to its pool. Records that are reused while
// readers may still look at them (vmas and nodes of their map, which wait for a grace period, and task records) are
// none of this checker's business; an mm is, and so are the tables of files and signals. The first line of a record may
// be looked at: the link of the free list and the generation that tells incarnations apart are there.

import { LINE_BYTES, POOL_COUNT, POOL_MM } from "../../assembly/layout.ts";
import { poolSlot } from "../memory/pool.ts";
import type { Report } from "./checker.ts";
import { nameOf } from "./names.ts";

/** Pools whose records nobody may touch after the free. */
const STRICT: readonly number[] = [POOL_MM];

export class LifetimeChecker {
  readonly #report: Report;
  /** Free records of strict pools that were in use before. */
  readonly #free = new Set<number>();
  readonly #first: number;
  readonly #end: number;
  readonly #bytes: number;

  constructor(report: Report) {
    this.#report = report;
    this.#first = poolSlot(STRICT[0], 0);
    this.#bytes = poolSlot(STRICT[0], 1) - this.#first;
    this.#end = this.#first + this.#bytes * 1024;
  }

  reset(): void {
    this.#free.clear();
  }

  allocated(_pool: number, slot: number): void {
    this.#free.delete(slot);
  }

  freed(pool: number, slot: number): void {
    if (pool < 0 || pool >= POOL_COUNT || !STRICT.includes(pool)) return;
    if (this.#free.has(slot)) this.#report("double free", `${nameOf(slot)} is freed twice`);
    this.#free.add(slot);
  }

  access(hart: number, address: number): void {
    if (address < this.#first || address >= this.#end || this.#free.size === 0) return;
    const offset = (address - this.#first) % this.#bytes;
    if (offset < LINE_BYTES || !this.#free.has(address - offset)) return;
    this.#report("use after free", `hart ${hart} touches ${nameOf(address)} of a freed record`);
  }
}
