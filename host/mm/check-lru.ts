// The ledger of the lists: counts, links and what each page says of its place. Only while nobody is at work.

import { LRU_UNEVICTABLE, PAGE_FLAGS, PAGE_LRU, PG_ANON, PG_CACHE, PG_FREE } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { pageOf } from "./frames.ts";
import { lruCount, lruOf, lruPages } from "./lru.ts";

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

/** Pages on all lists. */
export function lruTotal(hart: HartLocal): number {
  let total = 0;
  for (let id = 0; id < hart.hartCount; id++) {
    for (let list = 0; list <= LRU_UNEVICTABLE; list++) total += lruCount(hart.shared, lruOf(id), list);
  }
  return total;
}
