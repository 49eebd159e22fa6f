// The translation lookaside buffer of one hart: direct-mapped, HART_TLB_ENTRIES records in the hart's own block.
//
//   63                        12  11  10       3  2..0
//   +---------------------------+---+-----------+-----+
//   | page address, sign-extd.  | S |   ASID    |  0  |   a tag: one each for read, write and execute
//   +---------------------------+---+-----------+-----+
//
// A hit is one compare: keep the page address of va and those low bits that must be 0 for an aligned access, put
// privilege and ASID where the rest of the page offset was, and look for equality. So a hit also proves alignment, and
// the access cannot cross the page. All 52 upper bits take part and tags are filled for canonical addresses only, so no
// other address, canonical or not, ever equals one. S separates supervisor from user without a flush at each trap.
// An empty entry is all ones; its ASID is never loaded (ASID_COUNT), so not even a misaligned access equals it.

import { isDecodedFrame } from "../decode.ts";
import { hart } from "../hart.ts";
import {
  ASID_COUNT,
  HART_COUNTERS,
  HART_OPTIONS,
  HART_PRIV,
  HART_RAM_END,
  HART_SATP_ASID,
  HART_SATP_ROOT,
  HART_TLB,
  HART_TLB_ENTRIES,
  PAGE_MASK,
  PAGE_SHIFT,
  PRIV_USER,
  PTE_D,
  PTE_R,
  PTE_U,
  PTE_W,
  PTE_X,
  RAM_PFN_BASE,
  TLB_ADDEND,
  TLB_ENTRIES_MAX,
  TLB_ENTRY_BYTES,
  TLB_ENTRY_SHIFT,
  TLB_EXECUTE,
  TLB_META,
  TLB_META_INVALID,
  TLB_META_LEVEL_SHIFT,
  TLB_READ,
  TLB_TAG_ASID_SHIFT,
  TLB_TAG_INVALID,
  TLB_TAG_SUPERVISOR,
  TLB_WRITE,
} from "../layout.ts";
import { resetPwc } from "./pwc.ts";

const CHECKED: bool = isDefined(CORE_CHECKED);

export let tlbBase: usize = 0;
export let tlbIndexMask: u32 = 0; // in bytes
export let asidTag: u64 = 0; // privilege and ASID of now, at their places in a tag
export let satpRoot: u32 = 0; // pfn of the root table, 0 = bare
export let leafUser: u32 = 0; // what bit U of a leaf must be at the privilege of now: PTE_U or 0
export let ramFrames: u64 = 0; // pfns RAM_PFN_BASE .. RAM_PFN_BASE + ramFrames are RAM
export let mmuOptions: u32 = 0; // OPTION_*
// Entries that hold a 4 KiB fragment of a larger leaf. While it is 0, a flush of one address looks at one entry.
export let superpageFragments: u32 = 0;

/** Takes the sizes that were set at boot into use and empties the TLB. Also the MMU's part of reset(). */
export function bindTlb(): void {
  tlbBase = hart + HART_TLB;
  const entries = load<u32>(hart, HART_TLB_ENTRIES);
  if (CHECKED) assert(entries - 1 < <u32>TLB_ENTRIES_MAX && (entries & (entries - 1)) == 0); // entries - 1 is a mask
  tlbIndexMask = (entries - 1) << TLB_ENTRY_SHIFT;
  mmuOptions = load<u32>(hart, HART_OPTIONS);
  ramFrames = (load<u32>(hart, HART_RAM_END) >>> PAGE_SHIFT) - RAM_PFN_BASE;
  satpRoot = load<u32>(hart, HART_SATP_ROOT);
  emptyTlb();
  resetPwc();
  loadSatp();
}

/**
 * Takes HART_SATP_ROOT, HART_SATP_ASID and HART_PRIV into use. Flushes nothing, as in hardware: whoever gives an ASID
 * to another root has to flush. Only a change between bare and Sv39 needs no fence (privileged manual, satp).
 */
export function loadSatp(): void {
  const root = load<u32>(hart, HART_SATP_ROOT);
  if ((root == 0) != (satpRoot == 0)) emptyTlb();
  satpRoot = root;
  usePrivilege(load<u32>(hart, HART_PRIV));
}

