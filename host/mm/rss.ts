// Resident pages of an address space. Each hart keeps what it has added or taken away since it last told MM_RSS, so
// that two harts that fault do not fight for that line; it tells at RSS_BATCH pages, at a context switch, and when a
// task gives up its mm. So MM_RSS may be off by RSS_BATCH for each hart that runs a task of it. (Linux:
// SPLIT_RSS_COUNTING)

import { MM_RSS, MM_RSS_HIGH } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";

const RSS_BATCH = 64;

/** `pages` more (negative: fewer) of `mm` are resident. */
export function addRss(hart: HartLocal, mm: number, pages: number): void {
  if (hart.rssMm !== mm) {
    flushRss(hart);
    hart.rssMm = mm;
  }
  hart.rssDelta += pages;
  if (hart.rssDelta >= RSS_BATCH || hart.rssDelta <= -RSS_BATCH) flushRss(hart);
}

/** Tells MM_RSS what this hart has kept back. */
export function flushRss(hart: HartLocal): void {
  const delta = hart.rssDelta;
  if (delta === 0) return;
  hart.rssDelta = 0;
  hart.shared.fetchAdd(hart.rssMm + MM_RSS, delta);
}

/** Pages are about to go: remembers how many there were at most. (Linux: update_hiwater_rss) */
export function updateRssHigh(hart: HartLocal, mm: number): void {
  flushRss(hart);
  const rss = hart.shared.loadOnce(mm + MM_RSS);
  if (rss > hart.shared.get(mm + MM_RSS_HIGH)) hart.shared.storeOnce(mm + MM_RSS_HIGH, rss);
}
