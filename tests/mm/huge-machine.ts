// Two harts in one address space with areas of whole 2 MiB, from BASE on.

import { expect } from "vitest";
import { HART_COUNTERS, PAGE_BYTES, RUN_FRAMES } from "../../assembly/layout.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { flushRss } from "../../host/mm/rss.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../host/mm/uapi.ts";
import type { Hart } from "../../host/policy/hart.ts";
import { MmMachine } from "./harness.ts";

export const BASE = 0x1000_0000;
export const RW = PROT_READ | PROT_WRITE;
export const HUGE_BYTES = RUN_FRAMES * PAGE_BYTES;

/** Address of page `n` from BASE on. */
export function page(n: number): number {
  return BASE + n * PAGE_BYTES;
}

export class HugeMachine extends MmMachine {
  readonly other: Hart;

  constructor() {
    super(2);
    this.useSwap(4096);
    this.start();
    this.other = this.harts[1];
  }

  /** `leaves` times 2 MiB. */
  map(leaves: number, flags = MAP_PRIVATE, va = BASE): void {
    const all = flags | MAP_ANONYMOUS | MAP_FIXED;
    expect(doMmap(this.hart, this.mm, va, leaves * HUGE_BYTES, RW, all, 0)).toBe(va);
  }

  field(offset: number): number {
    flushRss(this.hart);
    return this.shared.get(this.mm + offset);
  }

  counter(name: number, hart: Hart = this.hart): number {
    return hart.get(HART_COUNTERS + name);
  }

  /** Each of the pages [0, pages) holds its number plus 1, and both harts have a translation of it. */
  fill(pages: number): void {
    this.touch(BASE, pages);
    for (let n = 0; n < pages; n++) expect(this.load(page(n), this.other)).toBe(n + 1);
  }

  /** Both harts find what fill left in the pages [first, end), by whatever they have in their TLBs. */
  expectFilled(first: number, end: number): void {
    for (let n = first; n < end; n++) {
      expect(this.load(page(n), this.other)).toBe(n + 1);
      expect(this.load(page(n))).toBe(n + 1);
    }
  }
}
