// Runs schedules of one scenario. All harts are coroutines of this thread; at each schedule point the strategy says who
// goes next (actors.ts: who could), and only then the hart in question makes its access. Virtual time goes on only when
// nobody else can.
//
// A schedule ends when every hart is at rest, and then the scenario's tear-down runs, hart by hart; or with a
// violation; or after POINTS_MAX points. What the memory model and the checkers think of an access they say through the
// hooks of SharedMemory and by reportViolation().

import { ACCESS_LOAD, HART_CAUSE, MACHINE_BASE, MACHINE_VIRTUAL_NS } from "../../assembly/layout.ts";
import { Watch } from "../check/watch.ts";
import type { KernelHart } from "../kernel/kernel-hart.ts";
import { KernelBug } from "../memory/errors.ts";
import { POINT_ACQUIRE } from "../memory/schedule.ts";
import { kmemCacheObject } from "../memory/slab.ts";
import { Actors } from "./actors.ts";
import { asCoroutine, runToEnd } from "./coroutine.ts";
import { drainRcu } from "./grace-periods.ts";
import { HartDriver, type Turns } from "./hart-driver.ts";
import { MemoryImage } from "./image.ts";
import { Injected, type Injecting, injectionsOf } from "./injected.ts";
import type { Injection } from "./injection.ts";
import type { Laboratory } from "./laboratory.ts";
import { Learned } from "./learned.ts";
import { HartMemory, WeakMemory } from "./memory-model.ts";
import type { Scenario } from "./scenario.ts";
import { runProgram } from "./scenarios/program.ts";
import { type Actor, COMMIT_BASE, NOBODY, type Pending, type Strategy } from "./strategy.ts";
import { type Violation, violationOf } from "./violation.ts";

/** Longer schedules are reported as endless. */
const POINTS_MAX = 20_000;
/** So many waits in a row that end by their deadline alone: the harts wait for each other. */
const IDLE_WAKES_MAX = 64;

/** A hart that goes on for so long without a question gives way once. */
const UNASKED_MAX = 2000;

/** Told of each step, for the table of a failing schedule. */
export type Recorder = (hart: number, kind: number, address: number) => void;

export class Explorer implements Turns, Pending, Injecting {
  readonly scenario: Scenario;
  readonly lab: Laboratory;
  readonly #state: unknown;
  readonly #image: MemoryImage;
  readonly #drivers: HartDriver[];
  /** What this search has learned of the scenario; JobProgress shows it. */
  readonly learned: Learned;
  readonly #injected: Injected;
  readonly #speculates: boolean;
  readonly #actors: Actors;
  readonly #watch: Watch;
  readonly #weak: WeakMemory | null;
  readonly #memories: HartMemory[] = [];
  #strategy: Strategy | null = null;
  #next = 0;
  #idleWakes = 0;
  /** Accesses in a row about which nobody was asked. */
  #unasked = 0;
  #tearingDown = false;
  /** The strategy has seen enough of this schedule. */
  #isDropped = false;
  points = 0;
  /** Who went on at each point, and what choose() answered. */
  readonly choices: number[] = [];
  violation: Violation | null = null;
  recorder: Recorder | null = null;

