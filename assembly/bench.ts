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

import { entryOf, tagOf, through } from "./execute/operands.ts";
import { hart } from "./hart.ts";
import {
  ACCESS_LOAD,
  HART_TLB,
  PAGE_SHIFT,
  PTE_A,
  PTE_D,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  RAM_BASE,
  TLB_READ,
  TLB_WRITE,
} from "./layout.ts";
import { flushAll, flushAsid, flushPage } from "./mmu/fence.ts";
import { loadAddress } from "./mmu/memory.ts";
import { asidTag, fillTlb, tlbEntry, tlbIndexMask } from "./mmu/tlb.ts";
import { walk } from "./mmu/walk.ts";

// asc resolves `export ... from` only without the extension
export { bind } from "./hart";

const FIRST_VA: u64 = 0x4000_0000;
const MAPPED_PAGES: u32 = 4096;
const HIT_PAGES: u32 = 32;
const ASID: u32 = 1;
const OTHER_ASID: u32 = 2;

/** One word of each page, in a cache line of its own: what is measured is the translation. */
function vaOf(i: u32, pages: u32): u64 {
  return FIRST_VA + (<u64>(i & (pages - 1)) << PAGE_SHIFT) + <u64>((i & 63) << 6);
}

// The hit loops have the handlers' form of the path: mask and tag in locals. Four a turn, as in C, so that the loop
// itself (V8 looks for interrupts in each turn) weighs little against them.

export function loadHits(n: u32): u64 {
  const h = hart;
  const tlbMask = tlbIndexMask;
  const tlbTag = asidTag;
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i += 4) {
    sum += loadHit(h, vaOf(i, HIT_PAGES), tlbMask, tlbTag);
    sum += loadHit(h, vaOf(i + 1, HIT_PAGES), tlbMask, tlbTag);
    sum += loadHit(h, vaOf(i + 2, HIT_PAGES), tlbMask, tlbTag);
    sum += loadHit(h, vaOf(i + 3, HIT_PAGES), tlbMask, tlbTag);
  }
  return sum;
}

function loadHit(h: usize, va: u64, tlbMask: u32, tlbTag: u64): u64 {
  const entry = entryOf(h, va, tlbMask);
  if (load<u64>(entry, HART_TLB + TLB_READ) != tagOf(va, 8, tlbTag)) return missed();
  return load<u64>(through(entry, va));
}

export function storeHits(n: u32): u64 {
  const h = hart;
  const tlbMask = tlbIndexMask;
  const tlbTag = asidTag;
  for (let i: u32 = 0; i < n; i += 4) {
    storeHit(h, vaOf(i, HIT_PAGES), i, tlbMask, tlbTag);
    storeHit(h, vaOf(i + 1, HIT_PAGES), i, tlbMask, tlbTag);
    storeHit(h, vaOf(i + 2, HIT_PAGES), i, tlbMask, tlbTag);
    storeHit(h, vaOf(i + 3, HIT_PAGES), i, tlbMask, tlbTag);
  }
  return 0;
}

function storeHit(h: usize, va: u64, value: u64, tlbMask: u32, tlbTag: u64): void {
  const entry = entryOf(h, va, tlbMask);
  if (load<u64>(entry, HART_TLB + TLB_WRITE) != tagOf(va, 8, tlbTag)) missed();
  else store<u64>(through(entry, va), value);
}

/** A hit loop met a page that the TLB does not hold: touch() was forgotten, and the time is worth nothing. */
function missed(): u64 {
  return unreachable();
}

export function walks(n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i++) sum += walk(vaOf(i, MAPPED_PAGES), ACCESS_LOAD);
  return sum;
}

/** Puts the pages of the hit loops into the TLB. */
export function touch(): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < HIT_PAGES; i++) sum += load<u64>(loadAddress(vaOf(i, HIT_PAGES), 8));
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
  for (let i: u32 = 0; i < n; i += 4) {
    sum += upAndDown(word);
    sum += upAndDown(word);
    sum += upAndDown(word);
    sum += upAndDown(word);
  }
  return sum;
}

function upAndDown(word: usize): u64 {
  const before = atomic.add<u32>(word, 1);
  return before + atomic.add<u32>(word, <u32>-1);
}

export function incrementsNotZero(word: usize, n: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < n; i += 4) {
    sum += incrementNotZero(word);
    sum += incrementNotZero(word);
    sum += incrementNotZero(word);
    sum += incrementNotZero(word);
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
