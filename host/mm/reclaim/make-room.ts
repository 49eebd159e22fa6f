// What an allocation does that found no frame: it reclaims; if there is nothing to reclaim, the OOM killer chooses a
// process. (Linux: __alloc_pages_slowpath in mm/page_alloc.c)

import type { Hart } from "../../policy/hart.ts";
import { directReclaim } from "./vmscan.ts";

/** Memory is short: reclaims, or has a process killed. False: no hope for this one. No lock held. */
export function makeRoom(hart: Hart): boolean {
  return directReclaim(hart) || (hart.outOfMemory?.() ?? false);
}

/** The same where a call failed that may have had other reasons: false unless it found no frame. */
export function makeRoomIfShort(hart: Hart): boolean {
  const isShort = hart.framesRanOut;
  hart.framesRanOut = false;
  return isShort && makeRoom(hart);
}
