// Multiplication.

import { isNormalF64, isOrdinaryF32, isOrdinaryF64, productMinus } from "./exact.ts";
import {
  F64_INFINITY, F64_MAGNITUDE, FMT_D, FMT_S,
  expOf, infinityOf, isNanF64, sigOf, widen, zeroOf,
} from "./format.ts";
import { invalid, nanResult } from "./nan.ts";
import { roundPack } from "./round.ts";
import { NX, RNE, getFflags, raise } from "./status.ts";
import { mulHigh } from "./wide.ts";

// Fast path: an ordinary product has finite operands that are not zero.

export function f32Mul(a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    // 48 bits of significand, and a wider exponent: the product of two singles is exact as a double.
    const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
    const rounded = <f32>product;
    if (isOrdinaryF32(reinterpret<u32>(rounded))) {
      if (<f64>rounded != product) raise(NX);
      return reinterpret<u32>(rounded);
    }
  }
  return <u32>softMul(widen(a), widen(b), rm, FMT_S);
}

export function f64Mul(a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const product = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (isOrdinaryF64(product)) {
      if ((getFflags() & NX) != 0) return product;
      if (isNormalF64(a) && isNormalF64(b)) {
        if (productMinus(a, b, product) != 0) raise(NX);
        return product;
      }
    }
  }
  return softMul(a, b, rm, FMT_D);
}

function softMul(a: u64, b: u64, rm: u32, fmt: u32): u64 {
  const magA = a & F64_MAGNITUDE;
  const magB = b & F64_MAGNITUDE;
  const sign = (a ^ b) >> 63;
  if (magA >= F64_INFINITY || magB >= F64_INFINITY) {
    if (isNanF64(a) || isNanF64(b)) return nanResult(a, b, fmt);
    if (magA == 0 || magB == 0) return invalid(fmt);
    return infinityOf(sign, fmt);
  }
  if (magA == 0 || magB == 0) return zeroOf(sign, fmt);

  const sigA = sigOf(magA);
  const sigB = sigOf(magB);
  const product = mulHigh(sigA, sigB) | <u64>(sigA * sigB != 0);
  const leading = <i32>clz(product); // 0 or 1
  return roundPack(sign, expOf(magA) + expOf(magB) + 1 - leading, product << leading, rm, fmt);
}
