// What a search learns about its scenario, schedule by schedule: which words harts share, so where a switch can matter,
// and where one has been tried.

import { Contention } from "./contention.ts";
import { Coverage } from "./coverage.ts";
import type { HartDriver } from "./hart-driver.ts";

export class Learned {
  readonly #memoryBytes: number;
  #contention: Contention;
  #coverage: Coverage;

  constructor(memoryBytes: number) {
    this.#memoryBytes = memoryBytes;
    this.#contention = new Contention(memoryBytes);
    this.#coverage = new Coverage(memoryBytes);
  }

  forget(): void {
    this.#contention = new Contention(this.#memoryBytes);
    this.#coverage = new Coverage(this.#memoryBytes);
  }

  /** Does it matter whether another hart goes first? Notes the access. */
  matters({ id, kind, address }: HartDriver): boolean {
    return this.#contention.matters(id, kind, address);
  }

  /** The hart was about to make its access, and the strategy was asked. */
  noteAsked({ id, address }: HartDriver, hasSwitched: boolean): void {
    this.#coverage.note(id, address, hasSwitched);
  }

  noteFreed(address: number, bytes: number): void {
    this.#contention.noteFreed(address, bytes);
  }

  get sharedWords(): number {
    return this.#contention.words;
  }

  get pointsReached(): number {
    return this.#coverage.reached;
  }

  get pointsSwitched(): number {
    return this.#coverage.switched;
  }
}
