// Division.

import { isNormalF64, isOrdinaryF32, isOrdinaryF64, productMinus } from "./exact.ts";
import {
  F64_FRACTION, F64_INFINITY, F64_MAGNITUDE, FMT_D, FMT_S,
  biasedExp, expOf, infinityOf, isNanF64, normalSig, sigOf, widen, zeroOf,
} from "./format.ts";
import { invalid, nanResult } from "./nan.ts";
import { roundPack } from "./round.ts";
import { DZ, NX, RNE, getFflags, raise } from "./status.ts";

const ONE: u64 = 0x3ff0000000000000;

// Fast path: an ordinary quotient has finite operands that are not zero. It is exact if it gives the dividend back.

export function f32Div(a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const x = reinterpret<f32>(a);
    const y = reinterpret<f32>(b);
    const quotient = x / y;
    if (isOrdinaryF32(reinterpret<u32>(quotient))) {
      if (<f64>quotient * <f64>y != <f64>x) raise(NX); // the product is exact, as in f32Mul
      return reinterpret<u32>(quotient);
    }
  }
  return <u32>softDiv(widen(a), widen(b), rm, FMT_S);
}

export function f64Div(a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const quotient = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
    if (isOrdinaryF64(quotient)) {
      if ((getFflags() & NX) != 0) return quotient;
      if (isNormalF64(a) && isNormalF64(b)) {
        if (productMinus(quotient, b, a) != 0) raise(NX);
        return quotient;
      }
    }
  }
  return softDiv(a, b, rm, FMT_D);
}

function softDiv(a: u64, b: u64, rm: u32, fmt: u32): u64 {
  const magA = a & F64_MAGNITUDE;
  const magB = b & F64_MAGNITUDE;
  const sign = (a ^ b) >> 63;
  if (magA >= F64_INFINITY || magB >= F64_INFINITY) {
    if (isNanF64(a) || isNanF64(b)) return nanResult(a, b, fmt);
    if (magA == magB) return invalid(fmt);
    return magA == F64_INFINITY ? infinityOf(sign, fmt) : zeroOf(sign, fmt);
  }
  if (magB == 0) {
    if (magA == 0) return invalid(fmt);
    raise(DZ);
    return infinityOf(sign, fmt);
  }
  if (magA == 0) return zeroOf(sign, fmt);
  return divideSignificands(sign, expOf(magA) - expOf(magB), sigOf(magA) >> 11, sigOf(magB) >> 11, rm, fmt);
}

/**
 * sigA / sigB * 2^exp for 53-bit significands. The hardware divides them, scaled to [1, 2), to nearest; the
 * exact remainder tells on which side of that 53-bit quotient the true one lies, which is all that rounding
 * in any mode, to 53 bits or fewer, can ask: no boundary lies strictly between a 53-bit number and its
 * neighbour except their midpoint, and the true quotient is on the near side of that.
 */
function divideSignificands(sign: u64, exp: i32, sigA: u64, sigB: u64, rm: u32, fmt: u32): u64 {
  const x = ONE | (sigA & F64_FRACTION);
  const y = ONE | (sigB & F64_FRACTION);
  const quotient = reinterpret<u64>(reinterpret<f64>(x) / reinterpret<f64>(y));
  const expQ = biasedExp(quotient) - 1023; // 0, or -1 when x < y
  const excess = productMinus(quotient, y, x);
  let sig = normalSig(quotient) << 11;
  if (excess < 0) sig |= 1;
  if (excess > 0) sig -= 1;
  const leading = <i32>clz(sig);
  return roundPack(sign, exp + expQ - leading, sig << leading, rm, fmt);
}
