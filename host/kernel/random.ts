// The machine's random numbers: xoshiro128** (Blackman, Vigna) in shared memory under RANDOM_LOCK, seeded from --seed,
// so that getrandom and the layout of address spaces are the same in every run with the same seed.

import { MACHINE_BASE, MACHINE_RANDOM_LOCK, MACHINE_RANDOM_STATE, MACHINE_SEED_HI, MACHINE_SEED_LO } from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";

const STATE = MACHINE_BASE + MACHINE_RANDOM_STATE;
const LOCK = MACHINE_BASE + MACHINE_RANDOM_LOCK;

/** Before any hart draws a number. Never leaves the all-zero state, from which the generator could not move. */
export function seedRandom(shared: SharedMemory): void {
  let mixed = shared.get(MACHINE_BASE + MACHINE_SEED_LO) ^ Math.imul(shared.get(MACHINE_BASE + MACHINE_SEED_HI), 0x9e3779b1);
  for (let word = 0; word < 4; word++) {
    // splitmix32
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    shared.set(STATE + word * 4, z ^ (z >>> 15));
  }
  if ((shared.get(STATE) | shared.get(STATE + 4) | shared.get(STATE + 8) | shared.get(STATE + 12)) === 0) shared.set(STATE, 1);
}

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
