// NaN operands. RISC-V propagates no payload: a result that is NaN is the canonical one.

import { isSignalingF64, nanOf } from "./format.ts";
import { NV, raise } from "./status.ts";

/** The result when a or b is NaN. Only a signaling NaN is an invalid operation. */
export function nanResult(a: u64, b: u64, fmt: u32): u64 {
  if (isSignalingF64(a) || isSignalingF64(b)) raise(NV);
  return nanOf(fmt);
}

/** The result of an operation that has none: inf - inf, 0 * inf, 0 / 0, inf / inf, sqrt(-1). */
export function invalid(fmt: u32): u64 {
  raise(NV);
  return nanOf(fmt);
}
