// The ledger of the lists: counts, links and what each page says of its place. Only while nobody is at work.

import {
  LRU_UNEVICTABLE,
  MACHINE_BASE,
  MACHINE_HART_COUNT,
  MACHINE_SWAP_SLOTS,
  PAGE_FLAGS,
  PAGE_LRU,
  PG_ANON,
  PG_CACHE,
  PG_FREE,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { pageOf } from "../frame/page.ts";
import { committedPages } from "../overcommit.ts";
import { lruCount, lruOf, lruPages } from "./lru.ts";
import { swapFreeSlots } from "./swap-map.ts";

/** What is wrong, one line each. */
export function checkLru(hart: HartLocal): string[] {
  const { shared } = hart;
  const problems: string[] = [];
  for (let id = 0; id < hart.hartCount; id++) {
    for (let list = 0; list <= LRU_UNEVICTABLE; list++) {
      const pages = lruPages(shared, lruOf(id), list);
      const count = lruCount(shared, lruOf(id), list);
      if (pages.length !== count) problems.push(`hart ${id} list ${list}: ${pages.length} pages, counted ${count}`);
      for (const pfn of pages) {
        const flags = shared.get(pageOf(pfn) + PAGE_FLAGS);
        if (shared.get(pageOf(pfn) + PAGE_LRU) !== (((id + 1) << 3) | list)) problems.push(`frame ${pfn}: elsewhere`);
        if ((flags & PG_FREE) !== 0 || (flags & (PG_ANON | PG_CACHE)) === 0) problems.push(`frame ${pfn}: no user's`);
      }
    }
  }
  return problems;
}

/** What address spaces and files hold: nothing when they are gone. */
export function memoryInUse(shared: SharedMemory): { swapSlots: number; listedPages: number; committedPages: number } {
  const harts = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
  let listedPages = 0;
  for (let id = 0; id < harts; id++) {
    for (let list = 0; list <= LRU_UNEVICTABLE; list++) listedPages += lruCount(shared, lruOf(id), list);
  }
  const swapSlots = shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS) - swapFreeSlots(shared);
  return { swapSlots, listedPages, committedPages: committedPages(shared, harts) };
}
