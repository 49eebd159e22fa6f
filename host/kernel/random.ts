// The machine's random numbers: xoshiro128** (Blackman, Vigna) in shared memory under RANDOM_LOCK, seeded at
// boot from --seed, so that getrandom and the layout of address spaces are the same in every run with the same seed.

import { MACHINE_BASE, MACHINE_RANDOM_LOCK, MACHINE_RANDOM_STATE } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";

const STATE = MACHINE_BASE + MACHINE_RANDOM_STATE;
const LOCK = MACHINE_BASE + MACHINE_RANDOM_LOCK;

/** A random unsigned word. */
export function random32(hart: HartLocal): number {
  spinLock(hart, LOCK);
  const value = nextLocked(hart);
  spinUnlock(hart, LOCK);
  return value;
}

/** Fills `bytes` bytes at shared-memory address `address` (aligned to 4; the last word is filled as a whole). */
export function randomFill(hart: HartLocal, address: number, bytes: number): void {
  spinLock(hart, LOCK);
  for (let done = 0; done < bytes; done += 4) hart.shared.set(address + done, nextLocked(hart));
  spinUnlock(hart, LOCK);
}

function nextLocked(hart: HartLocal): number {
  const s = hart.shared.i32;
  const i = STATE >>> 2;
  const result = Math.imul(rotate(Math.imul(s[i + 1], 5), 7), 9) >>> 0;
  const t = s[i + 1] << 9;
  s[i + 2] ^= s[i];
  s[i + 3] ^= s[i + 1];
  s[i + 1] ^= s[i + 2];
  s[i] ^= s[i + 3];
  s[i + 2] ^= t;
  s[i + 3] = rotate(s[i + 3], 11);
  return result;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
