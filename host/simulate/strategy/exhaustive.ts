// exhaustive: every schedule with at most so many preemptions, fewest first (Musuvathi and Qadeer: Iterative Context
// Bounding for Systematic Testing of Multithreaded Programs, PLDI 2007). A preemption is a switch away from a hart that
// could go on; a store that is committed early, or a load that returns something else than the newest value, counts as
// one. Depth first: a schedule is the one before with its last open question answered otherwise.
//
// Sleep sets (Godefroid) leave out what is another order of steps that do not touch each other: an actor whose step has
// been tried at a question sleeps in the branches of its siblings until somebody does a step that its own depends on.
// Steps depend on each other if they use the same word and one writes it, or if one of them did something that checkers
// look at beyond the words. With a bound, a schedule may be left out whose equal needs one preemption more: it comes
// with the next bound.
//
// The questions depend on which words are shared, and that is learned: some random schedules come first, and whenever
// another word turns out to be shared the search of that bound begins again.

import {
  POINT_ACQUIRE,
  POINT_GUEST,
  POINT_IDLE,
  POINT_IPI,
  POINT_ONCE_LOAD,
  POINT_WAIT,
} from "../../memory/schedule.ts";
import { type Actor, COMMIT_BASE, NOBODY, type Pending, type Strategy } from "../strategy.ts";
import { RandomStrategy } from "./random.ts";

const WARM_UP_SCHEDULES = 32;

/** What an actor did, as far as it is known. */
interface Step {
  readonly kind: number;
  readonly address: number;
  /** Depends on everything. */
  readonly isGlobal: boolean;
}

/** A question, and how far its answers have been tried. */
interface Question {
  /** Actors, the one that goes on by itself first; or the values 0, 1, ... */
  readonly answers: readonly number[];
  readonly isValue: boolean;
  /** Another answer than the first is a preemption. */
  readonly isCostly: boolean;
  /** Preemptions before it. */
  readonly spent: number;
  /** Some answer before it was not the first. */
  readonly isAside: boolean;
  /** Its other answers are tried by another shard. */
  readonly isOthers: boolean;
  readonly asleep: Map<Actor, Step>;
  /** Of the answer that is being tried, once it is known. */
  step: Step | null;
  at: number;
}

export class ExhaustiveStrategy implements Strategy {
  readonly name = "exhaustive";
  readonly everyPoint = false;
  readonly #warmUp: RandomStrategy;
  readonly #boundMax: number;
  readonly #shard: number;
  readonly #shards: number;
  readonly #path: Question[] = [];
  #bound = 0;
  #begun = 0;
  /** Where this schedule is on the path. */
  #depth = 0;
  /** The last question about actors, and what had happened until then. */
  #last: Question | null = null;
  #lastKind = 0;
  #lastAddress = 0;
  #events = 0;
  /** Points of the schedule until the last question about actors. */
  #points = 0;
  #sharedWords = -1;
  #isLost = false;
  #isWarmingUp = true;

  /** Of the bugs of depth `depth`, with depth - 1 preemptions, those of shard number `shard`. */
  constructor(seed: number, depth: number, shard: number, shards: number) {
    this.#warmUp = new RandomStrategy(seed);
    this.#boundMax = depth - 1;
    this.#shard = shard;
    this.#shards = shards;
  }

