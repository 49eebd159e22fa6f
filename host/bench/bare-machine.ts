// A machine without a kernel: hart blocks, RAM and one page table, for measurements of the core alone.

import {
  HART_CAUSE,
  HART_SATP_ASID,
  HART_SATP_ROOT,
  PTE_A,
  PTE_COUNT,
  PTE_D,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  RAM_PFN_BASE,
} from "../../assembly/layout.ts";
import { resolveConfig } from "../machine/config.ts";
import { createMemory } from "../machine/memory-map.ts";
import { hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";

/** The pages that assembly/bench.ts walks through: the same numbers stand there. */
export const FIRST_VPN = 0x40000;
export const MAPPED_PAGES = 4096;
export const BENCH_ASID = 1;

const RAM_BYTES = 1 << 26;
const NO_CAUSE = 0xffff;

export function bareMachine(harts: number): SharedMemory {
  const config = resolveConfig({ program: "none", harts, ramBytes: RAM_BYTES });
  const hrtimeNs = Number(process.hrtime.bigint());
  return createMemory(config, { realtimeNs: Date.now() * 1e6, hrtimeNs }, process.arch === "arm64");
}

/** Maps MAPPED_PAGES pages from FIRST_VPN on, each to its own frame, and gives hart 0 that table. */
export function mapPages(shared: SharedMemory): void {
  const root = RAM_PFN_BASE;
  const middle = root + 1;
  const firstTable = root + 2;
  const firstFrame = firstTable + MAPPED_PAGES / PTE_COUNT;
  setPte(shared, root, FIRST_VPN >>> 18, (middle << PTE_PPN_SHIFT) | PTE_V);
  for (let page = 0; page < MAPPED_PAGES; page++) {
    const table = firstTable + Math.floor(page / PTE_COUNT);
    setPte(shared, middle, ((FIRST_VPN + page) >>> 9) % PTE_COUNT, (table << PTE_PPN_SHIFT) | PTE_V);
    const leaf = ((firstFrame + page) << PTE_PPN_SHIFT) | PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
    setPte(shared, table, page % PTE_COUNT, leaf);
  }
  shared.set(hartBase(0) + HART_SATP_ROOT, root);
  shared.set(hartBase(0) + HART_SATP_ASID, BENCH_ASID);
}

function setPte(shared: SharedMemory, table: number, index: number, pte: number): void {
  shared.set(table * 4096 + index * 8, pte);
}

/** Runs work on hart 0 that must not trap: a trapping loop would be fast for the wrong reason. */
export function withoutTrap<T>(shared: SharedMemory, what: string, work: () => T): T {
  const cause = hartBase(0) + HART_CAUSE;
  shared.set(cause, NO_CAUSE);
  const result = work();
  if (shared.get(cause) !== NO_CAUSE) throw new Error(`${what} trapped with cause ${shared.get(cause)}`);
  return result;
}
