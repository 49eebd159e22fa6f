// Seeds of random tests: drawn anew for each run, printed by the test when it fails, given back by an environment
// variable to replay. The generator is splitmix32: tiny, and the same everywhere.

/** The number in the environment variable, or one drawn for this run. */
export function seedFrom(variable: string): number {
  const given = process.env[variable];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits, unsigned. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** 64 random bits. */
  next64(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }

  /** A whole number from 0 to count - 1. */
  below(count: number): number {
    return Math.floor((this.next() / 2 ** 32) * count);
  }

  /** A whole number from low to high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  chance(part: number): boolean {
    return this.next() < part * 2 ** 32;
  }
}
