// The one way by which kernel code reaches words that two harts may touch. Each access names what it promises
// (once, acquire, release, full), so that the deterministic driver can stop before it and a memory model can weaken it.
// Offsets are byte addresses in the shared memory, always aligned to 4 (f64: 8).
//
// Loads and release stores are plain typed-array accesses where the host is x86-64: its loads acquire, its stores
// release, and V8 neither merges nor moves accesses to typed arrays. On other hosts they are Atomics. Neither orders a
// store before a later load: whoever needs that (Dekker) uses a read-modify-write or barrier() between the two.

import { type AtomicWords, atomicWords } from "./atomic-module.ts";
import {
  POINT_ACQUIRE,
  POINT_BARRIER,
  POINT_ONCE_LOAD,
  POINT_ONCE_STORE,
  POINT_RELEASE,
  POINT_RMW,
  SCHEDULE_POINTS,
  type Scheduler,
} from "./schedule.ts";

declare const process: { readonly arch?: string } | undefined;

/** Total store order: set once for the process, so that V8 folds it. */
const TSO = typeof process !== "undefined" && process.arch === "x64";

/** Views of one machine's memory, built once: the memory never grows, so no view is ever stale. */
export class SharedMemory {
  readonly memory: WebAssembly.Memory;
  readonly i32: Int32Array<ArrayBufferLike>;
  readonly u32: Uint32Array<ArrayBufferLike>;
  readonly u8: Uint8Array<ArrayBufferLike>;
  readonly f64: Float64Array<ArrayBufferLike>;
  readonly u64: BigUint64Array<ArrayBufferLike>;
  readonly #words: AtomicWords;
  /** Set by the deterministic driver before the hart starts; never read in the threaded bundle. */
  scheduler: Scheduler | null = null;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.i32 = new Int32Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    this.f64 = new Float64Array(memory.buffer);
    this.u64 = new BigUint64Array(memory.buffer);
    this.#words = atomicWords(memory);
  }

  // ---- plain access: only for fields marked "owner", "constant" or "lock L", with L held

  get(address: number): number {
    return this.i32[address >>> 2];
  }

  set(address: number, value: number): void {
    this.i32[address >>> 2] = value;
  }

  getF64(address: number): number {
    return this.f64[address >>> 3];
  }

  setF64(address: number, value: number): void {
    this.f64[address >>> 3] = value;
  }

  // ---- shared access

  /** READ_ONCE: no ordering. */
  loadOnce(address: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_ONCE_LOAD, address);
    return TSO ? this.i32[address >>> 2] : Atomics.load(this.i32, address >>> 2);
  }

  /** WRITE_ONCE: no ordering. */
  storeOnce(address: number, value: number): void {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_ONCE_STORE, address);
    this.i32[address >>> 2] = value;
  }

  loadAcquire(address: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_ACQUIRE, address);
    return TSO ? this.i32[address >>> 2] : Atomics.load(this.i32, address >>> 2);
  }

  storeRelease(address: number, value: number): void {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_RELEASE, address);
    if (TSO) this.i32[address >>> 2] = value;
    else Atomics.store(this.i32, address >>> 2, value);
  }

  /** All read-modify-writes are full barriers; each returns the old value. */
  exchange(address: number, value: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_RMW, address);
    return this.#words.exchange(address, value);
  }

  compareExchange(address: number, expected: number, desired: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_RMW, address);
    return this.#words.compareExchange(address, expected, desired);
  }

  fetchAdd(address: number, delta: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_RMW, address);
    return this.#words.add(address, delta);
  }

  fetchOr(address: number, bits: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_RMW, address);
    return this.#words.or(address, bits);
  }

  fetchAnd(address: number, bits: number): number {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_RMW, address);
    return this.#words.and(address, bits);
  }

  /** smp_mb(): an atomic read-modify-write of the word at `address`, which should be the hart's own. */
  barrier(address: number): void {
    if (SCHEDULE_POINTS) this.scheduler?.point(POINT_BARRIER, address);
    this.#words.or(address, 0);
  }

  /** Wakes workers that are parked on the word at `address`. */
  notify(address: number, count = Number.POSITIVE_INFINITY): void {
    Atomics.notify(this.i32, address >>> 2, count);
  }
}