/** The kernel reaches user memory with user privilege, whatever HART_PRIV is; it puts HART_PRIV back afterwards. */
export function usePrivilege(priv: u32): void {
  const asid = load<u32>(hart, HART_SATP_ASID);
  if (CHECKED) assert(asid < <u32>ASID_COUNT); // all ones would make empty entries hit
  leafUser = priv == PRIV_USER ? PTE_U : 0;
  asidTag = <u64>((asid << TLB_TAG_ASID_SHIFT) | (priv == PRIV_USER ? 0 : TLB_TAG_SUPERVISOR));
}

export function tlbEntry(va: u64): usize {
  return tlbBase + ((<u32>va >>> (PAGE_SHIFT - TLB_ENTRY_SHIFT)) & tlbIndexMask);
}

/** The tag that a translation of va's page has here and now. */
export function pageTag(va: u64): u64 {
  return (va & ~(<u64>PAGE_MASK)) | asidTag;
}

/** Whatever tag the entry holds: there is no leaf without R or X. */
export function entryTag(entry: usize): u64 {
  const tag = load<u64>(entry, TLB_READ);
  return tag == <u64>TLB_TAG_INVALID ? load<u64>(entry, TLB_EXECUTE) : tag;
}

/** 0 for a 4 KiB leaf, 1 for 2 MiB, 2 for 1 GiB; more than 2 if the entry is empty. */
export function entryLevel(entry: usize): u32 {
  return load<u32>(entry, TLB_META) >>> TLB_META_LEVEL_SHIFT;
}

/**
 * Puts the 4 KiB page of va into the TLB. All three tags come from the one leaf, so a store to a page already dirty
 * needs no second walk after a load. The write tag stays invalid while this hart has decoded the frame: such stores
 * take the slow path, which keeps the decoded instructions true, and all other stores pay nothing for it.
 */
export function fillTlb(va: u64, frame: usize, leaf: u32, level: u32): void {
  const entry = tlbEntry(va);
  const tag = pageTag(va);
  if (entryLevel(entry) - 1 < 2) superpageFragments--;
  if (level != 0) superpageFragments++;
  const writable = (leaf & (PTE_W | PTE_D)) == (PTE_W | PTE_D) && !isDecodedFrame(<u32>(frame >>> PAGE_SHIFT));
  store<u64>(entry, (leaf & PTE_R) != 0 ? tag : <u64>TLB_TAG_INVALID, TLB_READ);
  store<u64>(entry, writable ? tag : <u64>TLB_TAG_INVALID, TLB_WRITE);
  store<u64>(entry, (leaf & PTE_X) != 0 ? tag : <u64>TLB_TAG_INVALID, TLB_EXECUTE);
  store<u32>(entry, <u32>frame - (<u32>va & ~PAGE_MASK), TLB_ADDEND);
  store<u32>(entry, (leaf & 0xff) | (level << TLB_META_LEVEL_SHIFT), TLB_META);
}

export function dropEntry(entry: usize): void {
  if (entryLevel(entry) - 1 < 2) superpageFragments--;
  store<u64>(entry, <u64>TLB_TAG_INVALID, TLB_READ);
  store<u64>(entry, <u64>TLB_TAG_INVALID, TLB_WRITE);
  store<u64>(entry, <u64>TLB_TAG_INVALID, TLB_EXECUTE);
  store<u32>(entry, TLB_META_INVALID, TLB_META);
}

export function emptyTlb(): void {
  memory.fill(tlbBase, 0xff, tlbIndexMask + TLB_ENTRY_BYTES); // TLB_TAG_INVALID, TLB_META_INVALID
  superpageFragments = 0;
}

/**
 * The decode cache calls this when it begins to decode a frame: from now on stores to it, through any mapping, take the
 * slow path. The opposite direction needs no call: the slow path finds out and fills the tag.
 */
export function dropWriteTags(pfn: u32): void {
  const frame = pfn << PAGE_SHIFT;
  const end = tlbBase + tlbIndexMask + TLB_ENTRY_BYTES;
  for (let entry = tlbBase; entry < end; entry += TLB_ENTRY_BYTES) {
    const tag = load<u64>(entry, TLB_WRITE);
    if (tag == <u64>TLB_TAG_INVALID) continue;
    if ((<u32>tag & ~PAGE_MASK) + load<u32>(entry, TLB_ADDEND) == frame) {
      store<u64>(entry, <u64>TLB_TAG_INVALID, TLB_WRITE);
    }
  }
}

/** Adds to a counter of this hart. */
export function count(counter: usize, amount: u64): void {
  const address = hart + HART_COUNTERS + counter;
  store<u64>(address, load<u64>(address) + amount);
}
