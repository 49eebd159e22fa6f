// Square root.

import { isNormalF64, productMinus } from "./exact.ts";
import {
  F32_INFINITY, F64_FRACTION, F64_INFINITY, F64_MAGNITUDE, FMT_D, FMT_S,
  expOf, infinityOf, isNanF64, normalSig, sigOf, widen, zeroOf,
} from "./format.ts";
import { invalid, nanResult } from "./nan.ts";
import { roundPack } from "./round.ts";
import { NX, RNE, getFflags, raise } from "./status.ts";

// Fast path: the root of a positive finite number is a normal number, so only NX is possible.

export function f32Sqrt(a: u32, rm: u32): u32 {
  if (rm == RNE && a - 1 < F32_INFINITY - 1) {
    const root = sqrt<f32>(reinterpret<f32>(a));
    if (<f64>root * <f64>root != <f64>reinterpret<f32>(a)) raise(NX); // the square is exact, as in f32Mul
    return reinterpret<u32>(root);
  }
  return <u32>softSqrt(widen(a), rm, FMT_S);
}

export function f64Sqrt(a: u64, rm: u32): u64 {
  if (rm == RNE && a - 1 < F64_INFINITY - 1) {
    const root = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
    if ((getFflags() & NX) != 0) return root;
    if (isNormalF64(a)) {
      if (productMinus(root, root, a) != 0) raise(NX);
      return root;
    }
  }
  return softSqrt(a, rm, FMT_D);
}

function softSqrt(a: u64, rm: u32, fmt: u32): u64 {
  const mag = a & F64_MAGNITUDE;
  const sign = a >> 63;
  if (isNanF64(a)) return nanResult(a, a, fmt);
  if (mag == 0) return zeroOf(sign, fmt);
  if (sign != 0) return invalid(fmt);
  if (mag == F64_INFINITY) return infinityOf(0, fmt);

  // sqrt(x * 2^(2n)) = sqrt(x) * 2^n with x in [1, 4), so the root is in [1, 2). As in div.ts, the hardware gives
  // the root to nearest (it cannot be a tie: a root with 54 bits has a square with more than 53), and the exact
  // remainder says on which side the true root lies.
  const exp = expOf(mag);
  const odd = <u64>(exp & 1);
  const sigX = sigOf(mag) >> 11;
  const x = ((1023 + odd) << 52) | (sigX & F64_FRACTION);
  const root = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(x)));
  const excess = productMinus(root, root, x);
  let sig = normalSig(root) << 11;
  if (excess < 0) sig |= 1;
  if (excess > 0) sig -= 1; // not for root 1, which is exact or too small: bit 63 stays set
  return roundPack(0, exp >> 1, sig, rm, fmt);
}
