// How the MMU reports a trap: cause and tval in the hart's block, and FAULT (0) as the answer.
// Nothing here unwinds: a handler that sees FAULT leaves the run loop with pc still at its own instruction.

import { hart } from "../hart.ts";
import {
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_PAGE_FAULT,
  CAUSE_LOAD_ACCESS,
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_PAGE_FAULT,
  FAULT,
  HART_CAUSE,
  HART_RESERVATION_PA,
  HART_TVAL,
} from "../layout.ts";

/** Records a trap. Any trap drops the reservation: the handler may run other code before it returns. */
export function raise(cause: u32, tval: u64): usize {
  store<u32>(hart, cause, HART_CAUSE);
  store<u64>(hart, tval, HART_TVAL);
  store<u32>(hart, 0, HART_RESERVATION_PA);
  return FAULT;
}

/** "Page-fault exception corresponding to the original access type". */
export function pageFault(va: u64, access: u32): usize {
  if (access == ACCESS_LOAD) return raise(CAUSE_LOAD_PAGE_FAULT, va);
  if (access == ACCESS_STORE) return raise(CAUSE_STORE_PAGE_FAULT, va);
  return raise(CAUSE_FETCH_PAGE_FAULT, va);
}

/** The physical address is not RAM. The walker may not reach the kernel's objects, which lie below it. */
export function accessFault(va: u64, access: u32): usize {
  if (access == ACCESS_LOAD) return raise(CAUSE_LOAD_ACCESS, va);
  if (access == ACCESS_STORE) return raise(CAUSE_STORE_ACCESS, va);
  return raise(CAUSE_FETCH_ACCESS, va);
}
