// random: any enabled actor at each point, all equally likely. Finds what needs many switches; a bug that needs one
// hart to stand still for long is found by pct.

import { type Actor, COMMIT_BASE, Random, type Strategy } from "../strategy.ts";

const COMMIT_ONE_OF = 8;
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
    let harts = 0;
    while (harts < count && enabled[harts] < COMMIT_BASE) harts++;
    // Store buffers, which come last, are mostly left alone: what shows is a store that waits for long.
    const commits = harts === 0 || (harts < count && this.#random.below(COMMIT_ONE_OF) === 0);
    return commits ? enabled[harts + this.#random.below(count - harts)] : enabled[this.#random.below(harts)];
  }

  choose(count: number): number {
    return this.#random.below(CHOOSE_OTHER_OF) === 0 ? this.#random.below(count) : 0;
  }

  end(): void {}
}
