// Operands that are likely to be hard: corners, and random values biased towards them.

import * as operations from "./operations.ts";

export type OperandKind = "single" | "double" | "integer";

export interface Operation {
  readonly name: string;
  readonly number: number;
  readonly operands: readonly OperandKind[];
}

/** Every operation, with the operands that its name implies. */
export const OPERATIONS: readonly Operation[] = Object.entries(operations).map(([name, number]) => ({
  name,
  number,
  operands: new Array<OperandKind>(operandCount(name)).fill(operandKind(name)),
}));

function operandCount(name: string): number {
  if (/^FN?M(ADD|SUB)_/.test(name)) return 3;
  return /^F(SQRT|CLASS|CVT)_/.test(name) ? 1 : 2;
}

function operandKind(name: string): OperandKind {
  if (name.endsWith("_S")) return "single";
  return name.endsWith("_D") ? "double" : "integer";
}

const BOX = 0xffffffff_00000000n;

interface Format {
  readonly fractionBits: number;
  readonly exponentBits: number;
}

const SINGLE: Format = { fractionBits: 23, exponentBits: 8 };
const DOUBLE: Format = { fractionBits: 52, exponentBits: 11 };

/** Magnitudes around every boundary of the format, and around the limits of the integer types. */
function cornerMagnitudes({ fractionBits, exponentBits }: Format): bigint[] {
  const shift = BigInt(fractionBits);
  const expMax = (1n << BigInt(exponentBits)) - 1n;
  const bias = expMax >> 1n;
  const one = bias << shift;
  const infinity = expMax << shift;
  const quiet = 1n << (shift - 1n);
  const values = [0n, 1n, 2n, 3n, quiet, infinity, infinity + 1n, infinity + quiet, infinity + quiet + 1n];
  const aroundPower = (exp: bigint) => {
    const power = (bias + exp) << shift;
    values.push(power - 1n, power, power + 1n);
  };
  values.push((1n << shift) - 2n, infinity - 2n, one + quiet - 1n, one + quiet, one + quiet + 1n);
  for (const exp of [1n - bias, 2n - bias, -1n - shift, -1n, 0n, 1n, shift, shift + 1n, bias, bias + 1n]) {
    aroundPower(exp);
  }
  for (const exp of [31n, 32n, 63n, 64n]) aroundPower(exp);
  // Roots of the extremes, so that products land on the edges of the range, and the ties 1.5 and 2.5.
  for (const exp of [-bias / 2n, (bias + 1n) / 2n, -(bias + shift) / 2n]) values.push((bias + exp) << shift);
  values.push(one + (1n << shift) + (1n << (shift - 2n)));
  return [...new Set(values)];
}

function withBothSigns(magnitudes: readonly bigint[], signBit: number): bigint[] {
  return magnitudes.flatMap((magnitude) => [magnitude, magnitude | (1n << BigInt(signBit))]);
}

const SINGLE_CORNERS = withBothSigns(cornerMagnitudes(SINGLE), 31).map((bits) => BOX | bits);

const INTEGER_CORNERS = [
  ...new Set(
    [0, 23, 24, 25, 31, 32, 52, 53, 54, 62, 63, 64].flatMap((bit) => {
      const power = 1n << BigInt(bit);
      return [power - 1n, power, power + 1n, -power, -power - 1n, 1n - power].map((v) => BigInt.asUintN(64, v));
    }),
  ),
];

/** Register contents; a single is boxed, except for two that are not. */
export const CORNERS: Readonly<Record<OperandKind, readonly bigint[]>> = {
  single: [...SINGLE_CORNERS, 0x3f800000n, 0xfffffffe_40000000n],
  double: withBothSigns(cornerMagnitudes(DOUBLE), 63),
  integer: INTEGER_CORNERS,
};

/**
 * Few enough to try every triple: the fused operations. The product of the two factors made of `half` is 1 plus
 * almost nothing (2^-78 for a double), which makes and breaks ties that only a sticky bit can see.
 */
function fusedMagnitudes({ fractionBits, exponentBits }: Format): bigint[] {
  const shift = BigInt(fractionBits);
  const expMax = (1n << BigInt(exponentBits)) - 1n;
  const bias = expMax >> 1n;
  const power = (exp: bigint) => (bias + exp) << shift;
  const half = (shift + 1n) / 2n;
  const reciprocal = power(-1n) + (1n << shift) - (1n << (shift - half + 1n)) + (1n << (shift - 2n * half + 1n));
  return [
    ...[0n, 1n, (1n << shift) - 1n, 1n << shift, (expMax << shift) - 1n, expMax << shift],
    ...[(expMax << shift) + 1n, (expMax << shift) + (1n << (shift - 1n))],
    ...[power(0n) - 1n, power(0n), power(0n) + 1n, power(0n) + (1n << (shift - 1n))],
    ...[power(0n) + (1n << (shift - half)), reciprocal],
    ...[power(shift), power(shift + 1n), power(shift + 1n) + 1n, power(shift + 2n), power(2n * shift), power(-shift)],
  ];
}

