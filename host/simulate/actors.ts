// Who could go on: the harts of a scenario, and with a weak memory their store buffers, which may commit a store at any
// time. A hart that waits is enabled when its word has changed, its doorbell rings, or its deadline has passed.

import { MACHINE_BASE, MACHINE_VIRTUAL_NS } from "../../assembly/layout.ts";
import { FOREVER } from "../memory/park.ts";
import { POINT_GUEST } from "../memory/schedule.ts";
import type { SharedMemory } from "../memory/shared.ts";
import type { HartDriver } from "./hart-driver.ts";
import type { HartMemory } from "./memory-model.ts";
import { type Actor, COMMIT_BASE } from "./strategy.ts";

const ACTORS_MAX = 256;

export class Actors {
  readonly #shared: SharedMemory;
  readonly #drivers: readonly HartDriver[];
  /** Of the harts, or none at all. */
  readonly #memories: readonly HartMemory[];
  /** The first `count` are enabled, as find() has found them: harts first. */
  readonly enabled = new Int32Array(ACTORS_MAX);
  count = 0;

  constructor(shared: SharedMemory, drivers: readonly HartDriver[], memories: readonly HartMemory[]) {
    this.#shared = shared;
    this.#drivers = drivers;
    this.#memories = memories;
  }

  /** How many are enabled now. */
  find(): number {
    this.count = 0;
    for (let id = 0; id < this.#drivers.length; id++) {
      if (this.#drivers[id].canRun()) this.enabled[this.count++] = id;
    }
    for (let id = 0; id < this.#memories.length; id++) {
      if (this.#memories[id].hasBuffered) this.enabled[this.count++] = COMMIT_BASE + id;
    }
    return this.count;
  }

  /** The first hart that could go on instead of hart `id`; `id` itself if it is the only one. */
  anotherThan(id: number): number {
    this.find();
    for (let i = 0; i < this.count; i++) {
      if (this.enabled[i] < COMMIT_BASE && this.enabled[i] !== id) return this.enabled[i];
    }
    return id;
  }

  kindOf(actor: Actor): number {
    return actor < COMMIT_BASE ? this.#drivers[actor].kind : POINT_GUEST;
  }

  addressOf(actor: Actor): number {
    return actor < COMMIT_BASE ? this.#drivers[actor].address : 0;
  }

  /** The actor is a store buffer: one of its stores becomes visible. */
  commit(actor: Actor): void {
    this.#memories[actor - COMMIT_BASE].commitOne();
  }

  areAtRest(): boolean {
    return this.#drivers.every((driver) => driver.isAtRest());
  }

  /** To the earliest deadline; false if there is none. */
  passTime(): boolean {
    let earliestNs = FOREVER;
    for (const driver of this.#drivers) earliestNs = Math.min(earliestNs, driver.deadlineNs);
    if (earliestNs === FOREVER) return false;
    this.#shared.setF64(MACHINE_BASE + MACHINE_VIRTUAL_NS, earliestNs);
    return true;
  }

  describeWaits(): string {
    const waits = this.#drivers.filter((driver) => driver.isWaiting()).map((driver) => driver.describeWait());
    return `every hart waits: ${waits.join("; ")}`;
  }
}
