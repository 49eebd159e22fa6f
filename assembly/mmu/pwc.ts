// The page-walk cache (OPTION_PWC): pointer entries of upper levels, so that most walks read one PTE instead of three.
//
// Hardware has one, and it is why clearing a table needs more than a fence of an address: sfence.vma with rs1 != x0
// orders leaf entries only (privileged manual, Supervisor Memory-Management Fence Instruction). So the forms with an
// address leave it alone, and a kernel that frees a table after such a fence walks into the freed table, here as
// there.
//
// It remembers for a 1 GiB region the entry that points to its level-1 table, for a 2 MiB region the one that points to
// its level-0 table. Each kind has PWC_ENTRIES direct-mapped records.

import { hart } from "../hart.ts";
import {
  HART_PWC,
  HART_PWC_BYTES,
  PAGE_SHIFT,
  PWC_ENTRIES,
  PWC_ENTRY_BYTES,
  PWC_PTE,
  PWC_TAG,
  TLB_TAG_ASID_MASK,
  TLB_TAG_ASID_SHIFT,
  TLB_TAG_INVALID,
  VPN_BITS,
} from "../layout.ts";
import { asidTag } from "./tlb.ts";

/** log2 of the bytes that one table of this level translates. */
function regionShift(tableLevel: u32): u64 {
  return <u64>(PAGE_SHIFT + VPN_BITS * (tableLevel + 1));
}

function pwcEntry(va: u64, tableLevel: u32): usize {
  const index = <usize>(va >> regionShift(tableLevel)) & (PWC_ENTRIES - 1);
  return hart + HART_PWC + ((1 - tableLevel) * PWC_ENTRIES + index) * PWC_ENTRY_BYTES;
}

function pwcTag(va: u64, tableLevel: u32): u64 {
  const shift = regionShift(tableLevel);
  return ((va >> shift) << shift) | asidTag;
}

/** The pointer entry (its low half) to the table of that level which translates va, or 0. */
export function pwcFind(va: u64, tableLevel: u32): u32 {
  const entry = pwcEntry(va, tableLevel);
  return load<u64>(entry, PWC_TAG) == pwcTag(va, tableLevel) ? load<u32>(entry, PWC_PTE) : 0;
}

export function pwcFill(va: u64, tableLevel: u32, pointer: u32): void {
  const entry = pwcEntry(va, tableLevel);
  store<u64>(entry, pwcTag(va, tableLevel), PWC_TAG);
  store<u32>(entry, pointer, PWC_PTE);
}

export function resetPwc(): void {
  memory.fill(hart + HART_PWC, 0xff, HART_PWC_BYTES); // TLB_TAG_INVALID
}

/** Drops global pointers of that ASID as well: more than is asked for is always allowed. */
export function dropPwcAsid(asid: u32): void {
  const end = hart + HART_PWC + HART_PWC_BYTES;
  for (let entry = hart + HART_PWC; entry < end; entry += PWC_ENTRY_BYTES) {
    const tag = load<u64>(entry, PWC_TAG);
    if ((<u32>tag >>> TLB_TAG_ASID_SHIFT & TLB_TAG_ASID_MASK) == asid) store<u64>(entry, <u64>TLB_TAG_INVALID, PWC_TAG);
  }
}
