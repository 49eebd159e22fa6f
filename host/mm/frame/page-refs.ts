// References to frames: PAGE_REFCOUNT, from the first reference to the last, which frees the frame.
// (Linux: include/linux/mm.h get_page, mm/swap.c __folio_put)

import {
  COUNTER_FRAME_FREE,
  PAGE_CODE_GENERATION,
  PAGE_FLAGS,
  PAGE_GENERATION,
  PAGE_LRU,
  PAGE_REFCOUNT,
  PG_FREE,
  PG_RESERVED,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { SCHEDULE_POINTS } from "../../memory/schedule.ts";
import { TRACE_MM_PAGE_FREE, trace } from "../../memory/trace.ts";
import { lruDel } from "../reclaim/lru.ts";
import { pushFrame } from "./frames.ts";
import { pageOf } from "./page.ts";

/** One more reference to a frame on which the caller already has one, or whose PTE it holds locked. */
export function getPage(hart: HartLocal, pfn: number): void {
  hart.shared.fetchAdd(pageOf(pfn) + PAGE_REFCOUNT, 1);
}

/** A reference to a frame that is known only by its number, unless it is free. (Linux: folio_try_get) */
export function tryGetPage(hart: HartLocal, pfn: number): boolean {
  const refcount = pageOf(pfn) + PAGE_REFCOUNT;
  for (let old = hart.shared.loadOnce(refcount); old > 0; old = hart.shared.loadOnce(refcount)) {
    if (hart.shared.compareExchange(refcount, old, old + 1) === old) return true;
  }
  return false;
}

/** Drops a reference; the last one frees the frame. */
export function putPage(hart: HartLocal, pfn: number): void {
  const old = hart.shared.fetchAdd(pageOf(pfn) + PAGE_REFCOUNT, -1);
  if (old === 1) release(hart, pfn);
  else if (old <= 0) throw new KernelBug("page reference dropped twice", { pfn, refcount: old });
}

/**
 * Gives back a frame of which the caller has the only lasting reference, and which no TLB, walker or kernel object can
 * reach any more. Reclaim may hold it for a moment yet (tryGetPage): then that is where it ends.
 */
export function freeFrame(hart: HartLocal, pfn: number): void {
  putPage(hart, pfn);
}

/** Drops the reference if it is the only one: then the frame is free, and on no list yet. */
export function dropLastRef(hart: HartLocal, pfn: number): boolean {
  if (hart.shared.compareExchange(pageOf(pfn) + PAGE_REFCOUNT, 1, 0) !== 1) return false;
  endFrame(hart, pfn);
  return true;
}

function release(hart: HartLocal, pfn: number): void {
  endFrame(hart, pfn);
  pushFrame(hart, pfn);
}

/** The frame's last reference is gone: it is free, and on no list yet. */
function endFrame(hart: HartLocal, pfn: number): void {
  const { shared } = hart;
  const page = pageOf(pfn);
  if ((shared.get(page + PAGE_FLAGS) & (PG_FREE | PG_RESERVED)) !== 0) {
    throw new KernelBug("bad frame freed", { pfn, flags: shared.get(page + PAGE_FLAGS) });
  }
  if (SCHEDULE_POINTS) shared.observer?.frameFreed(hart.id, pfn);
  if (shared.loadOnce(page + PAGE_LRU) !== 0) lruDel(hart, page);
  shared.set(page + PAGE_FLAGS, PG_FREE);
  shared.set(page + PAGE_GENERATION, shared.get(page + PAGE_GENERATION) + 1);
  // Decoded copies of the old contents die with the frame (see assembly/decode.ts). Nobody else writes it any more.
  shared.storeRelease(page + PAGE_CODE_GENERATION, shared.get(page + PAGE_CODE_GENERATION) + 1);
  hart.count(COUNTER_FRAME_FREE);
  trace(hart, TRACE_MM_PAGE_FREE, pfn, 0);
}
