// What the lock of a vma promises: whoever has it read-locked finds in it his own mm, a range with his page, and no
// writer, at every moment until he gives it back (D-I1, D-I4); its record is in use (D-I3); and nobody looks at the
// first line of a vma who has no lock and is in no read section (D-I7).

import {
  HART_LOCK_COUNT,
  HART_RCU_NESTING,
  MM_LOCK_SEQ,
  POOL_VMA,
  VMA_BASE,
  VMA_BYTES,
  VMA_COUNT_MAX,
  VMA_DETACHED,
  VMA_END,
  VMA_LOCK_SEQ,
  VMA_MAPPING,
  VMA_MM,
  VMA_REFCNT,
  VMA_START,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { dumpVma } from "../policy/vma-lock/dump.ts";
import { VMA_WRITER } from "../policy/vma-lock/vm-refcnt.ts";
import type { Report } from "./checker.ts";
import { nameOf } from "./names.ts";

interface Reader {
  readonly mm: number;
  readonly vma: number;
  readonly vpn: number;
}

export class VmaLockChecker {
  readonly #harts: readonly HartLocal[];
  readonly #report: Report;
  /** Per hart, what it has read-locked; a fault has one vma at a time. */
  readonly #readers: (Reader | null)[];

  constructor(harts: readonly HartLocal[], report: Report) {
    this.#harts = harts;
    this.#report = report;
    this.#readers = harts.map(() => null);
    for (const hart of harts) hart.warn = (_hart, text) => report("warning", text);
  }

  reset(): void {
    this.#readers.fill(null);
  }

  taken(hart: number, mm: number, vma: number, vpn: number): void {
    this.#readers[hart] = { mm, vma, vpn };
    const refcnt = this.#word(vma + VMA_REFCNT);
    if (refcnt !== 0 && (refcnt & (VMA_WRITER - 1)) === 0) {
      this.#report("vma lock", `readers have counted into the writer's bit: ${this.#dump(vma)}`);
    }
  }

  dropped(hart: number, vma: number): void {
    if (this.#readers[hart]?.vma !== vma)
      this.#report("vma lock", `hart ${hart} gives back ${nameOf(vma)}, not its own`);
    this.#readers[hart] = null;
  }

  rangeRead(hart: number, vma: number): void {
    if (this.#word(vma + VMA_DETACHED) === 0) return;
    this.#report(
      "vma lock",
      `hart ${hart} reads the range of a vma that waits for its grace period: ${this.#dump(vma)}`,
    );
  }

  freed(pool: number, slot: number): void {
    if (pool !== POOL_VMA) return;
    if (this.#word(slot + VMA_REFCNT) !== 0) this.#report("vma lock", `freed while counted: ${this.#dump(slot)}`);
    const reader = this.#readers.findIndex((each) => each?.vma === slot);
    if (reader >= 0) this.#report("vma lock", `freed while hart ${reader} has it read-locked: ${this.#dump(slot)}`);
  }

  /** Of an attached vma, or what was one. Its head for RCU and the free list belong to whoever frees it. */
  access(hart: number, address: number): void {
    if (address < VMA_BASE || address >= VMA_BASE + VMA_BYTES * VMA_COUNT_MAX) return;
    const offset = (address - VMA_BASE) % VMA_BYTES;
    if (offset !== VMA_START && offset !== VMA_END && offset !== VMA_MM && offset !== VMA_MAPPING) return;
    const { base } = this.#harts[hart];
    if (this.#word(base + HART_LOCK_COUNT) !== 0 || this.#word(base + HART_RCU_NESTING) !== 0) return;
    if (this.#readers[hart]?.vma === address - offset) return;
    // Who has counted himself in may look up its mm, to give it back.
    if (offset === VMA_MM && (this.#word(address - offset + VMA_REFCNT) & (VMA_WRITER - 1)) !== 0) return;
    this.#report("vma lock", `hart ${hart} looks at ${nameOf(address)} without a lock and in no read section`);
  }

  check(): string {
    for (let hart = 0; hart < this.#readers.length; hart++) {
      const reader = this.#readers[hart];
      if (reader === null) continue;
      const wrong = this.#wrongFor(reader);
      if (wrong !== "") return `hart ${hart} has a vma read-locked ${wrong}: ${this.#dump(reader.vma)}`;
    }
    return "";
  }

  checkAtEnd(): string {
    return "";
  }

  #wrongFor({ mm, vma, vpn }: Reader): string {
    if (this.#word(vma + VMA_MM) !== mm) return "that belongs to another mm";
    if (vpn < this.#word(vma + VMA_START) || vpn >= this.#word(vma + VMA_END))
      return `without page 0x${vpn.toString(16)}`;
    return this.#word(vma + VMA_LOCK_SEQ) === this.#word(mm + MM_LOCK_SEQ) ? "that a writer has too" : "";
  }

  #word(address: number): number {
    return this.#harts[0].shared.i32[address >>> 2];
  }

  #dump(vma: number): string {
    return dumpVma(this.#harts[0], vma);
  }
}
