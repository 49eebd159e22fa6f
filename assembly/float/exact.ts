// What the fast paths rest on. A fast path lets Wasm compute in round-to-nearest-even and then only has to know
// which flags the operation raised. Two facts make that cheap:
//
//  - an *ordinary* result (finite, larger than the smallest normal number) excludes NV, DZ, OF and UF;
//  - whether it is exact, that is NX, can be told from an error term that is itself computed exactly,
//    and need not be told at all when NX is already set: flags are sticky.
//
// Everything else goes to the integer path. In particular a result equal to the smallest normal number does: it may
// have been tiny before it was rounded.

import {
  F32_INFINITY, F32_MAGNITUDE, F64_IMPLICIT, F64_INFINITY, F64_MAGNITUDE,
  biasedExp, normalSig,
} from "./format.ts";

const F32_ORDINARY_MIN: u32 = 0x00800001;
const F64_ORDINARY_MIN: u64 = F64_IMPLICIT + 1;

/** Finite, and larger in magnitude than the smallest normal number. */
export function isOrdinaryF32(bits: u32): bool {
  return (bits & F32_MAGNITUDE) - F32_ORDINARY_MIN < F32_INFINITY - F32_ORDINARY_MIN;
}

export function isOrdinaryF64(bits: u64): bool {
  return (bits & F64_MAGNITUDE) - F64_ORDINARY_MIN < F64_INFINITY - F64_ORDINARY_MIN;
}

/** Not zero, subnormal, infinite or NaN. */
export function isNormalF64(bits: u64): bool {
  return <u32>(biasedExp(bits) - 1) < 2046;
}

/**
 * x + y - sum, where sum is x + y rounded to nearest (Knuth's TwoSum). Exact whenever it is finite: an addition never
 * underflows, and if sum or an intermediate value overflows, an infinity or NaN reaches the result.
 */
export function sumError<T>(x: T, y: T, sum: T): T {
  const yRounded = sum - x;
  return (x - (sum - yRounded)) + (y - yRounded);
}

/**
 * The significand of |a * b| - |c| in units of the last place of the 106-bit product, for normal numbers. The
 * arithmetic wraps, so it is exact when c is close to a * b: |c - a * b| < 2^63 such units. That holds when c is
 * the product rounded (2^52 units), and when a is the rounded c / b or a = b the rounded sqrt(c) (2^53 units).
 */
export function productMinus(a: u64, b: u64, c: u64): i64 {
  const shift = biasedExp(c) - biasedExp(a) - biasedExp(b) + 1075; // 52 or 53
  return <i64>(normalSig(a) * normalSig(b) - (normalSig(c) << shift));
}
