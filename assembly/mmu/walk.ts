// The Sv39 page-table walk (privileged manual, "Virtual Address Translation Process"; step numbers below are its own).
//
// A PTE is read once, with one 64-bit load, and changed only by a 32-bit compare-and-swap on its low half, which
// holds all of a valid entry because RAM ends below 4 GiB. The kernel uses the same width from TypeScript. The load
// is a plain one: aligned, it is one access on every 64-bit host, the walk needs no more order than its own addresses
// give, and V8 would check an atomic one for bounds and alignment in software.

import {
  ACCESS_STORE,
  COUNTER_AD_UPDATE,
  COUNTER_PTW,
  COUNTER_PTW_STEPS,
  COUNTER_PWC_HIT,
  OPTION_PWC,
  OPTION_TRAP_AD,
  PAGE_SHIFT,
  PTE_A,
  PTE_COUNT,
  PTE_D,
  PTE_G,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  PTE_X,
  RAM_PFN_BASE,
  VPN_BITS,
} from "../layout.ts";
import { accessFault, pageFault } from "./fault.ts";
import { pwcFill, pwcFind } from "./pwc.ts";
import { count, leafUser, mmuOptions, ramFrames, satpRoot } from "./tlb.ts";

const PTE_SHIFT = 3;
// Bits 54..60 are reserved; PBMT (61, 62: Svpbmt) and N (63: Svnapot) are too while those extensions are not
// implemented.
const PTE_RESERVED: u64 = 0xffc0_0000_0000_0000;
const BARE_LEAF: u32 = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;

export const PTE_CHANGED: usize = 1; // no frame: the compare-and-swap of A and D lost against another hart

// What the last successful walk found, besides the address it returned.
export let walkLeaf: u32 = 0; // low half of the leaf as it is in memory now; G also if a pointer above it had G
export let walkLevel: u32 = 0; // 0: 4 KiB, 1: 2 MiB, 2: 1 GiB

/**
 * The address of the 4 KiB frame that holds va, FAULT after a trap was raised, or PTE_CHANGED: call again. Does not
 * look into the TLB.
 *
 * The loop over the levels (steps 2 to 4) is written out, which takes a third off the time of a walk. A level's block
 * is entered if the one before found a pointer, or if the page-walk cache knew the pointers above.
 */
export function walk(va: u64, access: u32): usize {
  count(COUNTER_PTW, 1);
  if (satpRoot == 0) return walkBare(va, access);
  if (<u64>(<i64>(va << 25) >> 25) != va) return pageFault(va, access); // bits 63..39 must equal bit 38

  const cached = (mmuOptions & OPTION_PWC) != 0;
  let level: u32 = 2;
  let pfn: u64 = satpRoot; // of the table
  let global: u32 = 0;
  if (cached) {
    let pointer = pwcFind(va, 0);
    if (pointer != 0) level = 0;
    else if ((pointer = pwcFind(va, 1)) != 0) level = 1;
    if (pointer != 0) {
      count(COUNTER_PWC_HIT, 1);
      pfn = pointer >>> PTE_PPN_SHIFT;
      global = pointer & PTE_G;
    }
  }
  const start = level;
  let address: usize = 0;
  let pte: u64 = 0;
  if (level == 2) {
    if (!isRam(pfn)) return accessFault(va, access);
    address = pteAddress(pfn, va, 2);
    pte = load<u64>(address);
    if (isPointer(pte)) {
      pfn = pte >> PTE_PPN_SHIFT;
      global = <u32>pte & PTE_G;
      level = 1;
      if (cached && isRam(pfn)) pwcFill(va, 1, <u32>pte);
    }
  }
  if (level == 1) {
    if (!isRam(pfn)) return accessFault(va, access);
    address = pteAddress(pfn, va, 1);
    pte = load<u64>(address);
    if (isPointer(pte)) {
      pfn = pte >> PTE_PPN_SHIFT;
      global |= <u32>pte & PTE_G;
      level = 0;
      if (cached && isRam(pfn)) pwcFill(va, 0, <u32>pte | global);
    }
  }
  if (level == 0) {
    if (!isRam(pfn)) return accessFault(va, access);
    address = pteAddress(pfn, va, 0);
    pte = load<u64>(address);
  }
  count(COUNTER_PTW_STEPS, start - level + 1);
  return endAtLeaf(address, pte, level, global, va, access);
}

function isRam(pfn: u64): bool {
  return pfn - RAM_PFN_BASE < ramFrames;
}

function pteAddress(pfn: u64, va: u64, level: u32): usize {
  const index = <u32>(va >> <u64>(PAGE_SHIFT + VPN_BITS * level)) & (PTE_COUNT - 1);
  return (<usize>pfn << PAGE_SHIFT) + (index << PTE_SHIFT);
}

/** V alone: no permission, and none of the bits that are reserved in a pointer (A, D, U and the high ones). */
function isPointer(pte: u64): bool {
  return (pte & (PTE_RESERVED | PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D)) == PTE_V;
}

/** Steps 3 and 5 to 10, for the PTE that ended the walk: a leaf, or malformed. */
function endAtLeaf(address: usize, pte: u64, level: u32, global: u32, va: u64, access: u32): usize {
  const low = <u32>pte;
  const below: u64 = (<u64>1 << <u64>(VPN_BITS * level)) - 1; // the part of a frame number that va gives
  if (!leafAllows(pte, below, access)) return pageFault(va, access);
  const wanted: u32 = access == ACCESS_STORE ? PTE_A | PTE_D : PTE_A;
  if ((low & wanted) != wanted) { // step 9
    if ((mmuOptions & OPTION_TRAP_AD) != 0) return pageFault(va, access);
    if (atomic.cmpxchg<u32>(address, low, low | wanted) != low) return PTE_CHANGED;
    count(COUNTER_AD_UPDATE, 1);
  }
  const pfn = (pte >> PTE_PPN_SHIFT) | ((va >> PAGE_SHIFT) & below); // step 10
  if (!isRam(pfn)) return accessFault(va, access);
  walkLeaf = low | wanted | global;
  walkLevel = level;
  return <usize>pfn << PAGE_SHIFT;
}

/** Reserved encodings and bits, privilege, permission, alignment of a superpage. */
function leafAllows(pte: u64, below: u64, access: u32): bool {
  const low = <u32>pte;
  // PTE_R, PTE_W, PTE_X are one bit apart, in the order of ACCESS_LOAD, ACCESS_STORE, ACCESS_FETCH. Supervisor code may
  // not touch user pages at all (SUM = 0), so U has to be exactly what the privilege says.
  const permission: u32 = PTE_R << access;
  if ((low & (PTE_V | PTE_U | permission)) != (PTE_V | leafUser | permission)) return false;
  if ((low & (PTE_R | PTE_W)) == PTE_W) return false;
  return (pte & (PTE_RESERVED | (below << PTE_PPN_SHIFT))) == 0;
}

/** satp.MODE = Bare: physical addresses, RAM only. */
function walkBare(va: u64, access: u32): usize {
  const pfn = va >> PAGE_SHIFT;
  if (pfn - RAM_PFN_BASE >= ramFrames) return accessFault(va, access);
  walkLeaf = BARE_LEAF;
  walkLevel = 0;
  return <usize>pfn << PAGE_SHIFT;
}
