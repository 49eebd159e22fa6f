// The size limit of a file system in memory: pages are counted before they are there.

import { SUPER_PAGES, SUPER_PAGES_MAX } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";

/** Counts `pages` pages more (or less); false: the file system is full. */
export function chargePages(hart: HartLocal, superBlock: number, pages: number): boolean {
  const { shared } = hart;
  const limit = shared.get(superBlock + SUPER_PAGES_MAX);
  const old = shared.fetchAdd(superBlock + SUPER_PAGES, pages);
  if (pages <= 0 || limit === 0 || old + pages <= limit) return true;
  shared.fetchAdd(superBlock + SUPER_PAGES, -pages);
  return false;
}
