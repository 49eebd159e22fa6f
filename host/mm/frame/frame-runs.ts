// Runs: RUN_FRAMES frames, aligned to as many, that one leaf of level 1 can map. (Linux: pageblocks of the buddy
// allocator, and its compaction)
//
// Each frame of a run keeps its own counts: a run that is in use is 512 frames with a reference each, and nothing else.
// So fork, copy on write, reclaim and the reverse map need not know of it, splitting a leaf changes no count, and a run
// goes back part by part. A compound page would save the 512 updates, which are little beside 2 MiB of zeros.
//
// Free runs come from fresh frames, and from leaves that go as a whole. Single frames are taken from them only when
// nothing else is free, and never find together again on the way, because the lists of frames.ts know no neighbours:
// that is what regroupFrames is for. So the path of a single frame is as short as it would be without runs.

import {
  COUNTER_FRAME_ALLOC,
  MACHINE_BASE,
  MACHINE_FRAMES_FREE,
  MACHINE_FRAMES_HEAD,
  PAGE_NEXT,
  PAGE_PREV,
  RAM_PFN_BASE,
  RUN_BASE,
  RUN_BYTES,
  RUN_FRAMES,
  RUN_FREE,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_MM_PAGE_ALLOC, trace } from "../../memory/trace.ts";
import { putSwapPage } from "../reclaim/swap-map.ts";
import { beginFrame, drainLists, pushFrame } from "./frames.ts";
import { pageOf, ramEndPfn } from "./page.ts";
import { dropLastRef } from "./page-refs.ts";
import { isLuxuryFree } from "./watermark.ts";
import { addBatchLocked, addRunLocked, BATCH_FRAMES, FRAMES_LOCK, freeRunCount, takeRunLocked } from "./zone.ts";

/** Of the buddy allocator that is not here, for the trace: 512 frames. */
const RUN_ORDER = 9;
/** Frames handled between two polls. */
const POLL_FRAMES = 64;

/** The first of 512 frames with one reference each, or 0: there is no run. Their bytes are what the last user left. */
export function allocRun(hart: HartLocal): number {
  const { shared } = hart;
  spinLock(hart, FRAMES_LOCK);
  const first = isLuxuryFree(shared, RUN_FRAMES) ? takeRunLocked(shared) : 0;
  spinUnlock(hart, FRAMES_LOCK);
  if (first === 0) return 0;
  for (let pfn = first; pfn < first + RUN_FRAMES; pfn++) {
    if (pfn % POLL_FRAMES === 0) hart.pollIrq();
    beginFrame(shared, pageOf(pfn));
  }
  hart.count(COUNTER_FRAME_ALLOC, RUN_FRAMES);
  trace(hart, TRACE_MM_PAGE_ALLOC, first, RUN_ORDER);
  return first;
}

/** Drops a reference to each frame of a run. If all were the last ones, it is free as a run. */
export function putRun(hart: HartLocal, first: number): void {
  const end = first + RUN_FRAMES;
  // Frames [first, whole) are free and on no list: they wait for the rest.
  let whole = first;
  let waiting = first;
  for (let pfn = first; pfn < end; pfn++) {
    if (pfn % POLL_FRAMES === 0) hart.pollIrq();
    if (whole === pfn && dropLastRef(hart, pfn)) {
      whole++;
    } else {
      for (; waiting < whole; waiting++) pushFrame(hart, waiting);
      putSwapPage(hart, pfn);
    }
  }
  if (whole === end) addRun(hart, first);
}

/**
 * Finds runs among the free frames, whose order is that in which they were freed: true if there is a free run now.
 * Looks at each of those frames: for those who have time. (Linux: compact_zone, which also moves pages)
 */
export function regroupFrames(hart: HartLocal): boolean {
  const { shared } = hart;
  drainLists(hart);
  // Others that run out of frames meanwhile wait for the lock: they must not think that memory is short.
  spinLock(hart, FRAMES_LOCK);
  if (shared.get(MACHINE_BASE + MACHINE_FRAMES_FREE) >= RUN_FRAMES && countFreeLocked(hart)) sortLocked(hart);
  spinUnlock(hart, FRAMES_LOCK);
  return freeRunCount(shared) !== 0;
}

/** Counts the frames of each run that are in batches: is any of them complete? Requires: FRAMES_LOCK. */
function countFreeLocked(hart: HartLocal): boolean {
  const { shared } = hart;
  hart.core.zeroBytes(RUN_BASE, RUN_BYTES * (runIndex(ramEndPfn(shared)) + 1));
  let found = false;
  for (let batch = shared.get(MACHINE_BASE + MACHINE_FRAMES_HEAD); batch !== 0; batch = nextBatch(shared, batch)) {
    for (let i = 0, pfn = batch; i < BATCH_FRAMES; i++, pfn = shared.get(pageOf(pfn) + PAGE_NEXT)) {
      const record = recordOf(pfn);
      shared.set(record + RUN_FREE, shared.get(record + RUN_FREE) + 1);
      if (shared.get(record + RUN_FREE) === RUN_FRAMES) found = true;
    }
    hart.pollIrq();
  }
  return found;
}

/** Takes the complete runs out of the batches, and makes new ones of the others. Requires: FRAMES_LOCK. */
function sortLocked(hart: HartLocal): void {
  const { shared } = hart;
  let batch = shared.get(MACHINE_BASE + MACHINE_FRAMES_HEAD);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, 0);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, 0);
  let rest = 0;
  let count = 0;
  while (batch !== 0) {
    const next = nextBatch(shared, batch);
    for (let i = 0, pfn = batch; i < BATCH_FRAMES; i++) {
      const following = shared.get(pageOf(pfn) + PAGE_NEXT);
      if (shared.get(recordOf(pfn) + RUN_FREE) === RUN_FRAMES) {
        if (pfn % RUN_FRAMES === 0) addRunLocked(shared, pfn);
      } else {
        shared.set(pageOf(pfn) + PAGE_NEXT, rest);
        rest = pfn;
        if (++count % BATCH_FRAMES === 0) {
          addBatchLocked(shared, rest);
          rest = 0;
        }
      }
      pfn = following;
    }
    batch = next;
    hart.pollIrq();
  }
  // Batches and runs are multiples of BATCH_FRAMES, so no frame is left over.
}

function nextBatch(shared: SharedMemory, batch: number): number {
  return shared.get(pageOf(batch) + PAGE_PREV);
}

function addRun(hart: HartLocal, first: number): void {
  spinLock(hart, FRAMES_LOCK);
  addRunLocked(hart.shared, first);
  spinUnlock(hart, FRAMES_LOCK);
}

function recordOf(pfn: number): number {
  return RUN_BASE + runIndex(pfn) * RUN_BYTES;
}

function runIndex(pfn: number): number {
  return ((pfn - RAM_PFN_BASE) / RUN_FRAMES) | 0;
}
