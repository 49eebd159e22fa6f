// Lock order (Linux: lockdep). Locks of one kind are one class; a class that was taken while another was held comes
// after it, and whoever takes them the other way round could deadlock with the first, in some schedule if not in this
// one. A handler of an interrupt takes no lock at all: what it interrupts may hold it.

import { HART_IRQ_DEPTH } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import type { Report } from "./checker.ts";
import { classNameOf, nameOf } from "./names.ts";

export class LockOrderChecker {
  readonly #harts: readonly HartLocal[];
  readonly #report: Report;
  /** Per hart, the locks it holds, in the order in which it took them. */
  readonly #held: number[][];
  /** Classes that were taken while the key was held. */
  readonly #after = new Map<string, Set<string>>();

  /** Of every lock met so far. */
  readonly #classes = new Map<number, string>();

  constructor(harts: readonly HartLocal[], report: Report) {
    this.#harts = harts;
    this.#report = report;
    this.#held = harts.map(() => []);
  }

  reset(): void {
    for (const held of this.#held) held.length = 0;
    this.#after.clear();
  }

  wanted(hart: number, address: number): void {
    const held = this.#held[hart];
    if (this.#harts[hart].shared.i32[(this.#harts[hart].base + HART_IRQ_DEPTH) >>> 2] > 0) {
      this.#report("lock in an interrupt", `hart ${hart} takes ${nameOf(address)} in an interrupt handler`);
    }
    if (held.length === 0) return;
    if (held.includes(address)) {
      this.#report("lock order", `hart ${hart} takes ${nameOf(address)}, which it holds`);
    }
    const wanted = this.#classOf(address);
    for (const other of held) this.#order(hart, this.#classOf(other), wanted);
  }

  taken(hart: number, address: number): void {
    this.#held[hart].push(address);
  }

  dropped(hart: number, address: number): void {
    const held = this.#held[hart];
    const at = held.lastIndexOf(address);
    if (at >= 0) held.splice(at, 1);
  }

  #classOf(address: number): string {
    let name = this.#classes.get(address);
    if (name === undefined) {
      name = classNameOf(address);
      this.#classes.set(address, name);
    }
    return name;
  }

  #order(hart: number, first: string, second: string): void {
    if (first === second) return; // by address: whoever takes two of a class has a rule of its own
    const known = this.#after.get(first);
    if (known?.has(second)) return;
    if (this.#leadsTo(second, first)) {
      this.#report(
        "lock order",
        `hart ${hart} takes ${second} with ${first} held; they were taken the other way round`,
      );
    }
    if (known === undefined) this.#after.set(first, new Set([second]));
    else known.add(second);
  }

  #leadsTo(from: string, to: string): boolean {
    const reached = new Set([from]);
    for (const each of reached) {
      for (const next of this.#after.get(each) ?? []) reached.add(next);
    }
    return reached.has(to);
  }
}
