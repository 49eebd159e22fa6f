// fcvt from integers to floating point.

import { FMT_D, FMT_S } from "./format.ts";
import { roundPack } from "./round.ts";
import { NX, RNE, raise } from "./status.ts";

/** True if v has at most `bits` significant bits, so that converting it is exact in every rounding mode. */
function fits(magnitude: u64, bits: u64): bool {
  return (magnitude >> ctz(magnitude)) >> bits == 0;
}

function softFromInteger(sign: u64, magnitude: u64, rm: u32, fmt: u32): u64 {
  const leading = <i32>clz(magnitude);
  return roundPack(sign, 63 - leading, magnitude << leading, rm, fmt);
}

export function i32ToF32(v: i32, rm: u32): u32 {
  return i64ToF32(v, rm);
}

export function u32ToF32(v: u32, rm: u32): u32 {
  return u64ToF32(v, rm);
}

export function i64ToF32(v: i64, rm: u32): u32 {
  const magnitude = <u64>(v < 0 ? -v : v);
  if (!fits(magnitude, 24)) {
    if (rm != RNE) return <u32>softFromInteger(<u64>v >> 63, magnitude, rm, FMT_S);
    raise(NX);
  }
  return reinterpret<u32>(<f32>v);
}

export function u64ToF32(v: u64, rm: u32): u32 {
  if (!fits(v, 24)) {
    if (rm != RNE) return <u32>softFromInteger(0, v, rm, FMT_S);
    raise(NX);
  }
  return reinterpret<u32>(<f32>v);
}

/** Exact. */
export function i32ToF64(v: i32): u64 {
  return reinterpret<u64>(<f64>v);
}

/** Exact. */
export function u32ToF64(v: u32): u64 {
  return reinterpret<u64>(<f64>v);
}

export function i64ToF64(v: i64, rm: u32): u64 {
  const magnitude = <u64>(v < 0 ? -v : v);
  if (!fits(magnitude, 53)) {
    if (rm != RNE) return softFromInteger(<u64>v >> 63, magnitude, rm, FMT_D);
    raise(NX);
  }
  return reinterpret<u64>(<f64>v);
}

export function u64ToF64(v: u64, rm: u32): u64 {
  if (!fits(v, 53)) {
    if (rm != RNE) return softFromInteger(0, v, rm, FMT_D);
    raise(NX);
  }
  return reinterpret<u64>(<f64>v);
}
