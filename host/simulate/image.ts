// The memory image of a scenario after its set-up, and the way back to it (decoded instructions are forgotten instead):
// what a schedule can have touched is copied back, some two hundred KiB, most of it frames. Slots and frames beyond
// those that the set-up had taken are zeroed, as far as any was handed out.

import {
  ASID_BASE,
  ASID_TABLE_BYTES,
  HART_MAILBOX,
  HART_PWC,
  HART_PWC_BYTES,
  HART_TLB,
  HART_TLB_ENTRIES,
  LRU_BASE,
  LRU_BYTES,
  MACHINE_BASE,
  MACHINE_BYTES,
  MACHINE_DECODE_BASE,
  MACHINE_FRAMES_FRESH,
  MACHINE_HART_COUNT,
  MAILBOX_BYTES,
  PAGE_BASE,
  PAGE_BYTES,
  PAGE_STRUCT_BYTES,
  POOL_BASE,
  POOL_BYTES,
  POOL_COUNT,
  POOL_FRESH,
  POOL_REGION_BYTES,
  PTE_COUNT,
  PTE_LOCK_BASE,
  PTE_LOCK_BYTES,
  PTE_LOCK_COUNT,
  PTE_LOCK_ENTRIES,
  RAM_BASE,
  RAM_PFN_BASE,
  RQ_BASE,
  RQ_BYTES,
  RUN_BASE,
  RUN_BYTES,
  RUN_COUNT_MAX,
  TLB_ENTRY_BYTES,
  TLBI_BASE,
  TLBI_BYTES,
} from "../../assembly/layout.ts";
import { hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { kmemCacheObject } from "../memory/slab.ts";

/** Of a fingerprint. */
export const BLOCK_BYTES = 1 << 10;
const BLOCK_WORDS = BLOCK_BYTES >>> 2;

interface Range {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Records handed out one after the other: those of the set-up, and how many a schedule has added. */
interface Growing {
  readonly base: number;
  readonly recordBytes: number;
  readonly countAddress: number;
  /** What the count at that address is when no record has been handed out. */
  readonly origin: number;
  readonly kept: Range;
}

export class MemoryImage {
  readonly #shared: SharedMemory;
  readonly #fixed: Range[] = [];
  readonly #growing: Growing[] = [];

  /** Of the memory as it is now. */
  constructor(shared: SharedMemory) {
    this.#shared = shared;
    // Between the two are console rings and the text of an oops, 384 KiB that no scenario touches.
    this.#keep(MACHINE_BASE, MACHINE_BYTES);
    this.#keep(POOL_BASE, POOL_REGION_BYTES);
    const harts = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
    this.#keep(RQ_BASE, RQ_BYTES * harts);
    this.#keep(TLBI_BASE, TLBI_BYTES * harts);
    this.#keep(LRU_BASE, LRU_BYTES * harts);
    this.#keep(RUN_BASE, RUN_BYTES * RUN_COUNT_MAX);
    this.#keep(ASID_BASE, ASID_TABLE_BYTES * harts);
    for (let id = 0; id < harts; id++) this.#keepHart(hartBase(id), harts);
    for (let pool = 0; pool < POOL_COUNT; pool++) {
      const recordBytes = kmemCacheObject(pool, 1) - kmemCacheObject(pool, 0);
      this.#grow(kmemCacheObject(pool, 0), recordBytes, POOL_BASE + pool * POOL_BYTES + POOL_FRESH, 0);
    }
    const fresh = MACHINE_BASE + MACHINE_FRAMES_FRESH;
    this.#grow(PAGE_BASE, PAGE_STRUCT_BYTES, fresh, RAM_PFN_BASE);
    this.#grow(RAM_BASE, PAGE_BYTES, fresh, RAM_PFN_BASE);
  }

  restore(): void {
    const { u8 } = this.#shared;
    this.#releaseEntryLocks();
    // The counts of what was handed out lie in the fixed part: look at them first.
    for (const { base, recordBytes, countAddress, origin, kept } of this.#growing) {
      const end = base + (this.#shared.i32[countAddress >>> 2] - origin) * recordBytes;
      u8.set(kept.bytes, kept.start);
      const keptEnd = kept.start + kept.bytes.length;
      if (end > keptEnd) u8.fill(0, keptEnd, end);
    }
    for (const { start, bytes } of this.#fixed) u8.set(bytes, start);
  }

  /** Of each block of memory, decoded instructions aside: equal after restore(), or the image lacks something. */
  fingerprint(): Int32Array {
    const { i32 } = this.#shared;
    const words = this.#shared.get(MACHINE_BASE + MACHINE_DECODE_BASE) >>> 2;
    const hashes = new Int32Array(Math.ceil(words / BLOCK_WORDS));
    for (let block = 0; block < hashes.length; block++) {
      const end = Math.min(words, (block + 1) * BLOCK_WORDS);
      let hash = 0;
      for (let word = block * BLOCK_WORDS; word < end; word++) hash = Math.imul(hash, 31) + i32[word];
      hashes[block] = hash;
    }
    return hashes;
  }

  /** A schedule that was broken off may hold locks of entries in any frame that was handed out. */
  #releaseEntryLocks(): void {
    const frames = this.#shared.get(MACHINE_BASE + MACHINE_FRAMES_FRESH) - RAM_PFN_BASE;
    const locks = Math.min(PTE_LOCK_COUNT, (frames * PTE_COUNT) / PTE_LOCK_ENTRIES);
    this.#shared.u8.fill(0, PTE_LOCK_BASE, PTE_LOCK_BASE + locks * PTE_LOCK_BYTES);
  }

  #keepHart(block: number, harts: number): void {
    this.#keep(block, HART_MAILBOX);
    this.#keep(block + HART_MAILBOX, MAILBOX_BYTES * harts);
    this.#keep(block + HART_PWC, HART_PWC_BYTES);
    this.#keep(block + HART_TLB, this.#shared.get(block + HART_TLB_ENTRIES) * TLB_ENTRY_BYTES);
  }

  #keep(start: number, bytes: number): void {
    this.#fixed.push(this.#copy(start, bytes));
  }

  #grow(base: number, recordBytes: number, countAddress: number, origin: number): void {
    const bytes = (this.#shared.get(countAddress) - origin) * recordBytes;
    this.#growing.push({ base, recordBytes, countAddress, origin, kept: this.#copy(base, bytes) });
  }

  #copy(start: number, bytes: number): Range {
    const copy = new Uint8Array(bytes);
    copy.set(this.#shared.u8.subarray(start, start + bytes));
    return { start, bytes: copy };
  }
}
