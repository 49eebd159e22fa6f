// random: any enabled actor at each point, all equally likely; but each schedule has its own mind about how often to
// ask. Some switch at every point, others let a hart go on for some ten or hundred points: bugs need now the one, now
// the other, because a window of two accesses on one hart must often hold thirty of another.

import { type Actor, COMMIT_BASE, Random, type Strategy } from "../strategy.ts";

const COMMIT_ONE_OF = 8;
/** One of them per schedule: 1 of so many points is a question. */
const ASK_ONE_OF = [1, 2, 6, 24] as const;
/** How often a load returns something else than the newest value. */
const CHOOSE_OTHER_OF = 4;

export class RandomStrategy implements Strategy {
  readonly name = "random";
  readonly everyPoint = false;
  readonly #seed: number;
  #random = new Random(0);
  #askOneOf = 1;

  constructor(seed: number) {
    this.#seed = seed;
  }

  begin(index: number): boolean {
    this.#random = Random.of(this.#seed, index);
    this.#askOneOf = ASK_ONE_OF[this.#random.below(ASK_ONE_OF.length)];
    return true;
  }

  pick(enabled: Int32Array, count: number, current: Actor): Actor {
    if (current >= 0 && this.#random.below(this.#askOneOf) !== 0) return current;
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
