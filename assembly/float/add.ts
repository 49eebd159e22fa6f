// Addition and subtraction.

import { sumError } from "./exact.ts";
import {
  F32_SIGN, F64_INFINITY, F64_MAGNITUDE, F64_SIGN, FMT_D, FMT_S,
  expOf, infinityOf, isNanF64, sigOf, widen, zeroOf,
} from "./format.ts";
import { invalid, nanResult } from "./nan.ts";
import { roundPack, shiftRightSticky } from "./round.ts";
import { NX, RDN, RNE, getFflags, raise } from "./status.ts";

// Fast path: a finite sum has finite operands and did not overflow. A tiny sum is exact, because every sum is a
// multiple of the smallest subnormal, so it does not underflow either. Only NX is left to find.

export function f32Add(a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const x = reinterpret<f32>(a);
    const y = reinterpret<f32>(b);
    const sum = x + y;
    if ((getFflags() & NX) != 0) {
      if (abs<f32>(sum) < <f32>Infinity) return reinterpret<u32>(sum);
    } else {
      const error = abs<f32>(sumError<f32>(x, y, sum));
      if (error < <f32>Infinity) {
        if (error != 0) raise(NX);
        return reinterpret<u32>(sum);
      }
    }
  }
  return <u32>softAdd(widen(a), widen(b), rm, FMT_S);
}

export function f64Add(a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const sum = x + y;
    if ((getFflags() & NX) != 0) {
      if (abs<f64>(sum) < <f64>Infinity) return reinterpret<u64>(sum);
    } else {
      const error = abs<f64>(sumError<f64>(x, y, sum));
      if (error < <f64>Infinity) {
        if (error != 0) raise(NX);
        return reinterpret<u64>(sum);
      }
    }
  }
  return softAdd(a, b, rm, FMT_D);
}

export function f32Sub(a: u32, b: u32, rm: u32): u32 {
  return f32Add(a, b ^ F32_SIGN, rm);
}

export function f64Sub(a: u64, b: u64, rm: u32): u64 {
  return f64Add(a, b ^ F64_SIGN, rm);
}

function softAdd(a: u64, b: u64, rm: u32, fmt: u32): u64 {
  let magA = a & F64_MAGNITUDE;
  let magB = b & F64_MAGNITUDE;
  if (magA >= F64_INFINITY || magB >= F64_INFINITY) return addSpecial(a, b, fmt);
  const subtract = ((a ^ b) & F64_SIGN) != 0;
  let sign = a >> 63;
  if (magA < magB) {
    const swapped = magA;
    magA = magB;
    magB = swapped;
    sign = b >> 63;
  }
  if (magA == magB && subtract) return zeroOf(<u64>(rm == RDN), fmt);
  if (magA == 0) return zeroOf(sign, fmt);

  const exp = expOf(magA);
  // One bit of headroom for the carry; nothing is lost, as the low bits of a significand are clear.
  const large = sigOf(magA) >> 1;
  const small = magB == 0 ? 0 : shiftRightSticky(sigOf(magB) >> 1, exp - expOf(magB));
  const sum = subtract ? large - small : large + small;
  // Bits are lost only by a shift of 10 or more; then the difference loses at most one leading bit,
  // and the sticky bit stays below the rounding point.
  const leading = <i32>clz(sum);
  return roundPack(sign, exp + 1 - leading, sum << leading, rm, fmt);
}

function addSpecial(a: u64, b: u64, fmt: u32): u64 {
  if (isNanF64(a) || isNanF64(b)) return nanResult(a, b, fmt);
  const infiniteA = (a & F64_MAGNITUDE) == F64_INFINITY;
  const infiniteB = (b & F64_MAGNITUDE) == F64_INFINITY;
  if (infiniteA && infiniteB && a != b) return invalid(fmt);
  return infinityOf((infiniteA ? a : b) >> 63, fmt);
}
