// Frames by number, by address, and by their struct page: 64 bytes for each frame of RAM, whose fields stand in
// assembly/layout.ts (PAGE_*). (Linux: include/asm-generic/memory_model.h)

import {
  MACHINE_BASE,
  MACHINE_RAM_END,
  PAGE_BASE,
  PAGE_CODE_GENERATION,
  PAGE_FLAGS,
  PAGE_SHIFT,
  PAGE_STRUCT_SHIFT,
  PG_DIRTY,
  PG_REFERENCED,
  PG_RESERVED,
  PG_SWAPBACKED,
  RAM_PFN_BASE,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";

/** Address of the struct page of a frame. */
export function pageOf(pfn: number): number {
  return PAGE_BASE + ((pfn - RAM_PFN_BASE) << PAGE_STRUCT_SHIFT);
}

/** Frame of a struct page. */
export function pfnOfPage(page: number): number {
  return RAM_PFN_BASE + ((page - PAGE_BASE) >>> PAGE_STRUCT_SHIFT);
}

/** Physical address of a frame; not below 2^31, so never shift a pfn. */
export function frameAddress(pfn: number): number {
  return pfn * (1 << PAGE_SHIFT);
}

/** The frame behind the last one of RAM. */
export function ramEndPfn(shared: SharedMemory): number {
  return shared.get(MACHINE_BASE + MACHINE_RAM_END) >>> PAGE_SHIFT;
}

/** All frames of RAM, free or not. */
export function ramFrameCount(shared: SharedMemory): number {
  return ramEndPfn(shared) - RAM_PFN_BASE;
}

/** A frame that is never freed: zero page, stub, kernel tables. */
export function reserveFrame(hart: HartLocal, pfn: number): void {
  hart.shared.fetchOr(pageOf(pfn) + PAGE_FLAGS, PG_RESERVED);
}

/** The frame is about to be mapped executable: what any hart decoded from its earlier life is void. */
export function noteExecutable(hart: HartLocal, pfn: number): void {
  hart.shared.fetchAdd(pageOf(pfn) + PAGE_CODE_GENERATION, 1);
}

/** The page's bytes are about to change: from now on they are nowhere else. */
export function markDirty(hart: HartLocal, page: number): void {
  const marks = PG_DIRTY | PG_SWAPBACKED | PG_REFERENCED;
  if ((hart.shared.loadOnce(page + PAGE_FLAGS) & marks) !== marks) hart.shared.fetchOr(page + PAGE_FLAGS, marks);
}
