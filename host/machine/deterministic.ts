// The deterministic driver: N workers, of which only the holder of MACHINE_BATON runs. At every schedule point the
// holder may hand the baton on: round robin, after a quantum of schedule points that is drawn from the seed. Everything
// that decides who runs next lies in shared memory and is written by the holder alone, so the same seed and the same
// program give the same run, to the byte; the trace hash proves it.
//
// A hart that waits is not runnable until its word changes, its doorbell is rung, its deadline passes in virtual time,
// or the machine stops. When nobody is runnable, virtual time jumps to the earliest deadline.

import {
  HART_DOORBELL,
  HART_IRQ_OFF_DEPTH,
  HART_SCHED_DEADLINE_NS,
  HART_SCHED_EXPECTED,
  HART_SCHED_STATE,
  HART_SCHED_WORD,
  MACHINE_BASE,
  MACHINE_BATON,
  MACHINE_HART_COUNT,
  MACHINE_SCHED_QUANTUM,
  MACHINE_SCHED_RANDOM,
  MACHINE_SCHEDULE_STEPS_HI,
  MACHINE_SCHEDULE_STEPS_LO,
  MACHINE_SEED_LO,
  MACHINE_STOP,
  MACHINE_TRACE_HASH_HI,
  MACHINE_TRACE_HASH_LO,
  MACHINE_VIRTUAL_NS,
  SCHED_LEFT,
  SCHED_RUNNABLE,
  SCHED_WAITING,
  STOP_EXIT,
  STOP_FATAL_SIGNAL,
  STOP_NONE,
} from "../../assembly/layout.ts";
import { KernelBug, MachineStopped } from "../memory/errors.ts";
import { hartBase } from "../memory/hart-local.ts";
import { FOREVER } from "../memory/park.ts";
import type { Scheduler } from "../memory/schedule.ts";
import type { SharedMemory } from "../memory/shared.ts";

const BATON = (MACHINE_BASE + MACHINE_BATON) >>> 2;
const STOP = (MACHINE_BASE + MACHINE_STOP) >>> 2;
const QUANTUM = (MACHINE_BASE + MACHINE_SCHED_QUANTUM) >>> 2;
const RANDOM = (MACHINE_BASE + MACHINE_SCHED_RANDOM) >>> 2;
const STEPS_LO = (MACHINE_BASE + MACHINE_SCHEDULE_STEPS_LO) >>> 2;
const STEPS_HI = (MACHINE_BASE + MACHINE_SCHEDULE_STEPS_HI) >>> 2;
const HASH_LO = (MACHINE_BASE + MACHINE_TRACE_HASH_LO) >>> 2;
const HASH_HI = (MACHINE_BASE + MACHINE_TRACE_HASH_HI) >>> 2;
const VIRTUAL_NS = (MACHINE_BASE + MACHINE_VIRTUAL_NS) >>> 3;

/** Quanta are drawn from 1 to this many schedule points. */
const QUANTUM_POINTS_MAX = 64;
/** What a schedule point costs in virtual time, so that a loop of kernel code which only looks at the clock ends. */
const POINT_NS = 1;
/** Loads of the baton before the hart sleeps: a hand-over between two running workers takes about 0.1 µs. */
const BATON_SPIN_COUNT = 100;
/** How long it sleeps before it looks whether the main thread has stopped the machine. */
const BATON_WAIT_MS = 50;

const FNV64_BASIS_LO = 0x84222325;
const FNV64_BASIS_HI = 0xcbf29ce4;

/** Before any worker starts: hart 0 holds the baton. */
export function initSchedule(shared: SharedMemory): void {
  const { i32 } = shared;
  i32[BATON] = 0;
  i32[RANDOM] = shared.get(MACHINE_BASE + MACHINE_SEED_LO) | 0;
  i32[QUANTUM] = 1;
  i32[HASH_LO] = FNV64_BASIS_LO | 0;
  i32[HASH_HI] = FNV64_BASIS_HI | 0;
}

export class BatonScheduler implements Scheduler {
  readonly #shared: SharedMemory;
  readonly #i32: Int32Array<ArrayBufferLike>;
  readonly #id: number;
  readonly #base: number;
  readonly #harts: number;

  constructor(shared: SharedMemory, hartId: number) {
    this.#shared = shared;
    this.#i32 = shared.i32;
    this.#id = hartId;
    this.#base = hartBase(hartId);
    this.#harts = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
  }

  /** Before the hart does anything: waits for its first turn. */
  enter(): void {
    this.#awaitBaton();
  }

  /** The hart takes no further part: the baton goes on. */
  leave(): void {
    this.#i32[(this.#base + HART_SCHED_STATE) >>> 2] = SCHED_LEFT;
    const next = this.#nextRunnable();
    if (next >= 0) this.#give(next);
  }

