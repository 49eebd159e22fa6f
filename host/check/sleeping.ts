// might_sleep: what may sleep or wait for a grace period is not called with a spin lock held, in an RCU read section,
// or with interrupts off, even when it happens not to wait this time.

import type { HartLocal } from "../memory/hart-local.ts";
import type { Report } from "./checker.ts";

export class SleepingChecker {
  readonly #harts: readonly HartLocal[];
  readonly #report: Report;

  constructor(harts: readonly HartLocal[], report: Report) {
    this.#harts = harts;
    this.#report = report;
  }

  mightSleep(hart: number, what: string): void {
    if (!this.#harts[hart].inAtomicContext()) return;
    this.#report("sleep in atomic context", `hart ${hart} calls ${what} in atomic context`);
  }
}
