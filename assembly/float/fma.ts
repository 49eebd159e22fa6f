// Fused multiply-add: a * b + c, rounded once.
//
// The caller flips signs for the other three (RISC-V manual, "F" extension): fmsub negates c, fnmsub negates a,
// fnmadd negates a and c. Flipping the sign bit of a NaN is harmless: a NaN result is canonical anyway.

import { isNormalF64, isOrdinaryF32, productMinus, sumError } from "./exact.ts";
import {
  F64_INFINITY, F64_MAGNITUDE, F64_SIGN, FMT_D, FMT_S,
  biasedExp, expOf, infinityOf, isNanF64, isSignalingF64, nanOf, sigOf, widen, zeroOf,
} from "./format.ts";
import { invalid } from "./nan.ts";
import { roundPack } from "./round.ts";
import { NV, NX, RDN, RNE, getFflags, raise } from "./status.ts";
import { mulHigh, shiftRightHigh, shiftRightLowSticky } from "./wide.ts";

export function f32MulAdd(a: u32, b: u32, c: u32, rm: u32): u32 {
  if (rm == RNE) {
    const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b); // exact, as in f32Mul
    const addend = <f64>reinterpret<f32>(c);
    const sum = product + addend;
    const error = sumError<f64>(product, addend, sum);
    // Rounding the sum to odd keeps it on its side of every single and of every midpoint between two singles
    // (they have at most 25 bits), so that rounding it again, to a single, is as good as rounding once.
    // Doubles do not overflow here; infinities and NaN stay out of the ordinary range.
    const rounded = <f32>roundToOdd(sum, error);
    if (isOrdinaryF32(reinterpret<u32>(rounded))) {
      if (error != 0 || <f64>rounded != sum) raise(NX);
      return reinterpret<u32>(rounded);
    }
  }
  return <u32>softMulAdd(widen(a), widen(b), widen(c), rm, FMT_S);
}

export function f64MulAdd(a: u64, b: u64, c: u64, rm: u32): u64 {
  if (rm == RNE && isModerate(a, b, c)) return nearMulAdd(a, b, c);
  return softMulAdd(a, b, c, rm, FMT_D);
}

/** sum + error rounded to odd: if inexact, whichever of the two neighbouring doubles has its last bit set. */
function roundToOdd(sum: f64, error: f64): f64 {
  const bits = reinterpret<u64>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  return reinterpret<f64>((error < 0) == (sum < 0) ? bits + 1 : bits - 1);
}

/**
 * True if nothing in nearMulAdd can overflow, and productError cannot underflow: a and b are normal with
 * 2^-850 <= |a * b| < 2^852, and c is finite. (The product is then far below the last place of the largest number.)
 */
function isModerate(a: u64, b: u64, c: u64): bool {
  const expProduct = biasedExp(a) + biasedExp(b) - 2046;
  return isNormalF64(a) && isNormalF64(b) && <u32>(expProduct + 850) < 1700 && biasedExp(c) != 2047;
}

/**
 * a * b + c to nearest even, from three doubles whose sum it is:
 *
 *   a * b = product + productError      product + c = sum + sumLow      rest = sumLow + productError, to odd
 *
 * The result is sum + rest, rounded by the last addition. Rounding rest first is harmless. If sumLow is zero, rest
 * is exact. If not, product and c did not cancel (Sterbenz: their sum would be exact), so |product| <= 2 |sum|, and
 * with u the last place of sum, |rest| <= 1.5 u. Results and midpoints near sum differ from it by small multiples of
 * u / 4; those have few significant bits, hence an even last one, and rest rounded to odd stays on its side of each.
 * For the same reason the result is inexact whenever rest was.
 *
 * No underflow: every term is a multiple of the smallest subnormal, so a tiny result is exact.
 */
function nearMulAdd(a: u64, b: u64, c: u64): u64 {
  const product = reinterpret<f64>(a) * reinterpret<f64>(b);
  const productBits = reinterpret<u64>(product);
  // productMinus counts units of 2^(ea + eb - 2150), and its sign is relative to the product's.
  const unitExp = <u64>(biasedExp(a) + biasedExp(b) - 2150 + 1023);
  const unit = reinterpret<f64>((productBits & F64_SIGN) | (unitExp << 52));
  const productError = <f64>productMinus(a, b, productBits) * unit;

  const addend = reinterpret<f64>(c);
  const sum = product + addend;
  const sumLow = sumError<f64>(product, addend, sum);
  const rest = sumLow + productError;
  const restError = sumError<f64>(sumLow, productError, rest);
  const result = sum + roundToOdd(rest, restError);
  if ((getFflags() & NX) == 0 && (restError != 0 || sumError<f64>(sum, rest, result) != 0)) raise(NX);
  return reinterpret<u64>(result);
}

