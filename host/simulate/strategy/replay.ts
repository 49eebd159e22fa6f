// replay: the choices of a schedule that ran before. Strict: it must fit to the last choice. Lenient, for the
// minimiser: where the recorded actor cannot go, the one that runs goes on.

import type { Actor, Strategy } from "../strategy.ts";

/** The choices are not of a schedule of this scenario, policies and kernel. */
export class ReplayMisfit extends Error {
  override readonly name = "ReplayMisfit";
}

export class ReplayStrategy implements Strategy {
  readonly name = "replay";
  readonly everyPoint = true;
  readonly #choices: readonly number[];
  readonly #strict: boolean;
  #at = 0;

  constructor(choices: readonly number[], strict: boolean) {
    this.#choices = choices;
    this.#strict = strict;
  }

  begin(): boolean {
    this.#at = 0;
    return true;
  }

  pick(enabled: Int32Array, count: number, current: Actor): Actor {
    const wanted = this.#at < this.#choices.length ? this.#choices[this.#at++] : this.#end();
    for (let i = 0; i < count; i++) if (enabled[i] === wanted) return wanted;
    if (this.#strict) throw new ReplayMisfit(`actor ${wanted} cannot go on at choice ${this.#at - 1}`);
    return current >= 0 ? current : enabled[0];
  }

  choose(count: number): number {
    const wanted = this.#at < this.#choices.length ? this.#choices[this.#at++] : this.#end();
    if (wanted >= 0 && wanted < count) return wanted;
    if (this.#strict) throw new ReplayMisfit(`there is no value ${wanted} at choice ${this.#at - 1}`);
    return 0;
  }

  end(): void {}

  #end(): number {
    if (this.#strict) throw new ReplayMisfit("it goes on beyond its last choice");
    return -1;
  }
}
