// One page-table entry: its low 32 bits (the high half of a valid entry is 0, because RAM ends below 4 GiB).
//
// An entry is 0 (none), a pointer to a lower table (V alone), a leaf (V and some of R, W, X), or a PROT_NONE leaf: V
// clear and PTE_PROT_NONE set, so that the walker faults while the kernel still knows the frame; or a swap entry: both
// clear, PTE_SWAP set, and the slot in the place of the frame; or a marker, which looks like one of slot 0. A leaf that
// userfaultfd has write-protected carries PTE_UFFD_WP and no W; swapped out it carries PTE_SWAP_UFFD_WP. A leaf at
// level 1 maps the 512 frames of a run: an entry that mapped one of them alone would be the same but for the frame.

import {
  ACCESS_FETCH,
  ACCESS_STORE,
  PTE_A,
  PTE_COUNT,
  PTE_D,
  PTE_G,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_SOFT0,
  PTE_SOFT1,
  PTE_U,
  PTE_V,
  PTE_W,
  PTE_X,
  VM_EXEC,
  VM_READ,
  VM_WRITE,
} from "../../../assembly/layout.ts";

export const PTE_BYTES = 8;

/** Marks a leaf that maps a frame for the kernel but not for the walker. */
export const PTE_PROT_NONE = PTE_SOFT0;

/** Marks the entry of a page that is in the swap store. */
const PTE_SWAP = PTE_SOFT1;

/** A leaf whose next store is userfaultfd's: the same bit, because a swap entry has V and PTE_PROT_NONE clear. */
export const PTE_UFFD_WP = PTE_SOFT1;
const PTE_SWAP_UFFD_WP = PTE_G;

/**
 * A marker: the entry of a page that is not there, with something to remember of it. It looks like that of a page in
 * slot 0, which no page is ever in. (Linux: PTE_MARKER_*)
 */
const PTE_MARKER_POISON = PTE_U;
/** UFFDIO_POISON: who touches the page gets SIGBUS. */
export const POISON_MARKER = PTE_SWAP | PTE_MARKER_POISON;
/** The page is write-protected by userfaultfd as soon as it is there. */
export const WP_MARKER = PTE_SWAP | PTE_SWAP_UFFD_WP;

const PERMISSIONS = PTE_V | PTE_R | PTE_W | PTE_X | PTE_PROT_NONE;

export function ptePfn(pte: number): number {
  return pte >>> PTE_PPN_SHIFT;
}

/** The entry of a page in `slot` that `leaf` mapped before. */
export function swapPte(slot: number, leaf: number): number {
  return (slot << PTE_PPN_SHIFT) | PTE_SWAP | ((leaf & PTE_UFFD_WP) !== 0 ? PTE_SWAP_UFFD_WP : 0);
}

/** The page is in the swap store, in slot ptePfn(pte). */
export function isSwapPte(pte: number): boolean {
  return (pte & (PTE_V | PTE_PROT_NONE | PTE_SWAP)) === PTE_SWAP;
}

export function isMarker(pte: number): boolean {
  return isSwapPte(pte) && ptePfn(pte) === 0;
}

/** Nothing is there, and nothing is to be remembered but the write protection. */
export function isVacant(pte: number): boolean {
  return pte === 0 || pte === WP_MARKER;
}

/** Has userfaultfd write-protected the page? */
export function isUffdWp(pte: number): boolean {
  if (isSwapPte(pte)) return (pte & PTE_SWAP_UFFD_WP) !== 0;
  return pte !== 0 && (pte & PTE_UFFD_WP) !== 0;
}

/** The entry without userfaultfd's mark; W comes back with the next store. Of a marker nothing may be left. */
export function clearUffdWp(pte: number): number {
  if (pte === WP_MARKER) return 0;
  return isSwapPte(pte) ? pte & ~PTE_SWAP_UFFD_WP : pte & ~PTE_UFFD_WP;
}

/** The entry, not 0, with userfaultfd's mark. */
export function setUffdWp(pte: number): number {
  return isSwapPte(pte) ? pte | PTE_SWAP_UFFD_WP : (pte & ~PTE_W) | PTE_UFFD_WP;
}

/** Of an entry above level 0: it maps pages (also for PROT_NONE) and is neither 0 nor a table. */
export function isHugePte(entry: number): boolean {
  return (entry & (PTE_R | PTE_W | PTE_X | PTE_PROT_NONE)) !== 0;
}

/** Of an entry above level 0: it leads to a table. */
export function isTablePte(entry: number): boolean {
  return (entry & PERMISSIONS) === PTE_V;
}

/** What maps the page of `vpn` alone as the leaf of level 1 `entry` does. */
export function smallPte(entry: number, vpn: number): number {
  return entry + ((vpn & (PTE_COUNT - 1)) << PTE_PPN_SHIFT);
}

/** A non-leaf entry. */
export function tablePte(tablePfn: number): number {
  return (tablePfn << PTE_PPN_SHIFT) | PTE_V;
}

/** A leaf for a page of a vma with `vmFlags`; writable only if `writable` says so too. A is set, D is not. */
export function leafPte(pfn: number, vmFlags: number, writable: boolean): number {
  return (pfn << PTE_PPN_SHIFT) | PTE_U | PTE_A | permissionsOf(vmFlags, writable);
}

/** The same frame, A and D, with the permissions of `vmFlags`. */
export function pteModify(pte: number, vmFlags: number, writable: boolean): number {
  return (pte & ~PERMISSIONS) | permissionsOf(vmFlags, writable && !isUffdWp(pte));
}

/** May a translation by `old` do what one by `next` may not? Then it has to be flushed. */
export function pteLosesRights(old: number, next: number): boolean {
  return (old & ~next & (PTE_V | PTE_R | PTE_W | PTE_X)) !== 0;
}

export function pteIsDirty(pte: number): boolean {
  return (pte & PTE_D) !== 0;
}

/** Would the walker let the access pass? */
export function isGoodFor(pte: number, access: number): boolean {
  const right = access === ACCESS_STORE ? PTE_W | PTE_D : access === ACCESS_FETCH ? PTE_X : PTE_R;
  const needed = PTE_V | PTE_A | right;
  return (pte & needed) === needed;
}

/** Linux/riscv's protection_map: PROT_WRITE implies reading, PROT_EXEC does not. */
function permissionsOf(vmFlags: number, writable: boolean): number {
  let bits = 0;
  if ((vmFlags & (VM_READ | VM_WRITE)) !== 0) bits |= PTE_R;
  if ((vmFlags & VM_WRITE) !== 0 && writable) bits |= PTE_W;
  if ((vmFlags & VM_EXEC) !== 0) bits |= PTE_X;
  return bits === 0 ? PTE_PROT_NONE : bits | PTE_V;
}
