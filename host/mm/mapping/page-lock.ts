// The page lock: who fills, removes or writes out a cache page holds it, also across host I/O, so that nobody else uses
// or does the same meanwhile. A hart-wait: the owner is always on a running hart. (Linux: folio_lock)

import { PAGE_FLAGS, PG_LOCKED, PG_WAITERS } from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { FOREVER, park } from "../../memory/park.ts";

/** True if the lock was free and is now held. */
export function tryLockPage(hart: HartLocal, page: number): boolean {
  return (hart.shared.fetchOr(page + PAGE_FLAGS, PG_LOCKED) & PG_LOCKED) === 0;
}

/** Requires: a reference on the page, and no lock: the owner may be waiting for a disk. */
export function lockPage(hart: HartLocal, page: number): void {
  while (!tryLockPage(hart, page)) waitForPage(hart, page);
}

export function unlockPage(hart: HartLocal, page: number): void {
  const old = hart.shared.fetchAnd(page + PAGE_FLAGS, ~(PG_LOCKED | PG_WAITERS));
  if ((old & PG_LOCKED) === 0) throw new KernelBug("unlock of a page that is not locked", { page });
  if ((old & PG_WAITERS) !== 0) hart.shared.notify(page + PAGE_FLAGS);
}

/** Returns once the page has been seen unlocked. Requires: as lockPage. */
export function waitForPage(hart: HartLocal, page: number): void {
  const { shared } = hart;
  for (;;) {
    const flags = shared.fetchOr(page + PAGE_FLAGS, PG_WAITERS) | PG_WAITERS;
    if ((flags & PG_LOCKED) === 0) return;
    park(hart, page + PAGE_FLAGS, flags, FOREVER);
    hart.pollIrq();
  }
}
