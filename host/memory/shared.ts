// The one way by which kernel code reaches words that two harts may touch. Each access names what it promises
// (once, acquire, release, full), so that the deterministic driver can stop before it and a memory model can weaken it.
// Offsets are byte addresses in the shared memory, always aligned to 4 (f64: 8).
//
// Loads and release stores are plain typed-array accesses where the host is x86-64: its loads acquire, its stores
// release, and V8 neither merges nor moves accesses to typed arrays. On other hosts they are Atomics. Neither orders a
// store before a later load: whoever needs that (Dekker) uses a read-modify-write or barrier() between the two.

import { type AtomicWords, atomicWords } from "./atomic-module.ts";
import {
  type MemoryModel,
  type Observer,
  POINT_ACQUIRE,
  POINT_BARRIER,
  POINT_ONCE_LOAD,
  POINT_ONCE_STORE,
  POINT_RELEASE,
  POINT_RMW,
  POINT_RMW_ACQUIRE,
  POINT_RMW_RELAXED,
  POINT_RMW_RELEASE,
  SCHEDULE_POINTS,
  type Scheduler,
  suspend,
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
  /** Set by a deterministic driver before the hart starts, as are the next two; never read in the threaded bundle. */
  scheduler: Scheduler | null = null;
  /** Null: accesses are as strong as the host's. */
  model: MemoryModel | null = null;
  observer: Observer | null = null;
  /** Of the hart that uses this object, for the observer. */
  hartId = 0;

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
    if (SCHEDULE_POINTS) {
      this.observer?.access(this.hartId, address);
      if (this.model !== null) return this.model.get(address);
    }
    return this.i32[address >>> 2];
  }

  set(address: number, value: number): void {
    if (SCHEDULE_POINTS) {
      this.observer?.access(this.hartId, address);
      if (this.model !== null) {
        this.model.set(address, value);
        return;
      }
    }
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
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_ONCE_LOAD, address)) suspend();
      this.observer?.access(this.hartId, address);
      if (this.model !== null) return this.model.load(POINT_ONCE_LOAD, address);
    }
    return TSO ? this.i32[address >>> 2] : Atomics.load(this.i32, address >>> 2);
  }

  /** WRITE_ONCE: no ordering. */
  storeOnce(address: number, value: number): void {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_ONCE_STORE, address)) suspend();
      this.observer?.access(this.hartId, address);
      if (this.model !== null) {
        this.model.store(POINT_ONCE_STORE, address, value);
        return;
      }
    }
    this.i32[address >>> 2] = value;
  }

  loadAcquire(address: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_ACQUIRE, address)) suspend();
      this.observer?.access(this.hartId, address);
      if (this.model !== null) return this.model.load(POINT_ACQUIRE, address);
    }
    return TSO ? this.i32[address >>> 2] : Atomics.load(this.i32, address >>> 2);
  }

  storeRelease(address: number, value: number): void {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RELEASE, address)) suspend();
      this.observer?.access(this.hartId, address);
      if (this.model !== null) {
        this.model.store(POINT_RELEASE, address, value);
        return;
      }
    }
    if (TSO) this.i32[address >>> 2] = value;
    else Atomics.store(this.i32, address >>> 2, value);
  }

  // Read-modify-writes return the old value. Those without a suffix are full barriers. The others promise less, which
  // only the memory model takes them at their word for: on every host they are the same instruction.

  exchange(address: number, value: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW, address);
    }
    const old = this.#words.swap(address, value);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW, address);
    return old;
  }

  compareExchange(address: number, expected: number, desired: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW, address);
    }
    const old = this.#words.compareAndSwap(address, expected, desired);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW, address);
    return old;
  }

  compareExchangeAcquire(address: number, expected: number, desired: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW_ACQUIRE, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW_ACQUIRE, address);
    }
    const old = this.#words.compareAndSwap(address, expected, desired);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW_ACQUIRE, address);
    return old;
  }

  compareExchangeRelaxed(address: number, expected: number, desired: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW_RELAXED, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW_RELAXED, address);
    }
    const old = this.#words.compareAndSwap(address, expected, desired);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW_RELAXED, address);
    return old;
  }

  fetchAdd(address: number, delta: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW, address);
    }
    const old = this.#words.add(address, delta);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW, address);
    return old;
  }

  fetchAddRelaxed(address: number, delta: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW_RELAXED, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW_RELAXED, address);
    }
    const old = this.#words.add(address, delta);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW_RELAXED, address);
    return old;
  }

  fetchAddRelease(address: number, delta: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW_RELEASE, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW_RELEASE, address);
    }
    const old = this.#words.add(address, delta);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW_RELEASE, address);
    return old;
  }

  fetchOr(address: number, bits: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW, address);
    }
    const old = this.#words.or(address, bits);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW, address);
    return old;
  }

  fetchOrRelaxed(address: number, bits: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW_RELAXED, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW_RELAXED, address);
    }
    const old = this.#words.or(address, bits);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW_RELAXED, address);
    return old;
  }

  fetchAnd(address: number, bits: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW, address);
    }
    const old = this.#words.and(address, bits);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW, address);
    return old;
  }

  fetchAndRelaxed(address: number, bits: number): number {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_RMW_RELAXED, address)) suspend();
      this.observer?.access(this.hartId, address);
      this.model?.before(POINT_RMW_RELAXED, address);
    }
    const old = this.#words.and(address, bits);
    if (SCHEDULE_POINTS) this.model?.after(POINT_RMW_RELAXED, address);
    return old;
  }

  /** smp_mb(): an atomic read-modify-write of the word at `address`, which should be the hart's own. */
  barrier(address: number): void {
    if (SCHEDULE_POINTS) {
      if (this.scheduler?.point(POINT_BARRIER, address)) suspend();
      this.model?.before(POINT_BARRIER, address);
    }
    this.#words.or(address, 0);
    if (SCHEDULE_POINTS) this.model?.after(POINT_BARRIER, address);
  }

  /** Wakes workers that are parked on the word at `address`. */
  notify(address: number, count = Number.POSITIVE_INFINITY): void {
    Atomics.notify(this.i32, address >>> 2, count);
  }
}
