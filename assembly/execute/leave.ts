// How interpret() comes back to run(): why, and where the hart stands.

import { HART_DOORBELL } from "../layout.ts";
import { stopAt, stopBefore } from "./position.ts";

export const LEAVE_SLOW: u32 = 0; // the record at ip needs execute/slow.ts
export const LEAVE_ENTER: u32 = 1; // on the way to target, in another page
export const LEAVE_POLL: u32 = 2; // a transfer was done, and the budget is used up or the doorbell rang

/**
 * The poll: at each transfer that does not lead ahead in its page. The doorbell is rung by other harts.
 */
export function mayGoOn(h: usize, left: i32): bool {
  return left > 0 && atomic.load<u32>(h, HART_DOORBELL) == 0;
}

export function slow(at: usize, page: usize, pageVa: u64, left: i32): u32 {
  stopAt(at, page, pageVa, left);
  return LEAVE_SLOW;
}

export function interrupted(at: usize, page: usize, pageVa: u64, left: i32): u32 {
  stopAt(at, page, pageVa, left);
  return LEAVE_POLL;
}

export function enterAt(va: u64, left: i32): u32 {
  stopBefore(va, left);
  return LEAVE_ENTER;
}
