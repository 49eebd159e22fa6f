// Multiplication and division (M extension). Division never traps: the unprivileged manual's table "Semantics for
// division by zero and division overflow" gives the results, and Wasm would trap in exactly those cases.

/** Upper half of the 128-bit unsigned product, from four 32-bit products. */
export function mulhu(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32); // at most 2^64 - 2^32, no overflow
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** A negative factor counts 2^64 too much in the unsigned product: take the other factor off the upper half. */
export function mulh(a: u64, b: u64): u64 {
  return mulhu(a, b) - (<u64>(<i64>a >> 63) & b) - (<u64>(<i64>b >> 63) & a);
}

export function mulhsu(a: u64, b: u64): u64 {
  return mulhu(a, b) - (<u64>(<i64>a >> 63) & b);
}

export function div(a: u64, b: u64): u64 {
  if (b + 1 <= 1) return b == 0 ? ~(<u64>0) : 0 - a; // by -1: negation, also for the smallest number
  return <u64>(<i64>a / <i64>b);
}

export function divu(a: u64, b: u64): u64 {
  return b == 0 ? ~(<u64>0) : a / b;
}

export function rem(a: u64, b: u64): u64 {
  if (b + 1 <= 1) return b == 0 ? a : 0;
  return <u64>(<i64>a % <i64>b);
}

export function remu(a: u64, b: u64): u64 {
  return b == 0 ? a : a % b;
}

export function divw(a: u64, b: u64): u64 {
  if (<u32>b + 1 <= 1) return <u32>b == 0 ? ~(<u64>0) : <u64><i64>(<i32>0 - <i32>a);
  return <u64><i64>(<i32>a / <i32>b);
}

export function divuw(a: u64, b: u64): u64 {
  return <u32>b == 0 ? ~(<u64>0) : <u64><i64><i32>(<u32>a / <u32>b);
}

export function remw(a: u64, b: u64): u64 {
  if (<u32>b + 1 <= 1) return <u32>b == 0 ? <u64><i64><i32>a : 0;
  return <u64><i64>(<i32>a % <i32>b);
}

export function remuw(a: u64, b: u64): u64 {
  return <u64><i64><i32>(<u32>b == 0 ? <u32>a : <u32>a % <u32>b);
}
