// What the tests of the MMU call: the real modules of the core behind functions that JavaScript can use.
// A test sees a fault as HART_CAUSE, which it sets to NO_CAUSE beforehand; the value returned is then 0.

import { bind, reset } from "../../../assembly/hart.ts";
import { ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE, FAULT } from "../../../assembly/layout.ts";
import {
  amoAdd32, amoAdd64, amoAddress, amoAnd32, amoAnd64, amoMax32, amoMax64, amoMaxu32, amoMaxu64, amoMin32, amoMin64,
  amoMinu32, amoMinu64, amoOr32, amoOr64, amoSwap32, amoSwap64, amoXor32, amoXor64, clearReservation, lr32, lr64,
  lrAddress, sc32, sc64,
} from "../../../assembly/mmu/atomic.ts";
import { fetchAddress, loadAddress, storeAddress, storeMiss } from "../../../assembly/mmu/memory.ts";
import { dropWriteTags, loadSatp, superpageFragments } from "../../../assembly/mmu/tlb.ts";
import { walk, walkLeaf, walkLevel } from "../../../assembly/mmu/walk.ts";

export { bind, clearReservation, dropWriteTags, fetchAddress, loadSatp, reset, superpageFragments };
export { walk, walkLeaf, walkLevel };
export {
  flushAll, flushAsid, flushPage, flushRange, flushVa, flushVaAsid, fullFence,
} from "../../../assembly/mmu/fence";
export {
  clearUser, copyBytes, copyFromUser, copyPage, copyToUser, strncpyFromUser, userAddress, userCmpxchg32, userLoad32,
  userRmw32, userStore32, zeroBytes, zeroPage,
} from "../../../assembly/mmu/user";

export function loadGuest(va: u64, bytes: u32): u64 {
  let address: usize;
  if (bytes == 1) return (address = loadAddress(va, 1)) == FAULT ? 0 : load<u8>(address);
  if (bytes == 2) return (address = loadAddress(va, 2)) == FAULT ? 0 : load<u16>(address);
  if (bytes == 4) return (address = loadAddress(va, 4)) == FAULT ? 0 : load<u32>(address);
  return (address = loadAddress(va, 8)) == FAULT ? 0 : load<u64>(address);
}

export function storeGuest(va: u64, value: u64, bytes: u32): bool {
  let address: usize;
  if (bytes == 1) {
    if ((address = storeAddress(va, 1)) == 0) return storeMiss(va, value, 1);
    store<u8>(address, <u8>value);
  } else if (bytes == 2) {
    if ((address = storeAddress(va, 2)) == 0) return storeMiss(va, value, 2);
    store<u16>(address, <u16>value);
  } else if (bytes == 4) {
    if ((address = storeAddress(va, 4)) == 0) return storeMiss(va, value, 4);
    store<u32>(address, <u32>value);
  } else {
    if ((address = storeAddress(va, 8)) == 0) return storeMiss(va, value, 8);
    store<u64>(address, value);
  }
  return true;
}

/** 1 if the access went through, whatever its kind; the address is not used. */
export function touch(va: u64, access: u32): bool {
  if (access == ACCESS_LOAD) return loadAddress(va, 1) != FAULT;
  if (access == ACCESS_STORE) return amoAddress(va, 1) != FAULT;
  if (access == ACCESS_FETCH) return fetchAddress(va) != FAULT;
  return false;
}

/** The frame that the fast path alone would use for an aligned access, 0 if it misses. */
export function hitStore(va: u64, bytes: u32): usize {
  return bytes == 8 ? storeAddress(va, 8) : bytes == 4 ? storeAddress(va, 4) : storeAddress(va, 1);
}

export function loadReserved(va: u64, bytes: u32): u64 {
  const address = lrAddress(va, bytes);
  if (address == FAULT) return 0;
  return bytes == 4 ? lr32(address) : lr64(address);
}

/** 0 stored, 1 not, 2 trapped. */
export function storeConditional(va: u64, value: u64, bytes: u32): u64 {
  const address = amoAddress(va, bytes);
  if (address == FAULT) return 2;
  return bytes == 4 ? sc32(address, value) : sc64(address, value);
}

/** `operation` is the index in AMO_NAMES of atomic.test.ts. */
export function amo(operation: u32, va: u64, b: u64, bytes: u32): u64 {
  const address = amoAddress(va, bytes);
  if (address == FAULT) return 0;
  const word = bytes == 4;
  switch (operation) {
    case 0: return word ? amoSwap32(address, b) : amoSwap64(address, b);
    case 1: return word ? amoAdd32(address, b) : amoAdd64(address, b);
    case 2: return word ? amoXor32(address, b) : amoXor64(address, b);
    case 3: return word ? amoAnd32(address, b) : amoAnd64(address, b);
    case 4: return word ? amoOr32(address, b) : amoOr64(address, b);
    case 5: return word ? amoMin32(address, b) : amoMin64(address, b);
    case 6: return word ? amoMax32(address, b) : amoMax64(address, b);
    case 7: return word ? amoMinu32(address, b) : amoMinu64(address, b);
    default: return word ? amoMaxu32(address, b) : amoMaxu64(address, b);
  }
}
