// NMIs of a schedule: to each hart one at most, before an access that choose() draws. Its handler is a coroutine on top
// of the hart's own, wherever that stands: about to make an access, parked, or not begun.

import type { KernelHart } from "../kernel/kernel-hart.ts";
import { asCoroutine } from "./coroutine.ts";
import type { HartDriver } from "./hart-driver.ts";

/** Before any schedule has run. */
const ACCESSES_GUESSED = 100;

export class Nmis {
  readonly #drivers: readonly HartDriver[];
  readonly #handler: (hart: KernelHart) => void;
  /** Accesses of the longest schedule so far: NMIs are spread over them. */
  #accessesMost = ACCESSES_GUESSED;

  constructor(drivers: readonly HartDriver[], handler: (hart: KernelHart) => void) {
    this.#drivers = drivers;
    this.#handler = handler;
  }

  /** When they come in this schedule. How long one is has been learned; a replay takes any number up to `replayMax`. */
  draw(choose: (count: number) => number, isReplay: boolean, replayMax: number): void {
    for (const driver of this.#drivers) driver.nmiAt = choose(1 + (isReplay ? replayMax : this.#accessesMost));
  }

  noteLength(accesses: number): void {
    this.#accessesMost = Math.max(this.#accessesMost, accesses);
  }

  /** What was learned. */
  forget(): void {
    this.#accessesMost = ACCESSES_GUESSED;
  }

  /** None comes any more. */
  stop(): void {
    for (const driver of this.#drivers) driver.nmiAt = 0;
  }

  /** Those that are due before access number `step` come; true if one comes to the hart that runs. */
  come(step: number, running: HartDriver, record: (driver: HartDriver) => void): boolean {
    let isHit = false;
    for (const driver of this.#drivers) {
      if (driver.nmiAt === 0 || driver.nmiAt > step) continue;
      driver.interrupt(asCoroutine(() => this.#handler(driver.hart)));
      record(driver);
      isHit ||= driver === running;
    }
    return isHit;
  }
}
