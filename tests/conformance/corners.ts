// Register values that find mistakes: limits, neighbours of limits, and every kind of floating-point number.

import type { Random } from "../support/seeds.ts";

const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  7n,
  31n,
  32n,
  33n,
  63n,
  64n,
  -1n,
  -2n,
  -7n,
  -64n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  -0x80000000n,
  -0x80000001n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  -0x8000000000000000n,
  0x5555555555555555n,
  -0x5555555555555556n,
]; // prettier-ignore

const F32: readonly number[] = [
  0x00000000,
  0x80000000,
  0x3f800000,
  0xbf800000,
  0x7f800000,
  0xff800000, // zeros, ones, infinities
  0x7fc00000,
  0xffc00000,
  0x7f800001,
  0x7fbfffff,
  0x7fffffff, // quiet and signaling NaNs
  0x00000001,
  0x80000001,
  0x007fffff,
  0x00800000,
  0x00800001, // around the smallest normal
  0x7f7fffff,
  0xff7fffff,
  0x3f000000,
  0x3effffff,
  0x3f000001,
  0x3fc00000,
  0x40200000, // largest, halves
  0x4b000000,
  0x4b7fffff,
  0x4effffff,
  0x4f000000,
  0xcf000000,
  0xcf000001,
  0x4f7fffff,
  0x4f800000, // 2^23, 2^31, 2^32
  0x5effffff,
  0x5f000000,
  0xdf000000,
  0xdf000001,
  0x5f7fffff,
  0x5f800000, // 2^63, 2^64
]; // prettier-ignore

const F64: readonly bigint[] = [
  0x0000000000000000n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff0000000000001n,
  0x7ff7ffffffffffffn,
  0x0000000000000001n,
  0x8000000000000001n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x0010000000000001n,
  0x7fefffffffffffffn,
  0xffefffffffffffffn,
  0x3fe0000000000000n,
  0x3fdfffffffffffffn,
  0x3ff8000000000000n,
  0x4004000000000000n, // halves
  0x47efffffe0000000n,
  0x47effffff0000000n,
  0x47efffffefffffffn, // around the largest single
  0x380fffffffffffffn,
  0x3810000000000000n,
  0x36a0000000000000n,
  0x3690000000000000n,
  0x3690000000000001n,
  0x4330000000000000n,
  0x433fffffffffffffn,
  0x41dfffffffc00000n,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0x41efffffffe00000n,
  0x41f0000000000000n,
  0x43dfffffffffffffn,
  0x43e0000000000000n,
  0xc3e0000000000000n,
  0xc3e0000000000001n,
  0x43efffffffffffffn,
  0x43f0000000000000n,
]; // prettier-ignore

const BOX = 0xffffffff00000000n;

/** What an integer register starts with. */
export function integerValue(random: Random): bigint {
  const kind = random.below(8);
  if (kind < 4) return BigInt.asUintN(64, random.pick(INTEGERS));
  if (kind === 4) return BigInt.asUintN(64, BigInt(random.next() | 0)); // sign-extended word
  if (kind === 5) return floatValue(random);
  return random.next64() >> BigInt(random.below(64));
}

/** What a floating-point register starts with: mostly boxed singles and doubles, sometimes a broken box. */
export function floatValue(random: Random): bigint {
  const kind = random.below(10);
  if (kind < 4) return BOX | BigInt(random.pick(F32));
  if (kind === 4) return BOX | BigInt(random.next());
  if (kind < 8) return random.pick(F64);
  if (kind === 8) return doubleNearSingle(random);
  return random.next64();
}

/** A double with the exponent of a single, so that conversions round rather than overflow. */
function doubleNearSingle(random: Random): bigint {
  const exponent = BigInt(random.between(1023 - 160, 1023 + 140));
  return ((random.next64() >> 63n) << 63n) | (exponent << 52n) | (random.next64() >> 12n);
}
