// How much memory stays free, and for whom. (Linux: mm/page_alloc.c, __setup_per_zone_wmarks)
//
//   high  kswapd stops: there is enough
//   low   kswapd begins, beside whoever allocates
//   min   pages of users are no longer given out: who wants one reclaims first. What is left is for page tables, pipes
//         and the like, which are allocated under locks and can not.
//
// The frames on the lists of harts are not counted: each hart may have some when nothing else is left.

import {
  MACHINE_BASE,
  MACHINE_WATERMARK_HIGH,
  MACHINE_WATERMARK_LOW,
  MACHINE_WATERMARK_MIN,
  PAGE_BYTES,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { ramFrameCount } from "./page.ts";
import { availableFrames } from "./zone.ts";

const KILOBYTES_MIN = 128;
const KILOBYTES_MAX = 262144;
/** watermark_scale_factor: the marks are at least this much of RAM apart, in ten-thousandths. */
const SCALE = 10;

/** At boot. (calculate_min_free_kbytes) */
export function initWatermarks(shared: SharedMemory): void {
  const ramKilobytes = (ramFrameCount(shared) * PAGE_BYTES) / 1024;
  const kilobytes = Math.floor(Math.sqrt(ramKilobytes * 16));
  setMinFree(shared, Math.min(Math.max(kilobytes, KILOBYTES_MIN), KILOBYTES_MAX));
}

/** vm.min_free_kbytes. No more than an eighth of RAM. */
export function setMinFree(shared: SharedMemory, kilobytes: number): void {
  const frames = ramFrameCount(shared);
  const min = Math.min(Math.floor((kilobytes * 1024) / PAGE_BYTES), frames >>> 3);
  const distance = Math.max(min >>> 2, Math.floor((frames * SCALE) / 10000));
  shared.storeOnce(MACHINE_BASE + MACHINE_WATERMARK_MIN, min);
  shared.storeOnce(MACHINE_BASE + MACHINE_WATERMARK_LOW, min + distance);
  shared.storeOnce(MACHINE_BASE + MACHINE_WATERMARK_HIGH, min + 2 * distance);
}

export function minFreeKilobytes(shared: SharedMemory): number {
  return (shared.loadOnce(MACHINE_BASE + MACHINE_WATERMARK_MIN) * PAGE_BYTES) / 1024;
}

/** May a user get a page? */
export function isAboveMin(shared: SharedMemory): boolean {
  return availableFrames(shared) > shared.loadOnce(MACHINE_BASE + MACHINE_WATERMARK_MIN);
}

export function isAboveLow(shared: SharedMemory): boolean {
  return availableFrames(shared) >= shared.loadOnce(MACHINE_BASE + MACHINE_WATERMARK_LOW);
}

/** May a user get so many pages at once, which could do with single ones? (Linux: ALLOC_WMARK_LOW) */
export function isLuxuryFree(shared: SharedMemory, frames: number): boolean {
  return availableFrames(shared) - frames >= shared.loadOnce(MACHINE_BASE + MACHINE_WATERMARK_LOW);
}

/** Frames that kswapd has still to free. */
export function missingToHigh(shared: SharedMemory): number {
  return shared.loadOnce(MACHINE_BASE + MACHINE_WATERMARK_HIGH) - availableFrames(shared);
}