  /** Injects what the scenario says, and more. */
  constructor(scenario: Scenario, lab: Laboratory, injects: readonly Injection[]) {
    this.scenario = scenario;
    this.lab = lab;
    const injections = injectionsOf(scenario, injects);
    this.#speculates = scenario.speculates !== undefined;
    this.#watch = new Watch(lab.harts, (kind, text) => this.reportViolation(kind, text), injections.has("nmi"));
    this.#weak = lab.weakMemory ? new WeakMemory(lab.shared, (count) => this.choose(count)) : null;
    this.#state = runToEnd(() => scenario.setUp(lab.harts[0], lab.harts));
    this.#image = new MemoryImage(lab.shared);
    this.learned = new Learned(lab.shared.u8.length);
    if (injections.has("earliest-grace")) {
      // Its reader may be anywhere in it: records that wait for a grace period are filled in before they are shared.
      this.#watch.onFreed = (pool, slot) =>
        this.learned.noteFreed(slot, kmemCacheObject(pool, 1) - kmemCacheObject(pool, 0));
    }
    this.#drivers = lab.harts.map((hart) => new HartDriver(hart, this));
    this.#actors = new Actors(lab.shared, this.#drivers, this.#memories);
    this.#injected = new Injected(injections, scenario, lab, this.#drivers, this);
    for (const { shared } of lab.harts) {
      if (this.#weak !== null) this.#memories.push(new HartMemory(this.#weak));
      shared.model = this.#memories[shared.hartId] ?? null;
      shared.observer = this.#watch;
    }
    for (const driver of this.#drivers) driver.hart.shared.scheduler = driver;
  }

  /** Schedule number `index` of the strategy; false if it has no more. The outcome is in `violation` and `choices`. */
  run(strategy: Strategy, index: number): boolean {
    if (!strategy.begin(index)) return false;
    this.#reset(strategy);
    const { programs } = this.scenario;
    for (const driver of this.#drivers) this.#start(driver, programs[driver.id] ?? (() => {}));
    this.#injected.begin(strategy.everyPoint, POINTS_MAX);
    this.#turnUntilRest();
    strategy.end(this.points);
    this.#injected.end(this.points);
    if (this.violation === null && !this.#isDropped) this.#tearDown();
    return true;
  }

  /** Another search begins: it is what it would be in a new explorer. */
  forgetLearned(): void {
    this.learned.forget();
    this.#injected.forget();
  }

  /** Words that two harts share, as far as it has shown. */
  get sharedWords(): number {
    return this.learned.sharedWords;
  }

  get events(): number {
    return this.#watch.events;
  }

  kindOf(actor: Actor): number {
    return this.#actors.kindOf(actor);
  }

  addressOf(actor: Actor): number {
    return this.#actors.addressOf(actor);
  }

  /** What memory is at the beginning of a schedule, see MemoryImage. */
  fingerprint(): Int32Array {
    for (const { hart } of this.#drivers) hart.core.reset();
    this.#image.restore();
    return this.#image.fingerprint();
  }

  reportViolation(kind: string, text: string): void {
    this.violation ??= { kind, text };
  }

  /** A number below `count`, for the memory model and for injected events. */
  choose(count: number): number {
    if (count < 2 || this.#tearingDown) return 0;
    const choice = this.#strategy!.choose(count);
    this.choices.push(choice);
    return choice;
  }

  atPoint(driver: HartDriver): boolean {
    this.points++;
    this.lab.shared.f64[(MACHINE_BASE + MACHINE_VIRTUAL_NS) >>> 3] += 1;
    this.#injected.atStep(this.points);
    this.#checkState();
    if (this.points > POINTS_MAX) this.reportViolation("endless", `no end after ${POINTS_MAX} schedule points`);
    if (this.violation !== null) return true;
    if (this.#injected.interrupts(this.points, driver)) {
      this.#next = driver.id;
      return true;
    }
    if (this.#speculates && !this.#tearingDown) this.#readAhead(driver);
    const asks = this.learned.matters(driver) || this.#strategy!.everyPoint;
    this.#unasked = asks ? 0 : this.#unasked + 1;
    if (asks) this.#ask(driver);
    else if (!this.#tearingDown) this.choices.push(this.#goOn(driver.id));
    if (this.#next !== driver.id) return true;
    this.record(driver.id, driver.kind, driver.address);
    return false;
  }

  #ask(driver: HartDriver): void {
    this.#next = this.#pick(driver.id);
    if (!this.#tearingDown) this.learned.noteAsked(driver, this.#next !== driver.id);
  }

  /** Nobody is asked: the hart goes on, unless it may be spinning on a word that no hart has been seen to write yet. */
  #goOn(id: number): number {
    if (this.#unasked < UNASKED_MAX) return id;
    this.#unasked = 0;
    this.#next = this.#actors.anotherThan(id);
    return this.#next;
  }

  allocationFails(): boolean {
    return this.#injected.allocationFails();
  }

  ringsLate(target: number, bits: number): boolean {
    return this.#injected.ringsLate(target, bits, this.points);
  }

  record(hart: number, kind: number, address: number): void {
    if (!this.#tearingDown) this.recorder?.(hart, kind, address);
  }

  #reset(strategy: Strategy): void {
    for (const { hart } of this.#drivers) hart.core.reset();
    this.#image.restore(); // TLBs too, as the set-up has left them
    for (const { hart } of this.#drivers) {
      hart.reset();
      hart.core.loadSatp();
    }
    this.#weak?.reset();
    this.#injected.reset();
    for (const memory of this.#memories) memory.reset();
    this.#watch.reset();
    this.#strategy = strategy;
    this.#tearingDown = false;
    this.#isDropped = false;
    this.#next = 0;
    this.#idleWakes = 0;
    this.#unasked = 0;
    this.points = 0;
    this.choices.length = 0;
    this.violation = null;
  }

  #start(driver: HartDriver, program: (hart: KernelHart, state: unknown) => void): void {
    driver.start(asCoroutine(() => runProgram(driver.hart, this.#state, program)));
  }

  #turnUntilRest(): void {
    this.#next = this.#drivers[0].id;
    // The first access of each hart is announced before anybody is chosen: what comes before it is the hart's own.
    this.#next = this.#pick(-1);
    while (this.#next >= 0 && this.violation === null) {
      const driver = this.#drivers[this.#next];
      if (driver.isWaiting()) this.#wake(driver);
      else if (driver.kind !== 0) this.record(driver.id, driver.kind, driver.address);
      const isBack = this.#resume(driver);
      if (this.violation !== null) return;
      if (driver.isWaiting()) this.#next = this.#pick(-1);
      else if (isBack) this.#next = this.#pick(driver.id);
    }
  }

  /** True if an NMI's handler has come to its end: the hart stands where it stood before. */
  #resume(driver: HartDriver): boolean {
    try {
      if (driver.coroutine!.next().done !== true) return false;
      if (!driver.endInterrupt()) throw new KernelBug("a hart left its program");
      return true;
    } catch (error) {
      this.violation ??= violationOf(error, driver.id);
      return false;
    }
  }

  /**
   * The hardware may walk for a page at any time: here it always does before the hart looks, or is made to wait to
   * look, at a word. More translations can only show more.
   */
  #readAhead({ kind, hart }: HartDriver): void {
    if (kind !== POINT_ACQUIRE) return;
    const cause = hart.get(HART_CAUSE);
    for (const va of this.scenario.speculates!) hart.core.userAddress(va, ACCESS_LOAD);
    hart.set(HART_CAUSE, cause);
  }

  #wake(driver: HartDriver): void {
    this.#idleWakes = driver.wakesByDeadline() ? this.#idleWakes + 1 : 0;
    if (this.#idleWakes > IDLE_WAKES_MAX) this.reportViolation("deadlock", this.#actors.describeWaits());
    driver.wake();
  }

  /** The next actor; -1: all are at rest, or there is a deadlock. */
  #pick(current: number): number {
    while (this.#actors.find() === 0) {
      if (this.#injected.arriveNow()) continue;
      if (this.#actors.areAtRest()) return -1;
      if (!this.#actors.passTime()) {
        this.reportViolation("deadlock", this.#actors.describeWaits());
        return -1;
      }
    }
    const actor = this.#choice(current);
    this.#isDropped = actor === NOBODY;
    if (actor < COMMIT_BASE) return actor;
    this.#actors.commit(actor);
    return this.#pick(current);
  }

  #choice(current: number): Actor {
    const { enabled, count } = this.#actors;
    if (this.#tearingDown) return current >= 0 ? current : enabled[0];
    const choice = this.#strategy!.pick(enabled, count, current, this);
    if (choice !== NOBODY) this.choices.push(choice);
    return choice;
  }

  #checkState(): void {
    const found = this.#watch.check();
    if (found !== "") this.reportViolation("state", found);
  }

  /** Hart by hart; the others answer. */
  #tearDown(): void {
    const { scenario } = this;
    this.#tearingDown = true;
    this.#injected.stop();
    for (const driver of this.#drivers) {
      if (scenario.tearDown === undefined || this.violation !== null) break;
      this.#start(driver, (hart, state) => scenario.tearDown?.(hart, state));
      this.#turnUntilRest();
    }
    if (this.violation !== null) return;
    drainRcu(this.lab.harts[0]); // nobody reads any more
    const found = this.#watch.checkAtEnd();
    if (found !== "") this.reportViolation("left over", found);
  }
}