export const FUSED_CORNERS: Readonly<Record<"single" | "double", readonly bigint[]>> = {
  single: fusedMagnitudes(SINGLE).map((bits) => BOX | bits),
  double: fusedMagnitudes(DOUBLE),
};

const FLOATS = new DataView(new ArrayBuffer(8));

function asSingle(register: bigint): number {
  FLOATS.setUint32(0, Number(register & 0xffffffffn));
  return FLOATS.getFloat32(0);
}

function asDouble(register: bigint): number {
  FLOATS.setBigUint64(0, register);
  return FLOATS.getFloat64(0);
}

/** A small fast generator (xorshift, 32 bits of state per word): a seed replays the whole run. */
export class OperandSource {
  #x: number;
  #y = 0x9e3779b9;

  constructor(seed: number) {
    this.#x = seed | 1;
    for (let i = 0; i < 16; i++) this.word();
  }

  /** 32 random bits. */
  word(): number {
    const t = this.#x ^ (this.#x << 10);
    this.#x = this.#y;
    this.#y = this.#y ^ (this.#y >>> 10) ^ t ^ (t >>> 13);
    return Math.imul(this.#y, 0x2c1b3c6d) >>> 0;
  }

  below(limit: number): number {
    return Math.floor((this.word() / 2 ** 32) * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  bits64(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  operand(kind: OperandKind, near: bigint): bigint {
    if (this.below(8) === 0) return this.pick(CORNERS[kind]);
    if (kind === "integer") return BigInt.asUintN(64, this.#integer());
    if (kind === "double") return this.#float(DOUBLE, near);
    return BOX | this.#float(SINGLE, near & 0xffffffffn);
  }

  /** Close to plus or minus a * b, so that a fused operation cancels all but the rounding error of the product. */
  nearProduct(kind: OperandKind, [a, b]: readonly bigint[]): bigint {
    const offset = BigInt(this.below(5) - 2);
    const sign = BigInt(this.below(2)) << (kind === "single" ? 31n : 63n);
    if (kind === "single") {
      FLOATS.setFloat32(0, asSingle(a) * asSingle(b));
      return BOX | BigInt.asUintN(32, (BigInt(FLOATS.getUint32(0)) ^ sign) + offset);
    }
    FLOATS.setFloat64(0, asDouble(a) * asDouble(b));
    return BigInt.asUintN(64, (FLOATS.getBigUint64(0) ^ sign) + offset);
  }

  #integer(): bigint {
    const bits = this.bits64() >> BigInt(this.below(64));
    return this.below(2) === 0 ? bits : -bits;
  }

  #float(format: Format, near: bigint): bigint {
    const fraction = this.#fraction(format.fractionBits);
    const exponent = this.#exponent(format, near);
    const sign = BigInt(this.below(2)) << BigInt(format.exponentBits);
    return ((sign | exponent) << BigInt(format.fractionBits)) | fraction;
  }

  /** Full, short (so that exact results and ties happen), or short with all bits inverted (so that carries do). */
  #fraction(fractionBits: number): bigint {
    const full = BigInt.asUintN(fractionBits, this.bits64());
    const kind = this.below(4);
    if (kind === 0) return full;
    const kept = BigInt(this.below(fractionBits + 1));
    const short = (full >> kept) << kept;
    if (kind === 1) return short;
    const inverted = BigInt.asUintN(fractionBits, ~short);
    return kind === 2 ? inverted : BigInt.asUintN(fractionBits, inverted + BigInt(this.below(3)));
  }

  /** Around the previous operand, around the ends of the range, around the integers, or anywhere. */
  #exponent({ fractionBits, exponentBits }: Format, near: bigint): bigint {
    const count = 2 ** exponentBits;
    const bias = count / 2 - 1;
    const quarter = count / 4; // the product of two such is at an end of the range
    const spread = 2 * fractionBits + 8;
    const nearby = Number(BigInt.asUintN(exponentBits, near >> BigInt(fractionBits)));
    const centre = this.pick([nearby, nearby, bias, bias, bias + 31, bias + 63, 0, count, quarter, 3 * quarter]);
    const exponent = this.below(8) === 0 ? this.below(count) : centre + this.below(spread) - spread / 2;
    return BigInt(Math.min(Math.max(exponent, 0), count - 1));
  }
}
