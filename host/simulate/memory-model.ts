// The memory model of the explorer: what a multi-copy atomic machine with a store buffer per hart and loads out of
// order may show (RVWMO without the dependencies), so that a missing barrier is a bug that can be found. JavaScript's
// atomics are sequentially consistent and never show one.
//
// Stores. A `once` store waits in its hart's buffer until the strategy commits it; stores to one word stay in order,
// others do not. A release store waits as well, but what was stored before it is committed first. A full
// read-modify-write or a barrier commits everything; a relaxed one only what this hart has stored to the same word.
//
// Loads. Every commit has a time. A load may return what a word held at any time since the hart's floor, but never
// something older than it has seen of that word before. A barrier raises the floor to now; an acquire load to the time
// of the value that it returned; so does any load of an address, because the next load may depend on it. Choice 0 is
// the newest value.
//
// Plain accesses (an owner's, or under a lock) are not buffered: locks are full barriers here.

import { MACHINE_BASE, PAGE_FLAGS, PG_TABLE, RAM_BASE } from "../../assembly/layout.ts";
import {
  type MemoryModel,
  POINT_ACQUIRE,
  POINT_BARRIER,
  POINT_RELEASE,
  POINT_RMW,
  POINT_RMW_ACQUIRE,
  POINT_RMW_RELEASE,
} from "../memory/schedule.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { pageOf } from "../mm/frame/page.ts";

/** What a word held, and since when. */
interface Version {
  readonly value: number;
  readonly time: number;
}

export class WeakMemory {
  readonly #i32: Int32Array<ArrayBufferLike>;
  readonly #versions = new Map<number, Version[]>();
  /** Asked which of several values a load returns. */
  readonly choose: (count: number) => number;
  now = 0;

  constructor(shared: SharedMemory, choose: (count: number) => number) {
    this.#i32 = shared.i32;
    this.choose = choose;
  }

  reset(): void {
    this.#versions.clear();
    this.now = 0;
  }

  read(address: number): number {
    return this.#i32[address >>> 2];
  }

  /** Makes the value visible to all harts. */
  write(address: number, value: number): void {
    this.keep(address);
    this.#i32[address >>> 2] = value;
    this.noteWritten(address);
  }

  /** Before somebody writes the word itself: what it holds is a version. */
  keep(address: number): void {
    if (!this.#versions.has(address)) this.#versions.set(address, [{ value: this.read(address), time: 0 }]);
  }

  noteWritten(address: number): void {
    this.#versions.get(address)?.push({ value: this.read(address), time: ++this.now });
  }

  /** Versions that were current at some time from `since` on, oldest first. Null: only what memory holds now. */
  versionsSince(address: number, since: number): readonly Version[] | null {
    const versions = this.#versions.get(address);
    if (versions === undefined) return null;
    if (versions[versions.length - 1].value !== this.read(address)) {
      this.#versions.delete(address); // written behind the model's back, by the core
      return null;
    }
    let first = versions.length - 1;
    while (first > 0 && versions[first].time > since) first--;
    return first === versions.length - 1 ? null : versions.slice(first);
  }
}

interface Buffered {
  readonly address: number;
  readonly value: number;
}

export class HartMemory implements MemoryModel {
  readonly #memory: WeakMemory;
  readonly #buffer: Buffered[] = [];
  /** Per word, the time of the newest version that this hart has seen. */
  readonly #seen = new Map<number, number>();
  #floor = 0;

  constructor(memory: WeakMemory) {
    this.#memory = memory;
  }

  reset(): void {
    this.#buffer.length = 0;
    this.#seen.clear();
    this.#floor = 0;
  }

  get hasBuffered(): boolean {
    return this.#buffer.length !== 0;
  }

  /** Commits one store: the oldest of some word. */
  commitOne(): void {
    const heads = this.#buffer.filter((entry, i) => this.#buffer.findIndex((e) => e.address === entry.address) === i);
    this.#commit(heads[this.#memory.choose(heads.length)]);
  }

  commitAll(): void {
    while (this.#buffer.length !== 0) this.#commit(this.#buffer[0]);
  }

  /** The hart's own walker sees the entries that it has written. */
  commitTables(): void {
    for (const entry of [...this.#buffer]) {
      if (entry.address < RAM_BASE) continue;
      const page = pageOf(Math.floor(entry.address / 4096));
      if ((this.#memory.read(page + PAGE_FLAGS) & PG_TABLE) !== 0) this.#commit(entry);
    }
  }

  get(address: number): number {
    return this.#forwarded(address)?.value ?? this.#memory.read(address);
  }

  set(address: number, value: number): void {
    this.#commitWord(address);
    this.#memory.write(address, value);
  }

  load(kind: number, address: number): number {
    const own = this.#forwarded(address);
    if (own !== undefined) return own.value;
    const since = Math.max(this.#floor, this.#seen.get(address) ?? 0);
    const versions = this.#memory.versionsSince(address, since);
    if (versions === null) return this.#memory.read(address);
    const { value, time } = versions[versions.length - 1 - this.#memory.choose(versions.length)];
    this.#seen.set(address, time);
    if (kind === POINT_ACQUIRE || value >= MACHINE_BASE) this.#floor = Math.max(this.#floor, time);
    return value;
  }

  store(kind: number, address: number, value: number): void {
    if (kind === POINT_RELEASE) this.commitAll();
    this.#buffer.push({ address, value });
  }

  before(kind: number, address: number): void {
    if (kind === POINT_RMW || kind === POINT_BARRIER || kind === POINT_RMW_RELEASE) this.commitAll();
    else this.#commitWord(address);
    this.#memory.keep(address);
  }

  after(kind: number, address: number): void {
    if (kind !== POINT_BARRIER) this.#memory.noteWritten(address);
    this.#seen.set(address, this.#memory.now);
    if (kind === POINT_RMW || kind === POINT_BARRIER || kind === POINT_RMW_ACQUIRE) this.#floor = this.#memory.now;
  }

  #forwarded(address: number): Buffered | undefined {
    return this.#buffer.findLast((entry) => entry.address === address);
  }

  #commitWord(address: number): void {
    for (let entry = this.#oldest(address); entry !== undefined; entry = this.#oldest(address)) this.#commit(entry);
  }

  #oldest(address: number): Buffered | undefined {
    return this.#buffer.find((entry) => entry.address === address);
  }

  #commit(entry: Buffered): void {
    this.#buffer.splice(this.#buffer.indexOf(entry), 1);
    this.#memory.write(entry.address, entry.value);
    this.#seen.set(entry.address, this.#memory.now);
  }
}
