// mm_count as the policies change it: every change is counted, and those whose cache line came from another hart.

import {
  COUNTER_MM_COUNT_ATOMICS,
  COUNTER_MM_COUNT_BOUNCES,
  MM_COUNT,
  MM_COUNT_LAST,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";

/** Adds to mm_count; returns what it was. */
export function addMmCount(hart: HartLocal, mm: number, delta: number): number {
  const { shared } = hart;
  const old = shared.fetchAdd(mm + MM_COUNT, delta);
  hart.count(COUNTER_MM_COUNT_ATOMICS);
  if (shared.i32[(mm + MM_COUNT_LAST) >>> 2] !== hart.id + 1) {
    shared.i32[(mm + MM_COUNT_LAST) >>> 2] = hart.id + 1;
    hart.count(COUNTER_MM_COUNT_BOUNCES);
  }
  return old;
}
