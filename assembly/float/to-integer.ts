// fcvt from floating point to integers.
//
// A value outside the integer's range, after rounding, gives the nearest end of the range and NV alone; NaN gives
// the upper end. W and WU results are 32 bits here: the caller sign-extends both into the register, as RV64 asks.
//
// A single is widened first, which is exact. The Wasm rounding operations are exact too, so only the choice
// among them is ours, and the conversion is inexact exactly when rounding moved the value.

import { F64_INFINITY, F64_MAGNITUDE } from "./format.ts";
import { NV, NX, RDN, RMM, RNE, RTZ, raise } from "./status.ts";

const TWO_31: f64 = 2147483648.0;
const TWO_32: f64 = 4294967296.0;
const TWO_63: f64 = 9223372036854775808.0;
const TWO_64: f64 = 18446744073709551616.0;

export function f32ToI32(a: u32, rm: u32): i32 {
  return toI32(<f64>reinterpret<f32>(a), rm);
}

export function f32ToU32(a: u32, rm: u32): u32 {
  return toU32(<f64>reinterpret<f32>(a), rm);
}

export function f32ToI64(a: u32, rm: u32): i64 {
  return toI64(<f64>reinterpret<f32>(a), rm);
}

export function f32ToU64(a: u32, rm: u32): u64 {
  return toU64(<f64>reinterpret<f32>(a), rm);
}

export function f64ToI32(a: u64, rm: u32): i32 {
  return toI32(reinterpret<f64>(a), rm);
}

export function f64ToU32(a: u64, rm: u32): u32 {
  return toU32(reinterpret<f64>(a), rm);
}

export function f64ToI64(a: u64, rm: u32): i64 {
  return toI64(reinterpret<f64>(a), rm);
}

export function f64ToU64(a: u64, rm: u32): u64 {
  return toU64(reinterpret<f64>(a), rm);
}

/** x rounded to an integral value; infinities and NaN stay what they are. */
function toIntegral(x: f64, rm: u32): f64 {
  if (rm == RTZ) return trunc<f64>(x);
  if (rm == RNE) return nearest<f64>(x);
  if (rm == RDN) return floor<f64>(x);
  if (rm != RMM) return ceil<f64>(x);
  const truncated = trunc<f64>(x);
  // The fraction is exact, and so is the addition: only values below 2^52 have a fraction.
  return abs<f64>(x - truncated) >= 0.5 ? truncated + copysign<f64>(1.0, x) : truncated;
}

function noteRounding(rounded: f64, x: f64): void {
  if (rounded != x) raise(NX);
}

/** True if an out-of-range x saturates upwards. Raises NV. */
function saturatesUp(x: f64): bool {
  raise(NV);
  const bits = reinterpret<u64>(x);
  return <i64>bits >= 0 || (bits & F64_MAGNITUDE) > F64_INFINITY;
}

function toI32(x: f64, rm: u32): i32 {
  const rounded = toIntegral(x, rm);
  if (!(rounded >= -TWO_31 && rounded < TWO_31)) return saturatesUp(x) ? i32.MAX_VALUE : i32.MIN_VALUE;
  noteRounding(rounded, x);
  return <i32>rounded;
}

function toU32(x: f64, rm: u32): u32 {
  const rounded = toIntegral(x, rm);
  if (!(rounded >= 0 && rounded < TWO_32)) return saturatesUp(x) ? u32.MAX_VALUE : 0;
  noteRounding(rounded, x);
  return <u32>rounded;
}

function toI64(x: f64, rm: u32): i64 {
  const rounded = toIntegral(x, rm);
  if (!(rounded >= -TWO_63 && rounded < TWO_63)) return saturatesUp(x) ? i64.MAX_VALUE : i64.MIN_VALUE;
  noteRounding(rounded, x);
  return <i64>rounded;
}

function toU64(x: f64, rm: u32): u64 {
  const rounded = toIntegral(x, rm);
  if (!(rounded >= 0 && rounded < TWO_64)) return saturatesUp(x) ? u64.MAX_VALUE : 0;
  noteRounding(rounded, x);
  return <u64>rounded;
}
