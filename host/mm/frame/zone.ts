// The free frames that are on no hart's list, all under FRAMES_LOCK, held for a moment only. (Linux: struct zone)
//
//   batches   MACHINE_FRAMES_HEAD: of BATCH_FRAMES frames each, which PAGE_NEXT links as on a hart's list; PAGE_PREV of
//             a batch's first frame leads to the next batch, so that a batch moves in two stores
//   fresh     frames from MACHINE_FRAMES_FRESH up, in pfn order: RAM that no guest touched costs no host memory
//   runs      MACHINE_RUNS_HEAD: of RUN_FRAMES aligned frames each, linked by PAGE_NEXT of the first (frame-runs.ts)

import {
  MACHINE_BASE,
  MACHINE_FRAMES_FREE,
  MACHINE_FRAMES_FRESH,
  MACHINE_FRAMES_HEAD,
  MACHINE_FRAMES_LOCK,
  MACHINE_RUNS_FREE,
  MACHINE_RUNS_HEAD,
  PAGE_NEXT,
  PAGE_PREV,
  RUN_FRAMES,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { pageOf, ramEndPfn } from "./page.ts";

export const FRAMES_LOCK = MACHINE_BASE + MACHINE_FRAMES_LOCK;
export const BATCH_FRAMES = 32;

/** Before any hart runs: all RAM from `firstFreePfn` up is fresh. */
export function initZone(shared: SharedMemory, firstFreePfn: number): void {
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, 0);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, 0);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FRESH, firstFreePfn);
  shared.set(MACHINE_BASE + MACHINE_RUNS_HEAD, 0);
  shared.set(MACHINE_BASE + MACHINE_RUNS_FREE, 0);
}

/** Frames that are free, but for those on the lists of harts: a hint. */
export function availableFrames(shared: SharedMemory): number {
  return shared.loadOnce(MACHINE_BASE + MACHINE_FRAMES_FREE) + freshFrames(shared) + freeRunCount(shared) * RUN_FRAMES;
}

/** Requires: FRAMES_LOCK. */
export function addBatchLocked(shared: SharedMemory, first: number): void {
  shared.set(pageOf(first) + PAGE_PREV, shared.get(MACHINE_BASE + MACHINE_FRAMES_HEAD));
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, first);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, shared.get(MACHINE_BASE + MACHINE_FRAMES_FREE) + BATCH_FRAMES);
}

/** A batch, or 0. Requires: FRAMES_LOCK. */
export function takeBatchLocked(shared: SharedMemory): number {
  const first = shared.get(MACHINE_BASE + MACHINE_FRAMES_HEAD);
  if (first === 0) return 0;
  shared.set(MACHINE_BASE + MACHINE_FRAMES_HEAD, shared.get(pageOf(first) + PAGE_PREV));
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FREE, shared.get(MACHINE_BASE + MACHINE_FRAMES_FREE) - BATCH_FRAMES);
  return first;
}

/** Links `count` frames from `first` up, as a list does; what follows the last is not said. */
export function linkFrames(shared: SharedMemory, first: number, count: number): void {
  for (let pfn = first; pfn < first + count; pfn++) shared.set(pageOf(pfn) + PAGE_NEXT, pfn + 1);
}

export function freshFrames(shared: SharedMemory): number {
  return ramEndPfn(shared) - shared.get(MACHINE_BASE + MACHINE_FRAMES_FRESH);
}

/** Free runs, without those that the free lists could be made into. */
export function freeRunCount(shared: SharedMemory): number {
  return shared.loadOnce(MACHINE_BASE + MACHINE_RUNS_FREE);
}

/** Requires: FRAMES_LOCK. */
export function addRunLocked(shared: SharedMemory, first: number): void {
  shared.set(pageOf(first) + PAGE_NEXT, shared.get(MACHINE_BASE + MACHINE_RUNS_HEAD));
  shared.set(MACHINE_BASE + MACHINE_RUNS_HEAD, first);
  shared.set(MACHINE_BASE + MACHINE_RUNS_FREE, shared.get(MACHINE_BASE + MACHINE_RUNS_FREE) + 1);
}

/** A run of the list, or of the fresh frames, or 0. Requires: FRAMES_LOCK. */
export function takeRunLocked(shared: SharedMemory): number {
  return popRunLocked(shared) || takeFreshRunLocked(shared);
}

/** Makes a free run into batches; false: there is none. Requires: FRAMES_LOCK. */
export function breakRunLocked(shared: SharedMemory): boolean {
  const first = popRunLocked(shared);
  if (first !== 0) addBatchesLocked(shared, first, first + RUN_FRAMES);
  return first !== 0;
}

/** A run of the list, or 0. */
function popRunLocked(shared: SharedMemory): number {
  const first = shared.get(MACHINE_BASE + MACHINE_RUNS_HEAD);
  if (first === 0) return 0;
  shared.set(MACHINE_BASE + MACHINE_RUNS_HEAD, shared.get(pageOf(first) + PAGE_NEXT));
  shared.set(MACHINE_BASE + MACHINE_RUNS_FREE, shared.get(MACHINE_BASE + MACHINE_RUNS_FREE) - 1);
  return first;
}

/** The first run of the fresh frames, or 0; the frames below it become batches. */
function takeFreshRunLocked(shared: SharedMemory): number {
  const fresh = shared.get(MACHINE_BASE + MACHINE_FRAMES_FRESH);
  const first = (fresh + RUN_FRAMES - 1) & -RUN_FRAMES;
  if (first + RUN_FRAMES > ramEndPfn(shared) || fresh % BATCH_FRAMES !== 0) return 0;
  addBatchesLocked(shared, fresh, first);
  shared.set(MACHINE_BASE + MACHINE_FRAMES_FRESH, first + RUN_FRAMES);
  return first;
}

/** Frames [first, end), a multiple of BATCH_FRAMES, become batches; the lowest are taken first. */
function addBatchesLocked(shared: SharedMemory, first: number, end: number): void {
  for (let batch = end - BATCH_FRAMES; batch >= first; batch -= BATCH_FRAMES) {
    linkFrames(shared, batch, BATCH_FRAMES);
    addBatchLocked(shared, batch);
  }
}
