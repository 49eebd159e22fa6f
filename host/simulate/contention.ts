// Which words do two harts really share? A schedule point is worth a switch only where it matters what another hart has
// done: of some 800 accesses of a scenario about 100 are. Learned over the schedules of a run: a load of a word that no
// other hart has written in any schedule so far is no point of choice, nor is a write outside the state that an MMU, an
// interrupt or a checker looks at. Replays follow every point, so a recorded schedule does not depend on what was
// learned.

import {
  HART_BASE,
  HART_BYTES,
  HART_CURRENT,
  HART_IS_LAZY,
  HART_LOADED_MM,
  KERNEL_BASE,
  RAM_BASE,
  TASK_BASE,
  VMA_BASE,
} from "../../assembly/layout.ts";
import { POINT_ACQUIRE, POINT_GUEST, POINT_ONCE_LOAD } from "../memory/schedule.ts";

/** Bits of a word's record: hart h has read it (1 << h), has written it (1 << h + 4). Harts from 4 on share a bit. */
const HARTS = 4;
const WRITTEN_BY_ALL = ((1 << HARTS) - 1) << HARTS;

export class Contention {
  /** One byte per word of the memory; only what is touched costs anything. */
  readonly #seen: Uint8Array<ArrayBuffer>;
  readonly #isShared = new Uint8Array(256);
  /** Words found shared so far. */
  words = 0;

  constructor(memoryBytes: number) {
    this.#seen = new Uint8Array(memoryBytes >>> 2);
    for (let bits = 0; bits < 256; bits++) if (isContended(bits)) this.#isShared[bits] = 1;
  }

  /** Notes the access; true if the order of it and other harts' accesses may matter. */
  matters(hart: number, kind: number, address: number): boolean {
    if (kind === POINT_GUEST) return true;
    const before = this.#seen[address >>> 2];
    const now = before | userBit(hart, kind);
    if (now !== before) {
      this.#seen[address >>> 2] = now;
      this.words += this.#isShared[now] - this.#isShared[before];
    }
    return this.#isShared[now] !== 0 || isWatchedStore(kind, address);
  }

  /** The record at `address` has been freed: from now on each look at it matters, by whichever hart. */
  noteFreed(address: number, bytes: number): void {
    for (let word = address >>> 2; word < (address + bytes) >>> 2; word++) {
      const before = this.#seen[word];
      this.#seen[word] = before | WRITTEN_BY_ALL;
      this.words += this.#isShared[before | WRITTEN_BY_ALL] - this.#isShared[before];
    }
  }
}

/** The bit of a word's record that the access sets. */
export function userBit(hart: number, kind: number): number {
  return 1 << ((hart & (HARTS - 1)) + (isLoad(kind) ? 0 : HARTS));
}

/** Does somebody write a word with this record, and another use it? */
export function isContended(bits: number): boolean {
  const writers = bits >>> HARTS;
  const users = (bits & ((1 << HARTS) - 1)) | writers;
  return writers !== 0 && (users & (users - 1)) !== 0;
}

/** A store that an MMU, an interrupt or a checker looks at. */
export function isWatchedStore(kind: number, address: number): boolean {
  return !isLoad(kind) && isWatched(address);
}

function isLoad(kind: number): boolean {
  return kind === POINT_ONCE_LOAD || kind === POINT_ACQUIRE;
}

/** Page tables, which mm a hart has loaded, its current task, and tasks: walkers, NMIs and checkers look at them. */
function isWatched(address: number): boolean {
  if (address >= HART_BASE && address < KERNEL_BASE) return WATCHED_FIELDS.has((address - HART_BASE) % HART_BYTES);
  return address >= RAM_BASE || (address >= TASK_BASE && address < VMA_BASE);
}

const WATCHED_FIELDS: ReadonlySet<number> = new Set([HART_LOADED_MM, HART_IS_LAZY, HART_CURRENT]);
