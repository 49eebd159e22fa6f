// PCT: every actor has a random priority, the highest one that is enabled goes on; at d - 1 random points the one that
// runs falls below all others. A bug of depth d among n harts and k points is found with probability 1 / (n * k^(d-1))
// or better. (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of
// Finding Bugs, ASPLOS 2010.)

import { type Actor, Random, type Strategy } from "../strategy.ts";

const ACTORS_MAX = 256;
/** A hart that runs so long while others could is spinning: it falls below them, or the schedule would not end. */
const SPIN_POINTS = 400;

export class PctStrategy implements Strategy {
  readonly name: string;
  readonly everyPoint = false;
  readonly #seed: number;
  readonly #depth: number;
  readonly #priority = new Float64Array(ACTORS_MAX);
  readonly #changeAt: number[] = [];
  #random = new Random(0);
  #asked = 0;
  /** Questions of the longest schedule so far: change points are spread over them. */
  #questions = 100;
  #lowest = 0;
  #running = -1;
  #ranFor = 0;

  constructor(seed: number, depth: number) {
    this.#seed = seed;
    this.#depth = depth;
    this.name = `pct${depth}`;
  }

  begin(index: number): boolean {
    this.#random = Random.of(this.#seed, index);
    for (let actor = 0; actor < ACTORS_MAX; actor++) this.#priority[actor] = this.#random.next();
    this.#changeAt.length = 0;
    for (let i = 1; i < this.#depth; i++) this.#changeAt.push(this.#random.below(this.#questions));
    this.#asked = 0;
    this.#lowest = 0;
    this.#running = -1;
    return true;
  }

  pick(enabled: Int32Array, count: number, current: Actor): Actor {
    const falls = this.#changeAt.includes(this.#asked) || (current === this.#running && this.#ranFor > SPIN_POINTS);
    this.#asked++;
    if (falls && current >= 0) this.#priority[current] = --this.#lowest;
    let best = enabled[0];
    for (let i = 1; i < count; i++) if (this.#priority[enabled[i]] > this.#priority[best]) best = enabled[i];
    this.#ranFor = best === this.#running ? this.#ranFor + 1 : 0;
    this.#running = best;
    return best;
  }

  choose(count: number): number {
    return this.#random.below(2) === 0 ? this.#random.below(count) : 0;
  }

  end(): void {
    this.#questions = Math.max(this.#questions, this.#asked);
  }
}
