// The Sv39 page-table walk (privileged manual, "Virtual Address Translation Process"; step numbers below are its own).
//
// A PTE is read once, with one 64-bit load, and changed only by a 32-bit compare-and-swap on its low half, which holds all
// of a valid entry because RAM ends below 4 GiB. The kernel uses the same width from TypeScript.

import { hart } from "../hart.ts";
import {
  ACCESS_STORE,
  COUNTER_AD_UPDATE,
  COUNTER_PTW,
  COUNTER_PTW_STEPS,
  COUNTER_PWC_HIT,
  LEVEL_COUNT,
  OPTION_PWC,
  OPTION_TRAP_AD,
  PAGE_SHIFT,
  PRIV_USER,
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
import { count, mmuOptions, privilege, ramFrames, satpRoot } from "./tlb.ts";

const PTE_RESERVED_SHIFT: u64 = 54; // bits 54..60 are reserved; N (Svnapot) and PBMT (Svpbmt), above them, are not implemented
const BARE_LEAF: u32 = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;

// What the last successful walk found, besides the address it returned.
export let walkLeaf: u32 = 0; // low half of the leaf as it is in memory now; G also if a pointer above it had G
export let walkLevel: u32 = 0; // 0: 4 KiB, 1: 2 MiB, 2: 1 GiB

/** The address of the 4 KiB frame that holds va, or FAULT after a trap was raised. Does not look into the TLB. */
export function walk(va: u64, access: u32): usize {
  count(COUNTER_PTW, 1);
  if (satpRoot == 0) return walkBare(va, access);
  if (<u64>(<i64>(va << 25) >> 25) != va) return pageFault(va, access); // bits 63..39 must equal bit 38

  let level: u32 = LEVEL_COUNT - 1;
  let pfn: u64 = satpRoot;
  let global: u32 = 0;
  let steps: u32 = 0;
  if ((mmuOptions & OPTION_PWC) != 0) {
    let pointer = pwcFind(va, 0);
    if (pointer != 0) level = 0;
    else if ((pointer = pwcFind(va, 1)) != 0) level = 1;
    if (pointer != 0) {
      count(COUNTER_PWC_HIT, 1);
      pfn = pointer >>> PTE_PPN_SHIFT;
      global = pointer & PTE_G;
    }
  }
  while (true) {
    if (pfn - RAM_PFN_BASE >= ramFrames) return endWalk(steps, accessFault(va, access)); // step 2: the PTE is not in RAM
    const index = <u32>(va >> <u64>(PAGE_SHIFT + VPN_BITS * level)) & (PTE_COUNT - 1);
    const address = (<usize>pfn << PAGE_SHIFT) + (index << 3);
    const pte = atomic.load<u64>(address);
    const low = <u32>pte;
    steps++;
    if ((low & (PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D)) == PTE_V) { // step 4: a pointer
      if (pte >> PTE_RESERVED_SHIFT != 0 || level == 0) return endWalk(steps, pageFault(va, access));
      level--;
      pfn = pte >> PTE_PPN_SHIFT;
      global |= low & PTE_G;
      if ((mmuOptions & OPTION_PWC) != 0 && pfn - RAM_PFN_BASE < ramFrames) pwcFill(va, level, low & ~PTE_G | global);
      continue;
    }
    if (!leafAllows(pte, level, access)) return endWalk(steps, pageFault(va, access));
    const wanted: u32 = access == ACCESS_STORE ? PTE_A | PTE_D : PTE_A;
    if ((low & wanted) != wanted) { // step 9
      if ((mmuOptions & OPTION_TRAP_AD) != 0) return endWalk(steps, pageFault(va, access));
      if (atomic.cmpxchg<u32>(address, low, low | wanted) != low) continue; // it changed: read it again
      count(COUNTER_AD_UPDATE, 1);
    }
    // step 10: the leaf gives the upper bits of the frame, va the bits below the leaf's size
    pfn = (pte >> PTE_PPN_SHIFT) | ((va >> PAGE_SHIFT) & <u64>((1 << (VPN_BITS * level)) - 1));
    if (pfn - RAM_PFN_BASE >= ramFrames) return endWalk(steps, accessFault(va, access));
    walkLeaf = low | wanted | global;
    walkLevel = level;
    return endWalk(steps, <usize>pfn << PAGE_SHIFT);
  }
}

function endWalk(steps: u32, answer: usize): usize {
  count(COUNTER_PTW_STEPS, steps);
  return answer;
}

/** Steps 3 to 8 for whatever is not a good pointer: V, reserved encodings and bits, alignment, privilege, permission. */
function leafAllows(pte: u64, level: u32, access: u32): bool {
  const low = <u32>pte;
  if (pte >> PTE_RESERVED_SHIFT != 0) return false;
  // PTE_R, PTE_W, PTE_X are one bit apart, in the order of ACCESS_LOAD, ACCESS_STORE, ACCESS_FETCH. Supervisor code may
  // not touch user pages at all (SUM = 0), and W without R is reserved: it would allow the store, so it is excluded here.
  const user: u32 = privilege == PRIV_USER ? PTE_U : 0;
  if ((low & (PTE_V | PTE_U | (PTE_R << access))) != (PTE_V | user | (PTE_R << access))) return false;
  if ((low & (PTE_R | PTE_W)) == PTE_W) return false;
  return level == 0 || ((pte >> PTE_PPN_SHIFT) & <u64>((1 << (VPN_BITS * level)) - 1)) == 0; // misaligned superpage
}

/** satp.MODE = Bare: physical addresses, RAM only. */
function walkBare(va: u64, access: u32): usize {
  const pfn = va >> PAGE_SHIFT;
  if (pfn - RAM_PFN_BASE >= ramFrames) return accessFault(va, access);
  walkLeaf = BARE_LEAF;
  walkLevel = 0;
  return <usize>pfn << PAGE_SHIFT;
}