  point(kind: number, address: number): boolean {
    const i32 = this.#i32;
    if (this.#stopped()) return false;
    this.#record(kind, address);
    if (--i32[QUANTUM] > 0) return false;
    i32[QUANTUM] = this.#drawQuantum();
    const next = this.#nextRunnable();
    if (next !== this.#id && next >= 0) this.#pass(next);
    return false;
  }

  wait(kind: number, address: number, expected: number, deadlineNs: number): void {
    if (!this.#stopped()) this.#record(kind, address);
    const i32 = this.#i32;
    const base = this.#base;
    i32[(base + HART_SCHED_WORD) >>> 2] = address;
    i32[(base + HART_SCHED_EXPECTED) >>> 2] = expected;
    this.#shared.setF64(base + HART_SCHED_DEADLINE_NS, deadlineNs);
    i32[(base + HART_SCHED_STATE) >>> 2] = SCHED_WAITING;
    const next = this.#nextRunnable();
    if (next < 0) throw new KernelBug("deadlock: every hart waits and none has a deadline", { address, expected });
    if (next !== this.#id) this.#pass(next);
    i32[(base + HART_SCHED_STATE) >>> 2] = SCHED_RUNNABLE;
  }

  allocationFails(): boolean {
    return false;
  }

  ringsLate(): boolean {
    return false;
  }

  retired(instructions: number): void {
    this.#shared.f64[VIRTUAL_NS] += instructions;
  }

  /** Once the machine has stopped the harts still leave one by one, but what they do is no part of the trace. */
  #stopped(): boolean {
    return Atomics.load(this.#i32, STOP) !== STOP_NONE;
  }

  /** Folds {hart, kind, address} into the trace hash: two FNV-1a chains of 32 bits, each over all three. */
  #record(kind: number, address: number): void {
    const i32 = this.#i32;
    const head = (this.#id << 8) | kind;
    i32[HASH_LO] = Math.imul(Math.imul(i32[HASH_LO] ^ head, 0x01000193) ^ address, 0x01000193);
    i32[HASH_HI] = Math.imul(Math.imul(i32[HASH_HI] ^ address, 0x01000193) ^ (head + i32[HASH_LO]), 0x01000193);
    this.#shared.f64[VIRTUAL_NS] += POINT_NS;
    i32[STEPS_LO] = (i32[STEPS_LO] + 1) | 0;
    if (i32[STEPS_LO] === 0) i32[STEPS_HI]++;
  }

  /** splitmix32 step. */
  #drawQuantum(): number {
    const state = (this.#i32[RANDOM] + 0x9e3779b9) | 0;
    this.#i32[RANDOM] = state;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return 1 + (((mixed ^ (mixed >>> 15)) >>> 0) % QUANTUM_POINTS_MAX);
  }

  /** The next hart in the round that can go on (last of all this one), after a jump in time if need be; -1: none. */
  #nextRunnable(): number {
    for (;;) {
      for (let step = 1; step <= this.#harts; step++) {
        const id = (this.#id + step) % this.#harts;
        if (this.#canRun(id)) return id;
      }
      const deadlineNs = this.#earliestDeadline();
      if (deadlineNs === FOREVER) return -1;
      this.#shared.f64[VIRTUAL_NS] = deadlineNs;
    }
  }

  #canRun(id: number): boolean {
    const i32 = this.#i32;
    const base = hartBase(id);
    const state = i32[(base + HART_SCHED_STATE) >>> 2];
    if (state !== SCHED_WAITING) return state === SCHED_RUNNABLE;
    const word = i32[(base + HART_SCHED_WORD) >>> 2];
    return (
      Atomics.load(i32, word >>> 2) !== i32[(base + HART_SCHED_EXPECTED) >>> 2] ||
      (i32[(base + HART_IRQ_OFF_DEPTH) >>> 2] === 0 && Atomics.load(i32, (base + HART_DOORBELL) >>> 2) !== 0) ||
      this.#stopped() ||
      this.#shared.getF64(base + HART_SCHED_DEADLINE_NS) <= this.#shared.f64[VIRTUAL_NS]
    );
  }

  #earliestDeadline(): number {
    let earliest = FOREVER;
    for (let id = 0; id < this.#harts; id++) {
      const base = hartBase(id);
      if (this.#i32[(base + HART_SCHED_STATE) >>> 2] !== SCHED_WAITING) continue;
      earliest = Math.min(earliest, this.#shared.getF64(base + HART_SCHED_DEADLINE_NS));
    }
    return earliest;
  }

  #pass(next: number): void {
    this.#give(next);
    this.#awaitBaton();
  }

  #give(next: number): void {
    Atomics.store(this.#i32, BATON, next);
    Atomics.notify(this.#i32, BATON);
  }

  #awaitBaton(): void {
    const i32 = this.#i32;
    for (let spin = 0; spin < BATON_SPIN_COUNT; spin++) {
      if (Atomics.load(i32, BATON) === this.#id) return;
    }
    for (;;) {
      const holder = Atomics.load(i32, BATON);
      if (holder === this.#id) return;
      Atomics.wait(i32, BATON, holder, BATON_WAIT_MS);
      if (this.#mustLeaveAtOnce()) throw new MachineStopped();
    }
  }

  /** After an exit of the guest the harts leave in turn; when the host stopped the machine nobody waits for a turn. */
  #mustLeaveAtOnce(): boolean {
    const stop = Atomics.load(this.#i32, STOP);
    return stop !== STOP_NONE && stop !== STOP_EXIT && stop !== STOP_FATAL_SIGNAL;
  }
}
