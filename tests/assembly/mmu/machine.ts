// A hart, some RAM and page tables for tests: what a kernel would set up, without a kernel.

import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_PAGE_FAULT,
  CAUSE_LOAD_ACCESS,
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_PAGE_FAULT,
  DECODE_PAGE_BYTES,
  HART_BASE,
  HART_BYTES,
  HART_CAUSE,
  HART_COUNTERS,
  HART_DECODE_BASE,
  HART_DECODE_PAGES,
  HART_ID,
  HART_OPTIONS,
  HART_PRIV,
  HART_RAM_END,
  HART_SATP_ASID,
  HART_SATP_ROOT,
  HART_TLB_ENTRIES,
  HART_TVAL,
  PAGE_BYTES,
  PTE_A,
  PTE_D,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  PTE_X,
  RAM_BASE,
  RAM_PFN_BASE,
} from "../../../assembly/layout.ts";
import { instantiateMmu, type MmuExports } from "./core.ts";

export const NO_CAUSE = 0xffff;
export const READ_WRITE = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
export const READ_ONLY = PTE_V | PTE_R | PTE_U | PTE_A | PTE_D;
export const EXECUTE = PTE_V | PTE_R | PTE_X | PTE_U | PTE_A;

export const ACCESSES = [ACCESS_LOAD, ACCESS_STORE, ACCESS_FETCH];
export const PAGE_FAULT_CAUSE = [CAUSE_LOAD_PAGE_FAULT, CAUSE_STORE_PAGE_FAULT, CAUSE_FETCH_PAGE_FAULT];
export const ACCESS_FAULT_CAUSE = [CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS];

export const RAM_FRAMES = 4096; // 16 MiB

const RAM_END = RAM_BASE + RAM_FRAMES * PAGE_BYTES;
const DECODE_PAGES = 4;

export function newMemory(): WebAssembly.Memory {
  const pages = (RAM_END >>> 16) + 8 * DECODE_PAGES; // the decode pools follow RAM
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export class TestHart {
  readonly memory: WebAssembly.Memory;
  readonly exports: MmuExports;
  readonly fences = { count: 0 };
  readonly block: number;
  readonly words: Uint32Array;
  readonly doubles: BigUint64Array;
  readonly bytes: Uint8Array;
  root: number;
  #nextFrame = RAM_PFN_BASE;

  constructor(
    options: { id?: number; memory?: WebAssembly.Memory; machineOptions?: number; tlbEntries?: number } = {},
  ) {
    const id = options.id ?? 0;
    this.memory = options.memory ?? newMemory();
    this.words = new Uint32Array(this.memory.buffer);
    this.doubles = new BigUint64Array(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.block = HART_BASE + id * HART_BYTES;
    this.set(HART_ID, id);
    this.set(HART_TLB_ENTRIES, options.tlbEntries ?? 64);
    this.set(HART_OPTIONS, options.machineOptions ?? 0);
    this.set(HART_RAM_END, RAM_END);
    this.set(HART_DECODE_BASE, RAM_END + id * DECODE_PAGES * DECODE_PAGE_BYTES);
    this.set(HART_DECODE_PAGES, DECODE_PAGES);
    this.exports = instantiateMmu(this.memory, this.fences);
    this.root = this.frame();
    this.set(HART_SATP_ROOT, this.root);
    this.exports.bind(this.block);
  }

  get(field: number): number {
    return this.words[(this.block + field) >>> 2];
  }

  set(field: number, value: number): void {
    this.words[(this.block + field) >>> 2] = value;
  }

  /** A zeroed frame that nothing uses yet. */
  frame(): number {
    const pfn = this.#nextFrame++;
    this.bytes.fill(0, pfn * PAGE_BYTES, (pfn + 1) * PAGE_BYTES);
    return pfn;
  }

  /** Loads satp; flushes nothing. */
  switchTo(root: number, asid = 0, privilege = 0): void {
    this.root = root;
    this.set(HART_SATP_ROOT, root);
    this.set(HART_SATP_ASID, asid);
    this.set(HART_PRIV, privilege);
    this.exports.loadSatp();
  }

  /** The address of the PTE of va at that level; makes the tables above it. */
  pteAddress(va: bigint, level = 0, root = this.root): number {
    let table = root;
    for (let at = 2; ; at--) {
      const address = table * PAGE_BYTES + (Number((va >> BigInt(12 + 9 * at)) & 511n) << 3);
      if (at === level) return address;
      const pointer = this.words[address >>> 2];
      if (pointer === 0) this.words[address >>> 2] = (this.frame() << PTE_PPN_SHIFT) | PTE_V;
      table = this.words[address >>> 2] >>> PTE_PPN_SHIFT;
    }
  }

  map(va: bigint, pfn: number, flags: number, level = 0, root = this.root): number {
    const address = this.pteAddress(va, level, root);
    this.doubles[address >>> 3] = (BigInt(pfn) << BigInt(PTE_PPN_SHIFT)) | BigInt(flags);
    return address;
  }

  pte(address: number): number {
    return this.words[address >>> 2];
  }

  counter(offset: number): number {
    return Number(this.doubles[(this.block + HART_COUNTERS + offset) >>> 3]);
  }

  /** Runs an access and returns the cause it raised, or NO_CAUSE. */
  causeOf(access: () => unknown): number {
    this.set(HART_CAUSE, NO_CAUSE);
    access();
    return this.get(HART_CAUSE);
  }

  get tval(): bigint {
    return this.doubles[(this.block + HART_TVAL) >>> 3];
  }

  /** The value, or undefined after a fault. */
  load(va: bigint, bytes = 8): bigint | undefined {
    let value = 0n;
    const cause = this.causeOf(() => {
      value = BigInt.asUintN(64, this.exports.loadGuest(va, bytes));
    });
    return cause === NO_CAUSE ? value : undefined;
  }

  /** False after a fault. */
  store(va: bigint, value: bigint, bytes = 8): boolean {
    return this.exports.storeGuest(va, value, bytes) === 1;
  }
}

/** Deterministic random numbers (Marsaglia's xorshift32); the seed is printed by the test that uses it. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 0 <= result < limit <= 2^32 */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % limit;
  }

  bits64(): bigint {
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** SEED=n replays; otherwise each run draws a new one. */
export function seedOf(title: string): number {
  const seed = Number(process.env.SEED ?? (Date.now() ^ (process.pid << 16)) & 0x7fffffff) || 1;
  console.log(`${title}: SEED=${seed}`);
  return seed;
}
