// The guest's registers as system calls see them. While a task runs, its context is the hart block.

import { HART_X } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";

const REGISTER_BYTES = 8;
const A0 = 10;
export const A7 = 17;

/** Offset of integer register `number` in a hart block or a task record. */
export function registerOffset(number: number): number {
  return HART_X + number * REGISTER_BYTES;
}

/** Argument `n` (a0 is 0) as a C int: the low 32 bits, signed. */
export function argInt(hart: HartLocal, n: number): number {
  return hart.shared.i32[(hart.base + registerOffset(A0 + n)) >>> 2];
}

/** Argument `n` as an unsigned int. */
export function argUint(hart: HartLocal, n: number): number {
  return hart.shared.u32[(hart.base + registerOffset(A0 + n)) >>> 2];
}

/** Argument `n` as an address or size_t. Above 2^53 the value is rounded, but stays above every limit. */
export function argAddress(hart: HartLocal, n: number): number {
  const u32 = hart.shared.u32;
  const index = (hart.base + registerOffset(A0 + n)) >>> 2;
  return u32[index + 1] * 2 ** 32 + u32[index];
}

/** Argument `n` as a signed long; rounded beyond 2^53. */
export function argLong(hart: HartLocal, n: number): number {
  const index = (hart.base + registerOffset(A0 + n)) >>> 2;
  return hart.shared.i32[index + 1] * 2 ** 32 + hart.shared.u32[index];
}

/** The upper half of argument `n`. */
export function argHigh(hart: HartLocal, n: number): number {
  return hart.shared.u32[(hart.base + registerOffset(A0 + n) + 4) >>> 2];
}

/** Argument `n` in hexadecimal digits, exact. */
export function argHex(hart: HartLocal, n: number): string {
  return hart.shared.u64[(hart.base + registerOffset(A0 + n)) >>> 3].toString(16);
}

/** Writes the non-negative `value` (below 2^53) to a 64-bit word that only the caller can reach. */
export function storeU64(hart: HartLocal, address: number, value: number): void {
  hart.shared.u32[address >>> 2] = value;
  hart.shared.u32[(address + 4) >>> 2] = value / 2 ** 32;
}

/** Writes `value` (magnitude below 2^53) as a signed 64-bit word that only the caller can reach. */
export function storeI64(hart: HartLocal, address: number, value: number): void {
  hart.shared.u32[address >>> 2] = value;
  hart.shared.u32[(address + 4) >>> 2] = Math.floor(value / 2 ** 32);
}

/** A 64-bit word as an unsigned number; rounded above 2^53. */
export function loadU64(hart: HartLocal, address: number): number {
  const u32 = hart.shared.u32;
  return u32[(address + 4) >>> 2] * 2 ** 32 + u32[address >>> 2];
}

/** A 64-bit word as a signed number; rounded beyond 2^53. */
export function loadI64(hart: HartLocal, address: number): number {
  return hart.shared.i32[(address + 4) >>> 2] * 2 ** 32 + hart.shared.u32[address >>> 2];
}
