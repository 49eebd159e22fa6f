// Resident pages of an address space, all of them and those of two kinds. Each hart keeps what it has added or taken
// away since it last told MM_RSS, so that two harts that fault do not fight for that line; it tells at RSS_BATCH pages,
// at a context switch, and when a task gives up its mm. So MM_RSS may be off by RSS_BATCH for each hart that runs a
// task of it. (Linux: SPLIT_RSS_COUNTING)

import {
  MM_RSS,
  MM_RSS_FILE,
  MM_RSS_HIGH,
  MM_RSS_SHMEM,
  PAGE_FLAGS,
  PG_CACHE,
  PG_SHMEM,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";

const RSS_BATCH = 64;

/** `pages` more (negative: fewer) of `mm` are resident. */
export function addRss(hart: HartLocal, mm: number, pages: number): void {
  if (hart.rssMm !== mm) changeMm(hart, mm);
  hart.rssDelta += pages;
  if (hart.rssDelta >= RSS_BATCH || hart.rssDelta <= -RSS_BATCH) flushRss(hart);
}

/** How many of those that addRss is told of are like `page`: told before, and nothing to do for private pages. */
export function addRssKind(hart: HartLocal, mm: number, page: number, pages: number): void {
  const flags = hart.shared.loadOnce(page + PAGE_FLAGS);
  if ((flags & PG_CACHE) === 0) return;
  if (hart.rssMm !== mm) changeMm(hart, mm);
  if ((flags & PG_SHMEM) !== 0) hart.rssShmemDelta += pages;
  else hart.rssFileDelta += pages;
}

/** Tells MM_RSS what this hart has kept back. */
export function flushRss(hart: HartLocal): void {
  const { shared, rssMm } = hart;
  if (hart.rssDelta !== 0) shared.fetchAdd(rssMm + MM_RSS, hart.rssDelta);
  if (hart.rssFileDelta !== 0) shared.fetchAdd(rssMm + MM_RSS_FILE, hart.rssFileDelta);
  if (hart.rssShmemDelta !== 0) shared.fetchAdd(rssMm + MM_RSS_SHMEM, hart.rssShmemDelta);
  hart.rssDelta = 0;
  hart.rssFileDelta = 0;
  hart.rssShmemDelta = 0;
}

/** Pages are about to go: remembers how many there were at most. (Linux: update_hiwater_rss) */
export function updateRssHigh(hart: HartLocal, mm: number): void {
  flushRss(hart);
  const rss = hart.shared.loadOnce(mm + MM_RSS);
  if (rss > hart.shared.get(mm + MM_RSS_HIGH)) hart.shared.storeOnce(mm + MM_RSS_HIGH, rss);
}

/** In pages. Other harts may keep something back: no number is below 0 for all that. */
export function rssOf(hart: HartLocal, mm: number): { total: number; anon: number; file: number; shmem: number } {
  const { shared } = hart;
  flushRss(hart);
  const total = Math.max(shared.loadOnce(mm + MM_RSS), 0);
  const file = Math.max(shared.loadOnce(mm + MM_RSS_FILE), 0);
  const shmem = Math.max(shared.loadOnce(mm + MM_RSS_SHMEM), 0);
  return { total, anon: Math.max(total - file - shmem, 0), file, shmem };
}

function changeMm(hart: HartLocal, mm: number): void {
  flushRss(hart);
  hart.rssMm = mm;
}
