// Comparison, minimum and maximum, classification, sign injection.

import {
  F32_INFINITY, F32_MAGNITUDE, F32_NAN, F32_QUIET, F32_SIGN,
  F64_INFINITY, F64_MAGNITUDE, F64_NAN, F64_QUIET, F64_SIGN,
  isNanF32, isNanF64, isSignalingF32, isSignalingF64,
} from "./format.ts";
import { NV, raise } from "./status.ts";

// feq is quiet: only a signaling NaN is invalid. flt and fle signal on any NaN.

export function f32Eq(a: u32, b: u32): u32 {
  if (isSignalingF32(a) || isSignalingF32(b)) raise(NV);
  return <u32>(reinterpret<f32>(a) == reinterpret<f32>(b));
}

export function f32Lt(a: u32, b: u32): u32 {
  if (isNanF32(a) || isNanF32(b)) raise(NV);
  return <u32>(reinterpret<f32>(a) < reinterpret<f32>(b));
}

export function f32Le(a: u32, b: u32): u32 {
  if (isNanF32(a) || isNanF32(b)) raise(NV);
  return <u32>(reinterpret<f32>(a) <= reinterpret<f32>(b));
}

export function f64Eq(a: u64, b: u64): u32 {
  if (isSignalingF64(a) || isSignalingF64(b)) raise(NV);
  return <u32>(reinterpret<f64>(a) == reinterpret<f64>(b));
}

export function f64Lt(a: u64, b: u64): u32 {
  if (isNanF64(a) || isNanF64(b)) raise(NV);
  return <u32>(reinterpret<f64>(a) < reinterpret<f64>(b));
}

export function f64Le(a: u64, b: u64): u32 {
  if (isNanF64(a) || isNanF64(b)) raise(NV);
  return <u32>(reinterpret<f64>(a) <= reinterpret<f64>(b));
}

// fmin and fmax are IEEE 754-2019 minimumNumber and maximumNumber (F version 2.2): one NaN operand is ignored,
// a signaling one is invalid too, and -0 is below +0. The Wasm min and max order zeros the same way.

export function f32Min(a: u32, b: u32): u32 {
  if (isNanF32(a) || isNanF32(b)) return numberF32(a, b);
  return reinterpret<u32>(min<f32>(reinterpret<f32>(a), reinterpret<f32>(b)));
}

export function f32Max(a: u32, b: u32): u32 {
  if (isNanF32(a) || isNanF32(b)) return numberF32(a, b);
  return reinterpret<u32>(max<f32>(reinterpret<f32>(a), reinterpret<f32>(b)));
}

export function f64Min(a: u64, b: u64): u64 {
  if (isNanF64(a) || isNanF64(b)) return numberF64(a, b);
  return reinterpret<u64>(min<f64>(reinterpret<f64>(a), reinterpret<f64>(b)));
}

export function f64Max(a: u64, b: u64): u64 {
  if (isNanF64(a) || isNanF64(b)) return numberF64(a, b);
  return reinterpret<u64>(max<f64>(reinterpret<f64>(a), reinterpret<f64>(b)));
}

/** The operand that is a number, when at least one is NaN. */
function numberF32(a: u32, b: u32): u32 {
  if (isSignalingF32(a) || isSignalingF32(b)) raise(NV);
  if (!isNanF32(a)) return a;
  return isNanF32(b) ? F32_NAN : b;
}

function numberF64(a: u64, b: u64): u64 {
  if (isSignalingF64(a) || isSignalingF64(b)) raise(NV);
  if (!isNanF64(a)) return a;
  return isNanF64(b) ? F64_NAN : b;
}

// fclass sets one bit of ten: 0 -inf, 1 -normal, 2 -subnormal, 3 -0, 4 +0, 5 +subnormal, 6 +normal, 7 +inf,
// 8 signaling NaN, 9 quiet NaN.

export function f32Class(a: u32): u32 {
  if (isNanF32(a)) return (a & F32_QUIET) != 0 ? 1 << 9 : 1 << 8;
  return classOf((a & F32_SIGN) != 0, a & F32_MAGNITUDE, 0x00800000, F32_INFINITY);
}

export function f64Class(a: u64): u32 {
  if (isNanF64(a)) return (a & F64_QUIET) != 0 ? 1 << 9 : 1 << 8;
  return classOf((a & F64_SIGN) != 0, a & F64_MAGNITUDE, 0x0010000000000000, F64_INFINITY);
}

function classOf(negative: bool, magnitude: u64, normalMin: u64, infinity: u64): u32 {
  const rank: u32 = <u32>(magnitude != 0) + <u32>(magnitude >= normalMin) + <u32>(magnitude == infinity);
  return 1 << (negative ? 3 - rank : 4 + rank);
}

// Sign injection looks at no value and raises nothing: fmv, fneg and fabs are made of it.

export function f32Sgnj(a: u32, b: u32): u32 {
  return (a & F32_MAGNITUDE) | (b & F32_SIGN);
}

export function f32Sgnjn(a: u32, b: u32): u32 {
  return (a & F32_MAGNITUDE) | (~b & F32_SIGN);
}

export function f32Sgnjx(a: u32, b: u32): u32 {
  return a ^ (b & F32_SIGN);
}

export function f64Sgnj(a: u64, b: u64): u64 {
  return (a & F64_MAGNITUDE) | (b & F64_SIGN);
}

export function f64Sgnjn(a: u64, b: u64): u64 {
  return (a & F64_MAGNITUDE) | (~b & F64_SIGN);
}

export function f64Sgnjx(a: u64, b: u64): u64 {
  return a ^ (b & F64_SIGN);
}
