// round robin: each actor for a quantum of points drawn from the seed, as in the baton driver.

import { type Actor, Random, type Strategy } from "../strategy.ts";

const QUANTUM_POINTS_MAX = 64;

export class RoundRobinStrategy implements Strategy {
  readonly name = "round-robin";
  readonly everyPoint = false;
  readonly #seed: number;
  #random = new Random(0);
  #left = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  begin(index: number): boolean {
    this.#random = Random.of(this.#seed, index);
    this.#left = 0;
    return true;
  }

  pick(enabled: Int32Array, count: number, current: Actor): Actor {
    if (current >= 0 && this.#left > 0) {
      this.#left--;
      return current;
    }
    this.#left = this.#random.below(QUANTUM_POINTS_MAX);
    for (let i = 0; i < count; i++) if (enabled[i] > current) return enabled[i];
    return enabled[0];
  }

  choose(): number {
    return 0;
  }

  end(): void {}
}
