// mixed: random and PCT in turns, PCT of depths 2 to 4. Random schedules find bugs that show in many orders; PCT those
// that need one hart to stand still at one access for as long as another one takes for all it has to do.

import type { Actor, Pending, Strategy } from "../strategy.ts";
import { PctStrategy } from "./pct.ts";
import { RandomStrategy } from "./random.ts";

const DEPTHS = [2, 3, 4] as const;

export class MixedStrategy implements Strategy {
  readonly name = "mixed";
  readonly everyPoint = false;
  readonly #turns: readonly Strategy[];
  #now: Strategy;

  constructor(seed: number) {
    this.#turns = DEPTHS.flatMap((depth) => [new RandomStrategy(seed), new PctStrategy(seed, depth)]);
    this.#now = this.#turns[0];
  }

  begin(index: number): boolean {
    this.#now = this.#turns[index % this.#turns.length];
    return this.#now.begin(index);
  }

  pick(enabled: Int32Array, count: number, current: Actor, pending: Pending): Actor {
    return this.#now.pick(enabled, count, current, pending);
  }

  choose(count: number): number {
    return this.#now.choose(count);
  }

  end(points: number): void {
    this.#now.end(points);
  }
}
