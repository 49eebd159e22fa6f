// Conversion between the two formats.

import { isOrdinaryF32 } from "./exact.ts";
import {
  F64_INFINITY, F64_MAGNITUDE, F64_NAN, FMT_S,
  expOf, infinityOf, isNanF32, isNanF64, isSignalingF32, sigOf, zeroOf,
} from "./format.ts";
import { nanResult } from "./nan.ts";
import { roundPack } from "./round.ts";
import { NV, NX, RNE, raise } from "./status.ts";

/** Exact, so there is no rounding mode. */
export function f32ToF64(a: u32): u64 {
  if (isNanF32(a)) {
    if (isSignalingF32(a)) raise(NV);
    return F64_NAN;
  }
  return reinterpret<u64>(<f64>reinterpret<f32>(a));
}

export function f64ToF32(a: u64, rm: u32): u32 {
  if (rm == RNE) {
    const rounded = <f32>reinterpret<f64>(a);
    if (isOrdinaryF32(reinterpret<u32>(rounded))) {
      if (<f64>rounded != reinterpret<f64>(a)) raise(NX);
      return reinterpret<u32>(rounded);
    }
  }
  return softNarrow(a, rm);
}

function softNarrow(a: u64, rm: u32): u32 {
  const mag = a & F64_MAGNITUDE;
  const sign = a >> 63;
  if (isNanF64(a)) return <u32>nanResult(a, a, FMT_S);
  if (mag == F64_INFINITY) return <u32>infinityOf(sign, FMT_S);
  if (mag == 0) return <u32>zeroOf(sign, FMT_S);
  return <u32>roundPack(sign, expOf(mag), sigOf(mag), rm, FMT_S);
}
