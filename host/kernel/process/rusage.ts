// struct rusage, as getrusage, wait4 and waitid give it. System time is not told apart: all of it is user time.

import { PAGE_BYTES } from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { storeU64 } from "../registers.ts";
import { NS_PER_SECOND } from "../uapi.ts";
import type { UsageCounts } from "./usage-counts.ts";

export const RUSAGE_BYTES = 144;

/** Builds one at `buffer`. */
export function storeRusage(
  hart: Hart,
  buffer: number,
  runtimeNs: number,
  maxRssPages: number,
  counts: UsageCounts,
): void {
  hart.core.zeroBytes(buffer, RUSAGE_BYTES);
  storeU64(hart, buffer, Math.floor(runtimeNs / NS_PER_SECOND));
  storeU64(hart, buffer + 8, Math.floor((runtimeNs % NS_PER_SECOND) / 1000));
  storeU64(hart, buffer + 32, (maxRssPages * PAGE_BYTES) / 1024);
  storeU64(hart, buffer + 64, counts.minorFaults);
  storeU64(hart, buffer + 72, counts.majorFaults);
  storeU64(hart, buffer + 128, counts.voluntarySwitches);
  storeU64(hart, buffer + 136, counts.involuntarySwitches);
}
