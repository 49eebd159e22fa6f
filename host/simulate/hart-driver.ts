// One hart in a schedule: where it stands and what it would do next.

import { HART_DOORBELL, HART_IRQ_OFF_DEPTH, MACHINE_BASE, MACHINE_VIRTUAL_NS } from "../../assembly/layout.ts";
import type { KernelHart } from "../kernel/kernel-hart.ts";
import { FOREVER } from "../memory/park.ts";
import { POINT_IDLE, type Scheduler } from "../memory/schedule.ts";
import type { Coroutine } from "./coroutine.ts";

const RUNNABLE = 0;
const WAITING = 1;

/** What the driver needs of the explorer. */
export interface Turns {
  /** The hart is about to make the access that its driver describes; true if another goes first. */
  atPoint(driver: HartDriver): boolean;
  allocationFails(): boolean;
  ringsLate(target: number, bits: number): boolean;
}

/** Where an NMI has come in between. */
interface Interrupted {
  readonly coroutine: Coroutine;
  readonly state: number;
  readonly kind: number;
  readonly address: number;
}

export class HartDriver implements Scheduler {
  readonly id: number;
  readonly hart: KernelHart;
  readonly #turns: Turns;
  coroutine: Coroutine | null = null;
  state = RUNNABLE;
  /** The access that it makes next: POINT_*, address. 0 before its first. */
  kind = 0;
  address = 0;
  #word = 0;
  #expected = 0;
  #deadlineNs = FOREVER;
  /** Before which access of the schedule an NMI comes; 0: none does. */
  nmiAt = 0;
  #interrupted: Interrupted | null = null;

  constructor(hart: KernelHart, turns: Turns) {
    this.id = hart.id;
    this.hart = hart;
    this.#turns = turns;
  }

  start(coroutine: Coroutine): void {
    this.coroutine = coroutine;
    this.state = RUNNABLE;
    this.kind = 0;
    this.address = 0;
    this.nmiAt = 0;
    this.#interrupted = null;
  }

  /** An NMI comes now: the hart runs `handler`, and then goes on where it stands. */
  interrupt(handler: Coroutine): void {
    const { state, kind, address } = this;
    this.#interrupted = { coroutine: this.coroutine!, state, kind, address };
    this.coroutine = handler;
    this.state = RUNNABLE;
    this.kind = 0;
    this.nmiAt = 0;
  }

  /** The handler has come to its end; false if there was none. */
  endInterrupt(): boolean {
    if (this.#interrupted === null) return false;
    const { coroutine, state, kind, address } = this.#interrupted;
    this.coroutine = coroutine;
    this.state = state;
    this.kind = kind;
    this.address = address;
    this.#interrupted = null;
    return true;
  }

  point(kind: number, address: number): boolean {
    this.kind = kind;
    this.address = address;
    return this.#turns.atPoint(this);
  }

  wait(kind: number, address: number, expected: number, deadlineNs: number): void {
    this.kind = kind;
    this.address = address;
    this.#word = address;
    this.#expected = expected;
    this.#deadlineNs = deadlineNs;
    this.state = WAITING;
  }

  allocationFails(): boolean {
    return this.#turns.allocationFails();
  }

  ringsLate(target: number, bits: number): boolean {
    return target !== this.id && this.#turns.ringsLate(target, bits);
  }

  retired(): void {}

  isWaiting(): boolean {
    return this.state === WAITING;
  }

  /** The wait is over: its hart goes on when it is resumed. */
  wake(): void {
    this.state = RUNNABLE;
    this.kind = 0;
  }

  describeWait(): string {
    const value = this.hart.shared.i32[this.#word >>> 2];
    return `hart ${this.id} for the word at 0x${this.#word.toString(16)}, which is ${value}`;
  }

  canRun(): boolean {
    if (this.state !== WAITING) return this.state === RUNNABLE;
    return this.#wordChanged() || this.#isRung() || this.#deadlineNs <= this.#now();
  }

  /** At rest: its program is over, and it only answers others. */
  isAtRest(): boolean {
    return this.state === WAITING && this.kind === POINT_IDLE && !this.canRun();
  }

  /** FOREVER unless it waits with a deadline. */
  get deadlineNs(): number {
    return this.state === WAITING ? this.#deadlineNs : FOREVER;
  }

  /** The wait ends by its deadline alone: nobody has done anything for it. */
  wakesByDeadline(): boolean {
    return this.state === WAITING && !this.#wordChanged() && !this.#isRung();
  }

  #wordChanged(): boolean {
    return this.hart.shared.i32[this.#word >>> 2] !== this.#expected;
  }

  #isRung(): boolean {
    const { i32 } = this.hart.shared;
    const { base } = this.hart;
    return i32[(base + HART_IRQ_OFF_DEPTH) >>> 2] === 0 && i32[(base + HART_DOORBELL) >>> 2] !== 0;
  }

  #now(): number {
    return this.hart.shared.f64[(MACHINE_BASE + MACHINE_VIRTUAL_NS) >>> 3];
  }
}
