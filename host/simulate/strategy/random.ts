// random: any enabled actor at each point, all equally likely. Finds what needs many switches; a bug that needs one
// hart to stand still for long is found by pct.

import { type Actor, Random, type Strategy } from "../strategy.ts";

/** How often a load returns something else than the newest value. */
const CHOOSE_OTHER_OF = 4;

export class RandomStrategy implements Strategy {
  readonly name = "random";
  readonly everyPoint = false;
  readonly #seed: number;
  #random = new Random(0);

  constructor(seed: number) {
    this.#seed = seed;
  }

  begin(index: number): boolean {
    this.#random = Random.of(this.#seed, index);
    return true;
  }

  pick(enabled: Int32Array, count: number): Actor {
    return enabled[count === 1 ? 0 : this.#random.below(count)];
  }

  choose(count: number): number {
    return this.#random.below(CHOOSE_OTHER_OF) === 0 ? this.#random.below(count) : 0;
  }

  end(): void {}
}
