// How the kernel, in TypeScript, reaches user memory: with user privilege, through this hart's own TLB and walker, so
// that A and D bits, permissions and stale translations are those of a guest access at this moment.
//
// Addresses are f64 because they come from JavaScript. After a fault HART_CAUSE and HART_TVAL are set as for a guest
// access; the kernel resolves the fault and calls again. A translated address lives until the next poll, never longer.

import { hart } from "../hart.ts";
import {
  ACCESS_FETCH,
  ACCESS_STORE,
  CAUSE_LOAD_MISALIGNED,
  CAUSE_STORE_MISALIGNED,
  FAULT,
  HART_PRIV,
  PAGE_BYTES,
  PAGE_MASK,
  PRIV_USER,
} from "../layout.ts";
import { raise } from "./fault.ts";
import { vaOf } from "./fence.ts";
import { fetchAddress, translateLoad, translateStore } from "./memory.ts";
import { usePrivilege } from "./tlb.ts";

// futex(2), FUTEX_OP_*
const FUTEX_OP_SET: u32 = 0;
const FUTEX_OP_ADD: u32 = 1;
const FUTEX_OP_OR: u32 = 2;
const FUTEX_OP_ANDN: u32 = 3;
const FUTEX_OP_XOR: u32 = 4;

function beginUser(): void {
  usePrivilege(PRIV_USER);
}

function endUser(): void {
  usePrivilege(load<u32>(hart, HART_PRIV));
}

/** Bytes from va that lie in its page, at most `left`. */
function pieceBytes(va: u64, left: u32): u32 {
  const room: u32 = PAGE_BYTES - (<u32>va & PAGE_MASK);
  return left < room ? left : room;
}

/** Returns the bytes NOT copied (Linux: copy_from_user); stops at the first page that faults. */
export function copyFromUser(destination: usize, va: f64, bytes: u32): u32 {
  let from = vaOf(va);
  beginUser();
  while (bytes != 0) {
    const piece = pieceBytes(from, bytes);
    const address = translateLoad(from);
    if (address == FAULT) break;
    memory.copy(destination, address, piece);
    destination += piece;
    from += piece;
    bytes -= piece;
  }
  endUser();
  return bytes;
}

/** Returns the bytes NOT copied (Linux: copy_to_user). */
export function copyToUser(va: f64, source: usize, bytes: u32): u32 {
  let to = vaOf(va);
  beginUser();
  while (bytes != 0) {
    const piece = pieceBytes(to, bytes);
    const address = translateStore(to, piece);
    if (address == FAULT) break;
    memory.copy(address, source, piece);
    source += piece;
    to += piece;
    bytes -= piece;
  }
  endUser();
  return bytes;
}

/** Returns the bytes NOT cleared (Linux: clear_user). */
export function clearUser(va: f64, bytes: u32): u32 {
  let to = vaOf(va);
  beginUser();
  while (bytes != 0) {
    const piece = pieceBytes(to, bytes);
    const address = translateStore(to, piece);
    if (address == FAULT) break;
    memory.fill(address, 0, piece);
    to += piece;
    bytes -= piece;
  }
  endUser();
  return bytes;
}

/**
 * The length without the NUL, which is copied too; bytesMax if there is no NUL among so many bytes; -1 after a fault.
 */
export function strncpyFromUser(destination: usize, va: f64, bytesMax: u32): i32 {
  let from = vaOf(va);
  let length: u32 = 0;
  beginUser();
  while (length < bytesMax) {
    const piece = pieceBytes(from, bytesMax - length);
    const address = translateLoad(from);
    if (address == FAULT) {
      endUser();
      return -1;
    }
    for (let i: u32 = 0; i < piece; i++) {
      const byte = load<u8>(address + i);
      store<u8>(destination + length, byte);
      if (byte == 0) {
        endUser();
        return length;
      }
      length++;
    }
    from += piece;
  }
  endUser();
  return length;
}

/**
 * The physical address of the byte at va for ACCESS_*, or 0 after a fault. ACCESS_STORE announces one word of 8
 * bytes.
 */
export function userAddress(va: f64, access: u32): usize {
  const at = vaOf(va);
  beginUser();
  let address: usize;
  if (access == ACCESS_STORE) address = translateStore(at, pieceBytes(at, 8));
  else if (access == ACCESS_FETCH) address = fetchAddress(at);
  else address = translateLoad(at);
  endUser();
  if (access == ACCESS_FETCH && address != FAULT) address += <u32>at & PAGE_MASK;
  return address;
}

/** The address of an aligned user word, or 0 after a fault. */
function wordAddress(va: f64, access: u32): usize {
  const at = vaOf(va);
  if ((<u32>at & 3) != 0) return raise(access == ACCESS_STORE ? CAUSE_STORE_MISALIGNED : CAUSE_LOAD_MISALIGNED, at);
  return userAddress(va, access);
}

/** Linux: futex_get_value. The unsigned word, or -1 after a fault. */
export function userLoad32(va: f64): i64 {
  const address = wordAddress(va, 0);
  return address == FAULT ? -1 : <i64>atomic.load<u32>(address);
}

export function userStore32(va: f64, value: u32): bool {
  const address = wordAddress(va, ACCESS_STORE);
  if (address == FAULT) return false;
  atomic.store<u32>(address, value);
  return true;
}

/** Linux: futex_atomic_cmpxchg_inatomic. The old word, or -1 after a fault. */
export function userCmpxchg32(va: f64, expected: u32, desired: u32): i64 {
  const address = wordAddress(va, ACCESS_STORE);
  return address == FAULT ? -1 : <i64>atomic.cmpxchg<u32>(address, expected, desired);
}

/**
 * Linux: futex_atomic_op_inuser. The old word, or -1 after a fault. `operation` is FUTEX_OP_*, checked by the caller.
 */
export function userRmw32(operation: u32, va: f64, argument: u32): i64 {
  const address = wordAddress(va, ACCESS_STORE);
  if (address == FAULT) return -1;
  if (operation == FUTEX_OP_SET) return <i64>atomic.xchg<u32>(address, argument);
  if (operation == FUTEX_OP_ADD) return <i64>atomic.add<u32>(address, argument);
  if (operation == FUTEX_OP_OR) return <i64>atomic.or<u32>(address, argument);
  if (operation == FUTEX_OP_ANDN) return <i64>atomic.and<u32>(address, ~argument);
  if (operation == FUTEX_OP_XOR) return <i64>atomic.xor<u32>(address, argument);
  return -1;
}

// Frames and kernel objects, by their address: Wasm does this four times faster than a typed array does.

export function zeroPage(pa: usize): void {
  memory.fill(pa, 0, PAGE_BYTES);
}

export function copyPage(destination: usize, source: usize): void {
  memory.copy(destination, source, PAGE_BYTES);
}

export function zeroBytes(pa: usize, bytes: u32): void {
  memory.fill(pa, 0, bytes);
}

export function copyBytes(destination: usize, source: usize, bytes: u32): void {
  memory.copy(destination, source, bytes);
}
