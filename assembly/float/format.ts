// The two formats, and how a value is taken apart.
//
//   single   s eeeeeeee fffffffffffffffffffffff                              bias  127
//   double   s eeeeeeeeeee ffffffffffffffffffffffffffffffffffffffffffffffffffff  bias 1023
//
// The integer paths take every operand as a double, because widening a single is exact, and name the
// format of the result with `fmt`. A finite nonzero operand is then used as
//
//   (-1)^sign * sig * 2^(exp - 63)       bit 63 of sig set, low 11 bits clear
//
// so that a subnormal looks like any other number.

// The manual's fmt field.
export const FMT_S: u32 = 0;
export const FMT_D: u32 = 1;

export const F32_SIGN: u32 = 0x80000000;
export const F32_MAGNITUDE: u32 = 0x7fffffff;
export const F32_INFINITY: u32 = 0x7f800000;
export const F32_QUIET: u32 = 0x00400000;
export const F32_NAN: u32 = 0x7fc00000; // the canonical NaN: every NaN result is this one

export const F64_SIGN: u64 = 0x8000000000000000;
export const F64_MAGNITUDE: u64 = 0x7fffffffffffffff;
export const F64_INFINITY: u64 = 0x7ff0000000000000;
export const F64_QUIET: u64 = 0x0008000000000000;
export const F64_NAN: u64 = 0x7ff8000000000000;
export const F64_FRACTION: u64 = 0x000fffffffffffff;
export const F64_IMPLICIT: u64 = 0x0010000000000000;

/** A narrower value in a 64-bit register is NaN-boxed: all upper bits are ones. */
export function boxF32(bits: u32): u64 {
  return 0xffffffff00000000 | <u64>bits;
}

/** A register that does not hold a boxed single reads as the canonical NaN. */
export function unboxF32(bits: u64): u32 {
  return bits >= 0xffffffff00000000 ? <u32>bits : F32_NAN;
}

export function isNanF32(a: u32): bool {
  return (a & F32_MAGNITUDE) > F32_INFINITY;
}

export function isNanF64(a: u64): bool {
  return (a & F64_MAGNITUDE) > F64_INFINITY;
}

export function isSignalingF32(a: u32): bool {
  return isNanF32(a) && (a & F32_QUIET) == 0;
}

export function isSignalingF64(a: u64): bool {
  return isNanF64(a) && (a & F64_QUIET) == 0;
}

/** The same value as a double. Unlike f64.promote, keeps a signaling NaN signaling. */
export function widen(a: u32): u64 {
  if (isNanF32(a)) return F64_INFINITY | (<u64>(a & 0x007fffff) << 29);
  return reinterpret<u64>(<f64>reinterpret<f32>(a));
}

/** Exponent of a finite nonzero double of magnitude `mag`: 2^exp <= mag < 2^(exp + 1). */
export function expOf(mag: u64): i32 {
  const biased = <i32>(mag >> 52);
  return biased != 0 ? biased - 1023 : -1011 - <i32>clz(mag);
}

/** Significand of a finite nonzero double of magnitude `mag`, shifted left until bit 63 is set. */
export function sigOf(mag: u64): u64 {
  return mag >= F64_IMPLICIT ? F64_SIGN | (mag << 11) : mag << clz(mag);
}

/** The 53-bit significand of a normal double. */
export function normalSig(bits: u64): u64 {
  return (bits & F64_FRACTION) | F64_IMPLICIT;
}

/** The biased exponent of a double. */
export function biasedExp(bits: u64): i32 {
  return <i32>(bits >> 52) & 0x7ff;
}

export function nanOf(fmt: u32): u64 {
  return fmt == FMT_D ? F64_NAN : <u64>F32_NAN;
}

export function infinityOf(sign: u64, fmt: u32): u64 {
  return fmt == FMT_D ? (sign << 63) | F64_INFINITY : (sign << 31) | <u64>F32_INFINITY;
}

export function zeroOf(sign: u64, fmt: u32): u64 {
  return fmt == FMT_D ? sign << 63 : sign << 31;
}
