// LR/SC and AMOs on Wasm atomics, which are sequentially consistent: aq and rl are always given.
//
// A handler translates first (lrAddress, amoAddress: FAULT after a trap), then operates on the address. The .w forms
// return their value sign-extended, as rd wants it. Wasm traps the whole instance on an unaligned atomic, so
// alignment is checked here; a misaligned one is CAUSE_*_MISALIGNED, for which Linux, and qemu-riscv64 in user mode,
// deliver SIGBUS (BUS_ADRALN). SC checks alignment and permission even without a reservation, as hardware does; qemu
// lets such an SC fail quietly.
//
// A reservation is {address, width, value} and SC is a compare-and-swap against the value. So SC can succeed although
// another hart stored in between, if it stored the same value (ABA); qemu makes the same choice.

import { hart } from "../hart.ts";
import {
  CAUSE_LOAD_MISALIGNED,
  CAUSE_STORE_MISALIGNED,
  FAULT,
  HART_RESERVATION_BYTES,
  HART_RESERVATION_PA,
  HART_RESERVATION_VALUE,
} from "../layout.ts";
import { raise } from "./fault.ts";
import { loadAddress, storeAddress, translateStore } from "./memory.ts";

/** For LR.w (4) and LR.d (8). */
export function lrAddress(va: u64, bytes: u32): usize {
  if ((<u32>va & (bytes - 1)) != 0) return raise(CAUSE_LOAD_MISALIGNED, va);
  return loadAddress(va, bytes);
}

/** For SC and AMOs: they need the right to store, whether SC succeeds or not. */
export function amoAddress(va: u64, bytes: u32): usize {
  const address = storeAddress(va, bytes);
  if (address != FAULT) return address;
  if ((<u32>va & (bytes - 1)) != 0) return raise(CAUSE_STORE_MISALIGNED, va);
  return translateStore(va, bytes);
}

/** Any SC, trap or context switch drops the reservation. */
export function clearReservation(): void {
  store<u32>(hart, 0, HART_RESERVATION_PA);
}

function reserve(address: usize, bytes: u32, value: u64): void {
  store<u32>(hart, <u32>address, HART_RESERVATION_PA);
  store<u32>(hart, bytes, HART_RESERVATION_BYTES);
  store<u64>(hart, value, HART_RESERVATION_VALUE);
}

function reserved(address: usize, bytes: u32): bool {
  return load<u32>(hart, HART_RESERVATION_PA) == <u32>address && load<u32>(hart, HART_RESERVATION_BYTES) == bytes;
}

function signed32(value: u32): u64 {
  return <u64><i64><i32>value;
}

export function lr32(address: usize): u64 {
  const value = atomic.load<u32>(address);
  reserve(address, 4, value);
  return signed32(value);
}

export function lr64(address: usize): u64 {
  const value = atomic.load<u64>(address);
  reserve(address, 8, value);
  return value;
}

/** 0: stored. 1: not. */
export function sc32(address: usize, value: u64): u64 {
  const held = reserved(address, 4);
  clearReservation();
  if (!held) return 1;
  const expected = load<u32>(hart, HART_RESERVATION_VALUE);
  return atomic.cmpxchg<u32>(address, expected, <u32>value) == expected ? 0 : 1;
}

export function sc64(address: usize, value: u64): u64 {
  const held = reserved(address, 8);
  clearReservation();
  if (!held) return 1;
  const expected = load<u64>(hart, HART_RESERVATION_VALUE);
  return atomic.cmpxchg<u64>(address, expected, value) == expected ? 0 : 1;
}

export function amoSwap32(address: usize, b: u64): u64 { return signed32(atomic.xchg<u32>(address, <u32>b)); }
export function amoAdd32(address: usize, b: u64): u64 { return signed32(atomic.add<u32>(address, <u32>b)); }
export function amoXor32(address: usize, b: u64): u64 { return signed32(atomic.xor<u32>(address, <u32>b)); }
export function amoAnd32(address: usize, b: u64): u64 { return signed32(atomic.and<u32>(address, <u32>b)); }
export function amoOr32(address: usize, b: u64): u64 { return signed32(atomic.or<u32>(address, <u32>b)); }

export function amoSwap64(address: usize, b: u64): u64 { return atomic.xchg<u64>(address, b); }
export function amoAdd64(address: usize, b: u64): u64 { return atomic.add<u64>(address, b); }
export function amoXor64(address: usize, b: u64): u64 { return atomic.xor<u64>(address, b); }
export function amoAnd64(address: usize, b: u64): u64 { return atomic.and<u64>(address, b); }
export function amoOr64(address: usize, b: u64): u64 { return atomic.or<u64>(address, b); }

// Wasm has no atomic minimum or maximum. The swap is made even where it changes nothing: an AMO always writes.

export function amoMin32(address: usize, b: u64): u64 {
  let old: u32;
  do old = atomic.load<u32>(address);
  while (atomic.cmpxchg<u32>(address, old, <i32>old < <i32>b ? old : <u32>b) != old);
  return signed32(old);
}

export function amoMax32(address: usize, b: u64): u64 {
  let old: u32;
  do old = atomic.load<u32>(address);
  while (atomic.cmpxchg<u32>(address, old, <i32>old > <i32>b ? old : <u32>b) != old);
  return signed32(old);
}

export function amoMinu32(address: usize, b: u64): u64 {
  let old: u32;
  do old = atomic.load<u32>(address);
  while (atomic.cmpxchg<u32>(address, old, old < <u32>b ? old : <u32>b) != old);
  return signed32(old);
}

export function amoMaxu32(address: usize, b: u64): u64 {
  let old: u32;
  do old = atomic.load<u32>(address);
  while (atomic.cmpxchg<u32>(address, old, old > <u32>b ? old : <u32>b) != old);
  return signed32(old);
}

export function amoMin64(address: usize, b: u64): u64 {
  let old: u64;
  do old = atomic.load<u64>(address);
  while (atomic.cmpxchg<u64>(address, old, <i64>old < <i64>b ? old : b) != old);
  return old;
}

export function amoMax64(address: usize, b: u64): u64 {
  let old: u64;
  do old = atomic.load<u64>(address);
  while (atomic.cmpxchg<u64>(address, old, <i64>old > <i64>b ? old : b) != old);
  return old;
}

export function amoMinu64(address: usize, b: u64): u64 {
  let old: u64;
  do old = atomic.load<u64>(address);
  while (atomic.cmpxchg<u64>(address, old, old < b ? old : b) != old);
  return old;
}

export function amoMaxu64(address: usize, b: u64): u64 {
  let old: u64;
  do old = atomic.load<u64>(address);
  while (atomic.cmpxchg<u64>(address, old, old > b ? old : b) != old);
  return old;
}
