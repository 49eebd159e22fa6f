// Who goes next? A strategy is asked at every schedule point of a schedule; what it answers is recorded, and a recorded
// schedule is a strategy again (replay).

/** An actor is a hart, or from COMMIT_BASE on the store buffer of a hart (memory-model.ts). */
export type Actor = number;
export const COMMIT_BASE = 64;

/** pick() answers so if it has seen enough of this schedule: its rest is nothing new. */
export const NOBODY = -1;

/** What a strategy may look at: what the actors would do next, and what has happened. */
export interface Pending {
  /** POINT_*, and the word; of a store buffer POINT_GUEST, which may touch everything. */
  kindOf(actor: Actor): number;
  addressOf(actor: Actor): number;
  /** Goes up whenever something happens that a checker looks at, beyond the words that harts share. */
  readonly events: number;
  /** Points of this schedule so far. */
  readonly points: number;
  /** Words found shared so far: when it grows, more accesses become questions. */
  readonly sharedWords: number;
}

export interface Strategy {
  readonly name: string;
  /** Asked at every access, not only where it matters: a replay. */
  readonly everyPoint: boolean;
  /** Before schedule number `index`; false: there is none left. */
  begin(index: number): boolean;
  /** One of the first `count` of `enabled`, or NOBODY. `current` is among them, or -1; harts come before buffers. */
  pick(enabled: Int32Array, count: number, current: Actor, pending: Pending): Actor;
  /**
   * A number below `count`: which of several values a load returns, whether an event is injected. 0 is the usual one.
   */
  choose(count: number): number;
  /** The schedule is over after so many points. */
  end(points: number): void;
}

/** splitmix32: small, seedable, and the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A generator of its own for each schedule, so that schedule 5,000 does not need the 4,999 before it. */
  static of(seed: number, index: number): Random {
    const random = new Random(Math.imul(seed, 0x9e3779b9) ^ Math.imul(index + 1, 0x85ebca6b));
    random.next();
    return random;
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  below(count: number): number {
    return this.next() % count;
  }
}
