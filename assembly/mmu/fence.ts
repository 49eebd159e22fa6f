// fence, and the local forms of sfence.vma:
//
//                     rs2 = x0 (every ASID, global pages too)    rs2 = ASID (global pages stay)
//   rs1 = x0          flushAll    + page-walk cache              flushAsid   + its page-walk cache
//   rs1 = va          flushVa     leaf entries only              flushVaAsid leaf entries only
//
// plus flushRange, which is flushVa or flushVaAsid for each of its pages. The TLB holds a superpage as 4 KiB
// fragments; a fence of any address in it drops all of them, because software fences a superpage once. Other harts
// are the kernel's business (shootdown), and so is the order between its PTE stores and its messages: it uses atomics
// for both.

import { hart } from "../hart.ts";
import {
  ASID_ANY,
  COUNTER_TLB_FLUSH_ALL,
  COUNTER_TLB_FLUSH_ONE,
  HART_CORE_SCRATCH,
  HART_OPTIONS,
  OPTION_ARM_FENCE,
  PAGE_BYTES,
  PAGE_MASK,
  PAGE_SHIFT,
  PTE_G,
  TLB_ENTRY_BYTES,
  TLB_ENTRY_SHIFT,
  TLB_META,
  TLB_TAG_ASID_MASK,
  TLB_TAG_ASID_SHIFT,
  VPN_BITS,
} from "../layout.ts";
import { dropPwcAsid, resetPwc } from "./pwc.ts";
import {
  count,
  dropEntry,
  emptyTlb,
  entryLevel,
  entryTag,
  superpageFragments,
  tlbBase,
  tlbEntry,
  tlbIndexMask,
} from "./tlb.ts";

const FENCE_WORD = HART_CORE_SCRATCH + 24; // behind the bytes that a page-crossing load gathers

// On hosts where an atomic read-modify-write is no full barrier: a module of one function that holds atomic.fence,
// which asc cannot emit. On others it is never called.
@external("host", "fence")
declare function hostFence(): void;

/** A full barrier on the host, between all earlier and all later accesses of this hart. */
export function fullFence(): void {
  if ((load<i32>(hart, HART_OPTIONS) & OPTION_ARM_FENCE) != 0) hostFence();
  else atomic.xchg<u32>(hart + FENCE_WORD, 0); // not add of 0: an optimizer may turn that into a load
}

/** sfence.vma x0, x0 */
export function flushAll(): void {
  count(COUNTER_TLB_FLUSH_ALL, 1);
  emptyTlb();
  resetPwc();
}

/** sfence.vma x0, asid */
export function flushAsid(asid: u32): void {
  count(COUNTER_TLB_FLUSH_ALL, 1);
  const end = tlbBase + tlbIndexMask + TLB_ENTRY_BYTES;
  for (let entry = tlbBase; entry < end; entry += TLB_ENTRY_BYTES) {
    if (concerns(entry, asid)) dropEntry(entry);
  }
  dropPwcAsid(asid);
}

/** sfence.vma va, x0 */
export function flushVa(va: f64): void {
  flushPage(vaOf(va), ASID_ANY);
}

/** sfence.vma va, asid */
export function flushVaAsid(va: f64, asid: u32): void {
  flushPage(vaOf(va), asid);
}

/** The same for the instruction, which has a whole register. */
export function flushPage(va: u64, asid: u32): void {
  count(COUNTER_TLB_FLUSH_ONE, 1);
  drop(va & ~(<u64>PAGE_MASK), 1, asid);
}

/** vpn: 27 bits, bit 26 meaning the upper canonical half. asid: ASID_ANY for every one. */
export function flushRange(vpn: u32, pages: u32, asid: u32): void {
  count(COUNTER_TLB_FLUSH_ONE, pages);
  drop(<u64>(<i64>(<u64>vpn << 37) >> 25), pages, asid);
}

/** A number as JavaScript holds an address: exact below 2^53 and for every page of the upper half, signed or not. */
export function vaOf(va: f64): u64 {
  return va < 0 ? <u64><i64>va : <u64>va;
}

function drop(start: u64, pages: u32, asid: u32): void {
  const bytes = <u64>pages << PAGE_SHIFT;
  if (superpageFragments == 0 && pages <= tlbIndexMask >>> TLB_ENTRY_SHIFT) {
    for (let va = start; va - start < bytes; va += PAGE_BYTES) {
      const entry = tlbEntry(va);
      if (overlaps(entry, start, bytes) && concerns(entry, asid)) dropEntry(entry);
    }
    return;
  }
  const end = tlbBase + tlbIndexMask + TLB_ENTRY_BYTES;
  for (let entry = tlbBase; entry < end; entry += TLB_ENTRY_BYTES) {
    if (overlaps(entry, start, bytes) && concerns(entry, asid)) dropEntry(entry);
  }
}

/** Whether the leaf behind the entry, as large as it was in the page table, shares a byte with the range. */
function overlaps(entry: usize, start: u64, bytes: u64): bool {
  const level = entryLevel(entry);
  if (level >= 3) return false; // empty
  const leafBytes = <u64>PAGE_BYTES << <u64>(VPN_BITS * level);
  const leaf = entryTag(entry) & ~(leafBytes - 1);
  return leaf - start < bytes || start - leaf < leafBytes;
}

/** A fence for one ASID leaves global translations, whatever ASID they were filled under. */
function concerns(entry: usize, asid: u32): bool {
  if (asid == ASID_ANY) return true;
  const tagAsid = <u32>entryTag(entry) >>> TLB_TAG_ASID_SHIFT & TLB_TAG_ASID_MASK;
  return tagAsid == asid && (load<u32>(entry, TLB_META) & PTE_G) == 0;
}
