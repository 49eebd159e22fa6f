// Guest memory access: the fast paths that end up inside each load and store handler, and the slow paths behind them.
//
// A load asks loadAddress and reads there, whatever the case was. A store asks storeAddress and writes there; on 0 it
// hands the value to storeMiss, because a store that crosses into a page that faults must not have written anything
// yet.
//
//   hit ............... one compare, see tlb.ts
//   miss .............. walk, fill, go on
//   misaligned ........ never hits; inside one page the host's unaligned access does it, across pages byte by byte
//   decoded page ...... its write tag stays invalid: store, then tell the decode cache
//
// From the decode cache this needs isDecodedFrame(pfn) and noteCodeStore(pa, bytes), for stores inside one frame.

import { isDecodedFrame, noteCodeStore } from "../decode.ts";
import { hart } from "../hart.ts";
import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  COUNTER_SLOW_ACCESS,
  COUNTER_TLB_MISS,
  FAULT,
  HART_CORE_SCRATCH,
  PAGE_BYTES,
  PAGE_MASK,
  PAGE_SHIFT,
  PTE_D,
  PTE_W,
  TLB_ADDEND,
  TLB_EXECUTE,
  TLB_META,
  TLB_READ,
  TLB_WRITE,
} from "../layout.ts";
import { asidTag, count, fillTlb, pageTag, tlbEntry } from "./tlb.ts";
import { PTE_CHANGED, walk, walkLeaf, walkLevel } from "./walk.ts";

/** What an access of that many bytes to va has to find in a tag: the page, and no low bit that misaligns it. */
// @ts-ignore: decorator
@inline // so that `bytes` folds into one constant mask at each call; asc does not inline functions that call others
function hitTag(va: u64, bytes: u32): u64 {
  return (va & (~(<u64>PAGE_MASK) | <u64>(bytes - 1))) | asidTag;
}

/** Where the translated byte of va lies. */
// @ts-ignore: decorator
@inline
function through(entry: usize, va: u64): usize {
  return <usize>(load<u32>(entry, TLB_ADDEND) + <u32>va);
}

/** The address to load `bytes` bytes (1, 2, 4, 8) from, or FAULT. Good until the next access. */
// @ts-ignore: decorator
@inline
export function loadAddress(va: u64, bytes: u32): usize {
  const entry = tlbEntry(va);
  if (hitTag(va, bytes) == load<u64>(entry, TLB_READ)) return through(entry, va);
  return loadMiss(va, bytes);
}

/** The address to store `bytes` bytes (1, 2, 4, 8) to, or 0: call storeMiss with the value. */
// @ts-ignore: decorator
@inline
export function storeAddress(va: u64, bytes: u32): usize {
  const entry = tlbEntry(va);
  if (hitTag(va, bytes) == load<u64>(entry, TLB_WRITE)) return through(entry, va);
  return 0;
}

/** The address of the frame to execute from at va, or FAULT. For page entry only. */
export function fetchAddress(va: u64): usize {
  const entry = tlbEntry(va);
  if (pageTag(va) == load<u64>(entry, TLB_EXECUTE)) return through(entry, va) & ~PAGE_MASK;
  return translateMiss(va, ACCESS_FETCH) & ~PAGE_MASK;
}

/** Everything loadAddress does not do itself. */
export function loadMiss(va: u64, bytes: u32): usize {
  if ((<u32>va & (bytes - 1)) == 0) return translateMiss(va, ACCESS_LOAD);
  count(COUNTER_SLOW_ACCESS, 1);
  const room: u32 = PAGE_BYTES - (<u32>va & PAGE_MASK); // bytes to the end of the page
  if (bytes <= room) return translateLoad(va);

  const first = translateLoad(va);
  if (first == FAULT) return FAULT;
  const second = translateLoad(va + room);
  if (second == FAULT) return FAULT;
  const gathered = hart + HART_CORE_SCRATCH;
  for (let i: u32 = 0; i < bytes; i++) {
    store<u8>(gathered + i, load<u8>(i < room ? first + i : second + (i - room)));
  }
  return gathered;
}

/** The whole store that storeAddress did not do. False: trapped, and nothing was written. */
export function storeMiss(va: u64, value: u64, bytes: u32): bool {
  const room: u32 = PAGE_BYTES - (<u32>va & PAGE_MASK);
  if ((<u32>va & (bytes - 1)) != 0) count(COUNTER_SLOW_ACCESS, 1);
  if (bytes <= room) {
    const address = translateStore(va, bytes);
    if (address == FAULT) return false;
    if (bytes == 8) store<u64>(address, value);
    else if (bytes == 4) store<u32>(address, <u32>value);
    else if (bytes == 2) store<u16>(address, <u16>value);
    else store<u8>(address, <u8>value);
    return true;
  }
  const first = translateStore(va, room);
  if (first == FAULT) return false;
  const second = translateStore(va + room, bytes - room);
  if (second == FAULT) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    store<u8>(i < room ? first + i : second + (i - room), <u8>(value >> (i << 3)));
  }
  return true;
}

/** Translates one byte to load; its page serves to the end. The address, or FAULT. */
export function translateLoad(va: u64): usize {
  const entry = tlbEntry(va);
  if (pageTag(va) == load<u64>(entry, TLB_READ)) return through(entry, va);
  return translateMiss(va, ACCESS_LOAD);
}

/**
 * Translates va for a store of that many bytes, none of them beyond the page. The address, or FAULT. The caller
 * stores at once: the decode cache has already been told, and this hart decodes nothing in between.
 */
export function translateStore(va: u64, bytes: u32): usize {
  const entry = tlbEntry(va);
  const tag = pageTag(va);
  if (tag == load<u64>(entry, TLB_WRITE)) return through(entry, va);
  const dirty = PTE_W | PTE_D;
  if (tag != load<u64>(entry, TLB_READ) || (load<u32>(entry, TLB_META) & dirty) != dirty) {
    const address = translateMiss(va, ACCESS_STORE);
    if (address == FAULT || tag == load<u64>(entry, TLB_WRITE)) return address;
  }
  // A writable, dirty page without a write tag: this hart has decoded it, or had when the entry was filled.
  const address = through(entry, va);
  if (isDecodedFrame(<u32>(address >>> PAGE_SHIFT))) {
    count(COUNTER_SLOW_ACCESS, 1);
    noteCodeStore(address, bytes);
  } else {
    store<u64>(entry, tag, TLB_WRITE);
  }
  return address;
}

function translateMiss(va: u64, access: u32): usize {
  count(COUNTER_TLB_MISS, 1);
  let frame: usize;
  do frame = walk(va, access);
  while (frame == PTE_CHANGED);
  if (frame == FAULT) return FAULT;
  fillTlb(va, frame, walkLeaf, walkLevel);
  return frame + (<u32>va & PAGE_MASK);
}