function softMulAdd(a: u64, b: u64, c: u64, rm: u32, fmt: u32): u64 {
  const magA = a & F64_MAGNITUDE;
  const magB = b & F64_MAGNITUDE;
  const magC = c & F64_MAGNITUDE;
  if (magA >= F64_INFINITY || magB >= F64_INFINITY || magC >= F64_INFINITY) return mulAddSpecial(a, b, c, fmt);
  const sign = (a ^ b) >> 63;
  const subtract = ((a ^ b ^ c) & F64_SIGN) != 0;
  if (magA == 0 || magB == 0) {
    if (magC != 0) return roundPack(c >> 63, expOf(magC), sigOf(magC), rm, fmt);
    return zeroOf(subtract ? <u64>(rm == RDN) : sign, fmt);
  }

  const sigA = sigOf(magA);
  const sigB = sigOf(magB);
  let hi = mulHigh(sigA, sigB);
  let lo = sigA * sigB;
  let exp = expOf(magA) + expOf(magB) + 1;
  if (hi >> 63 == 0) {
    hi = (hi << 1) | (lo >> 63);
    lo <<= 1;
    exp -= 1;
  }
  if (magC == 0) return roundPack(sign, exp, hi | <u64>(lo != 0), rm, fmt);
  return addToProduct(sign, exp, hi, lo, subtract, expOf(magC), sigOf(magC), rm, fmt);
}

/**
 * hi:lo and sigC:0 are 128-bit significands with bit 127 set. The 21 low bits of the product and the 75 of c are
 * clear, so a difference that loses more than one leading bit lost nothing to the sticky bit.
 */
function addToProduct(
  sign: u64, exp: i32, hi: u64, lo: u64, subtract: bool, expC: i32, sigC: u64, rm: u32, fmt: u32,
): u64 {
  // One bit of headroom for the carry.
  let largeHi = hi >> 1;
  let largeLo = (hi << 63) | (lo >> 1);
  let smallHi = sigC >> 1;
  let smallLo: u64 = 0;
  let distance = exp - expC;
  if (distance < 0 || (distance == 0 && hi < sigC)) {
    smallLo = largeLo;
    largeLo = 0;
    const productHi = largeHi;
    largeHi = smallHi;
    smallHi = productHi;
    distance = -distance;
    exp = expC;
    sign ^= <u64>subtract;
  }
  smallLo = shiftRightLowSticky(smallHi, smallLo, distance);
  smallHi = shiftRightHigh(smallHi, distance);

  let sumHi: u64;
  let sumLo: u64;
  if (subtract) {
    sumLo = largeLo - smallLo;
    sumHi = largeHi - smallHi - <u64>(largeLo < smallLo);
    if ((sumHi | sumLo) == 0) return zeroOf(<u64>(rm == RDN), fmt);
  } else {
    sumLo = largeLo + smallLo;
    sumHi = largeHi + smallHi + <u64>(sumLo < largeLo);
  }
  if (sumHi == 0) {
    sumHi = sumLo;
    sumLo = 0;
    exp -= 64;
  }
  const leading = <i32>clz(sumHi);
  if (leading != 0) sumHi = (sumHi << leading) | (sumLo >> (64 - leading));
  return roundPack(sign, exp + 1 - leading, sumHi | <u64>((sumLo << leading) != 0), rm, fmt);
}

/** Infinity times zero is invalid even when c is a quiet NaN (the manual says must; IEEE 754 leaves it open). */
function mulAddSpecial(a: u64, b: u64, c: u64, fmt: u32): u64 {
  const magA = a & F64_MAGNITUDE;
  const magB = b & F64_MAGNITUDE;
  if ((magA == F64_INFINITY && magB == 0) || (magA == 0 && magB == F64_INFINITY)) return invalid(fmt);
  if (isNanF64(a) || isNanF64(b) || isNanF64(c)) {
    if (isSignalingF64(a) || isSignalingF64(b) || isSignalingF64(c)) raise(NV);
    return nanOf(fmt);
  }
  const infiniteC = (c & F64_MAGNITUDE) == F64_INFINITY;
  if (magA != F64_INFINITY && magB != F64_INFINITY) return infinityOf(c >> 63, fmt);
  if (infiniteC && ((a ^ b ^ c) & F64_SIGN) != 0) return invalid(fmt);
  return infinityOf((a ^ b) >> 63, fmt);
}
