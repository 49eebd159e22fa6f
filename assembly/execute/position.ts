// Where the hart is, while run() is on the stack and interpret() is not: interpret() keeps these in locals.
//
// The hart is either at a record of a decoded page (ip), or between two pages (ip = 0) on its way to `target`.

import { PAGE_BYTES } from "../layout.ts";

export const CROSSING_OFFSET: u32 = 0xffe; // page offset of an instruction whose upper half is in the next page
export const SENTINEL_INDEX: u32 = 2048; // record behind the last halfword: leads to the next page
export const CROSSING_INDEX: u32 = 2049; // where the crossing instruction is decoded, each time anew
export const FRAME_INDEX: u32 = 2050; // no record: holds the address of the frame
export const CROSSING_END_INDEX: u32 = 2051; // leads to the halfword behind it

export let ip: usize = 0; // record of the next instruction
export let page: usize = 0; // records of the page that ip is in
export let pageVa: u64 = 0; // virtual address of that page
export let target: u64 = 0; // where to go when ip is 0
export let left: i32 = 0; // instructions left of the budget; below 0 after a straight run beyond it
let budget: i32 = 0; // of this run()

export function startAt(va: u64, budgetInstrs: i32): void {
  target = va;
  ip = 0;
  budget = budgetInstrs;
  left = budgetInstrs;
}

export function retiredInRun(): u64 {
  return <u64>(<i64>budget - <i64>left);
}

/** Enters a decoded page at va. */
export function enterRecords(records: usize, va: u64): void {
  page = records;
  pageVa = va & ~(<u64>(PAGE_BYTES - 1));
  ip = records + ((<u32>va & (PAGE_BYTES - 2)) << 2);
}

/** interpret() stops in front of the record at `at`. */
export function stopAt(at: usize, records: usize, recordsVa: u64, instrsLeft: i32): void {
  ip = at;
  page = records;
  pageVa = recordsVa;
  left = instrsLeft;
}

/** interpret() stops between two pages. */
export function stopBefore(va: u64, instrsLeft: i32): void {
  ip = 0;
  target = va;
  left = instrsLeft;
}

export function goTo(at: usize): void {
  ip = at;
}

/** One instruction is done; the next one lies `bytes` bytes of records ahead. True: that is executeSlow()'s answer. */
export function retire(bytes: u32): bool {
  left -= 1;
  ip += bytes;
  return true;
}

/** The records of this page must not be used any more. */
export function leavePage(): void {
  target = currentPc();
  ip = 0;
}

/** Page offset of the instruction that a record stands for. */
export function offsetOf(at: usize): u32 {
  const index = <u32>(at - page) >>> 3;
  if (index == CROSSING_INDEX) return CROSSING_OFFSET;
  if (index == CROSSING_END_INDEX) return CROSSING_OFFSET + 4;
  return index << 1;
}

export function currentPc(): u64 {
  return ip == 0 ? target : pageVa + <u64>offsetOf(ip);
}