  begin(index: number): boolean {
    this.#isWarmingUp = this.#begun++ < WARM_UP_SCHEDULES;
    if (this.#isWarmingUp) return this.#warmUp.begin(index);
    const isFirst = this.#begun === WARM_UP_SCHEDULES + 1;
    if (this.#isLost) this.#path.length = 0;
    else if (!isFirst && !this.#advance()) return false;
    this.#isLost = false;
    this.#depth = 0;
    this.#last = null;
    this.#points = 0;
    return true;
  }

  pick(enabled: Int32Array, count: number, current: Actor, pending: Pending): Actor {
    if (this.#isWarmingUp) {
      this.#sharedWords = pending.sharedWords;
      return this.#warmUp.pick(enabled, count, current);
    }
    if (this.#sharedWords !== pending.sharedWords) this.#isLost = true;
    this.#sharedWords = pending.sharedWords;
    if (this.#isLost) return current >= 0 ? current : enabled[0];
    this.#noteStep(current, pending);
    const question = this.#path[this.#depth] ?? this.#askActors(enabled, count, current, pending);
    if (question === null) return NOBODY;
    this.#depth++;
    const actor = question.answers[question.at];
    this.#last = question;
    this.#lastKind = pending.kindOf(actor);
    this.#lastAddress = pending.addressOf(actor);
    this.#events = pending.events;
    this.#points = pending.points;
    return actor;
  }

  choose(count: number): number {
    if (this.#isWarmingUp) return this.#warmUp.choose(count);
    if (this.#isLost) return 0;
    let question = this.#path[this.#depth];
    if (question === undefined) {
      const values = Array.from({ length: count }, (_, value) => value);
      question = this.#question(values, true, true, this.#points);
      this.#path.push(question);
    }
    this.#depth++;
    return question.answers[question.at];
  }

  end(): void {}

  /** The next schedule: false if there is none within the bounds. */
  #advance(): boolean {
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      if (last.step !== null) last.asleep.set(last.answers[last.at], last.step);
      last.step = null;
      if (this.#nextAnswer(last, last.at + 1)) return true;
      this.#path.pop();
    }
    return ++this.#bound <= this.#boundMax;
  }

  /** Moves on to the first answer from `from` on that may be tried. */
  #nextAnswer(question: Question, from: number): boolean {
    const { answers, asleep, isOthers, spent } = question;
    for (let at = from; at < answers.length; at++) {
      if (at > 0 && isOthers) return false;
      if (spent + costOf(question, at) > this.#bound || asleep.has(answers[at])) continue;
      question.at = at;
      return true;
    }
    return false;
  }

  /** The step of the last answer is over; what it did before a wait the checkers have not looked at yet. */
  #noteStep(current: Actor, pending: Pending): void {
    if (this.#last === null || this.#last.step !== null) return;
    const isGlobal = current < 0 || ALWAYS_GLOBAL.has(this.#lastKind) || pending.events !== this.#events;
    this.#last.step = { kind: this.#lastKind, address: this.#lastAddress, isGlobal };
  }

  #askActors(enabled: Int32Array, count: number, current: Actor, pending: Pending): Question | null {
    const answers = [...enabled.subarray(0, count)];
    const goesOn = answers.includes(current);
    if (goesOn) answers.sort((a, b) => Number(b === current) - Number(a === current));
    const question = this.#question(answers, false, goesOn, pending.points);
    for (const [actor, step] of this.#sleepers()) question.asleep.set(actor, step);
    if (!this.#nextAnswer(question, 0)) return null;
    this.#path.push(question);
    return question;
  }

  /** Shards divide among them where a schedule first leaves the one of first answers: at point number `point`. */
  #question(answers: readonly number[], isValue: boolean, isCostly: boolean, point: number): Question {
    const before = this.#path.at(-1);
    const spent = before === undefined ? 0 : before.spent + costOf(before, before.at);
    const isAside = before !== undefined && (before.isAside || before.at > 0);
    const isOthers = !isAside && point % this.#shards !== this.#shard;
    return { answers, isValue, isCostly, spent, isAside, isOthers, asleep: new Map(), step: null, at: 0 };
  }

  /** Who slept at the last question, or was tried there before, and has not been woken by the step since. */
  #sleepers(): Map<Actor, Step> {
    const asleep = new Map<Actor, Step>();
    const step = this.#last?.step ?? null;
    if (this.#last === null || step === null) return asleep;
    for (const [actor, itsStep] of this.#last.asleep) {
      if (!mayInterfere(itsStep, step)) asleep.set(actor, itsStep);
    }
    return asleep;
  }
}

/** In preemptions. To commit a store while a hart can go on is early. */
function costOf({ answers, isCostly }: Question, at: number): number {
  const isEarly = answers[at] >= COMMIT_BASE && answers[0] < COMMIT_BASE;
  return at > 0 && (isCostly || isEarly) ? 1 : 0;
}

const ALWAYS_GLOBAL: ReadonlySet<number> = new Set([POINT_GUEST, POINT_IPI, POINT_WAIT, POINT_IDLE]);

/** May it matter which of the two comes first? */
function mayInterfere(a: Step, b: Step): boolean {
  if (a.isGlobal || b.isGlobal) return true;
  return a.address === b.address && !(isLoad(a.kind) && isLoad(b.kind));
}

function isLoad(kind: number): boolean {
  return kind === POINT_ONCE_LOAD || kind === POINT_ACQUIRE;
}
