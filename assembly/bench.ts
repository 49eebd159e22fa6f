// Loops over the core's MMU for `pagewalk bench core`, built as a module of their own: nothing of this is in core.wasm.
// guest-programs/native/mmu.c is the same in C. Each loop does its work n times and returns something that depends on
// all of it. The host has mapped MAPPED_PAGES pages from FIRST_VPN on, readable, writable, accessed and dirty.
//
//   loadHits, storeHits      8 bytes through the TLB, in HIT_PAGES pages that it holds
//   walks                    the walk alone, three levels, over all pages
//   misses                   8 bytes in pages that the TLB has lost: walk, fill, load
//   flushOnes                fill one entry, drop it by address and ASID
//   flushAsids               look through the whole TLB for an ASID that has no entry there
//   flushAlls                empty it
//   refcounts                one atomic increment and one decrement
//   incrementsNotZero        compare-and-swap unless 0 (Linux: refcount_inc_not_zero)

import {
  ACCESS_LOAD,
  FAULT,
  PAGE_SHIFT,
  PTE_A,
  PTE_D,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  RAM_BASE,
} from "./layout.ts";
import { flushAll, flushAsid, flushPage } from "./mmu/fence.ts";
import { loadAddress, storeAddress } from "./mmu/memory.ts";
import { fillTlb, tlbEntry } from "./mmu/tlb.ts";
import { walk } from "./mmu/walk.ts";

// asc resolves `export ... from` only without the extension
export { bind } from "./hart";

const FIRST_VA: u64 = 0x4000_0000;
const MAPPED_PAGES: u32 = 4096;
const HIT_PAGES: u32 = 32;
const ASID: u32 = 1;
const OTHER_ASID: u32 = 2;

function vaOf(i: u32, pages: u32): u64 {
  return FIRST_VA + (<u64>(i & (pages - 1)) << PAGE_SHIFT) + <u64>((i << 3) & 0xff8);
}

export function loadHits(n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i++) sum += load<u64>(loadAddress(vaOf(i, HIT_PAGES), 8));
  return sum;
}

/** All ones if a store missed: the caller has to touch the pages first. */
export function storeHits(n: u32): u64 {
  for (let i: u32 = 0; i < n; i++) {
    const address = storeAddress(vaOf(i, HIT_PAGES), 8);
    if (address == FAULT) return <u64>-1;
    store<u64>(address, i);
  }
  return 0;
}

export function walks(n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i++) sum += walk(vaOf(i, MAPPED_PAGES), ACCESS_LOAD);
  return sum;
}

export function misses(n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i++) sum += load<u64>(loadAddress(vaOf(i, MAPPED_PAGES), 8));
  return sum;
}

export function flushOnes(n: u32): u64 {
  for (let i: u32 = 0; i < n; i++) {
    const va = vaOf(i, HIT_PAGES);
    fillTlb(va, RAM_BASE, PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D, 0);
    flushPage(va, ASID);
  }
  return load<u64>(tlbEntry(FIRST_VA));
}

export function flushAsids(n: u32): u64 {
  for (let i: u32 = 0; i < n; i++) flushAsid(OTHER_ASID);
  return load<u64>(tlbEntry(FIRST_VA));
}

export function flushAlls(n: u32): u64 {
  for (let i: u32 = 0; i < n; i++) flushAll();
  return load<u64>(tlbEntry(FIRST_VA));
}

export function refcounts(word: usize, n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    sum += atomic.add<u32>(word, 1);
    sum += atomic.sub<u32>(word, 1);
  }
  return sum;
}

function incrementNotZero(word: usize): u64 {
  let old = atomic.load<u32>(word);
  while (old != 0) {
    const seen = atomic.cmpxchg<u32>(word, old, old + 1);
    if (seen == old) return 1;
    old = seen;
  }
  return 0;
}

export function incrementsNotZero(word: usize, n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i++) sum += incrementNotZero(word);
  return sum;
}
