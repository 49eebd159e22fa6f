// aborting: random, but every schedule is given up somewhere in the middle. For the check that nothing of a schedule
// stays behind for the next one, however it ended.

import { type Actor, NOBODY, Random, type Strategy } from "../strategy.ts";
import { RandomStrategy } from "./random.ts";

const GIVE_UP_ONE_OF = 60;

export class AbortingStrategy implements Strategy {
  readonly name = "aborting";
  readonly everyPoint = false;
  readonly #seed: number;
  readonly #random: RandomStrategy;
  #dice = new Random(0);

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new RandomStrategy(seed);
  }

  begin(index: number): boolean {
    this.#dice = Random.of(~this.#seed, index);
    return this.#random.begin(index);
  }

  pick(enabled: Int32Array, count: number, current: Actor): Actor {
    if (this.#dice.below(GIVE_UP_ONE_OF) === 0) return NOBODY;
    return this.#random.pick(enabled, count, current);
  }

  choose(count: number): number {
    return this.#random.choose(count);
  }

  end(): void {}
}
