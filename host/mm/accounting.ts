// How much an address space may hold: RLIMIT_AS and RLIMIT_DATA; and how much of what kind it does. (Linux: mm/mmap.c
// may_expand_vm, vm_stat_account)

import {
  MACHINE_BASE,
  MACHINE_LRU_RESCUE,
  MM_DATA_VM,
  MM_LOCKED_VM,
  MM_STACK_VM,
  MM_TOTAL_VM,
  MM_TOTAL_VM_HIGH,
  PAGE_BYTES,
  VM_LOCKED,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { commitPages } from "./overcommit.ts";
import { rlimitBytes } from "./rlimit.ts";
import { RLIMIT_AS, RLIMIT_DATA } from "./uapi.ts";
import { isAccountable, isDataMapping, isStackMapping } from "./vma/vma.ts";

/** May the mm grow by `pages` of an area with `flags`? Requires: mmap_lock for write. */
export function mayExpandVm(hart: HartLocal, mm: number, flags: number, pages: number): boolean {
  const { shared } = hart;
  if ((shared.get(mm + MM_TOTAL_VM) + pages) * PAGE_BYTES > rlimitBytes(hart, RLIMIT_AS)) return false;
  if (!isDataMapping(flags)) return true;
  return (shared.get(mm + MM_DATA_VM) + pages) * PAGE_BYTES <= rlimitBytes(hart, RLIMIT_DATA);
}

/** Adds `pages` (negative: takes away) of an area with `flags`. Requires: mmap_lock for write. */
export function vmStatAccount(hart: HartLocal, mm: number, flags: number, pages: number): void {
  const { shared } = hart;
  const total = shared.get(mm + MM_TOTAL_VM) + pages;
  shared.set(mm + MM_TOTAL_VM, total);
  if (total > shared.get(mm + MM_TOTAL_VM_HIGH)) shared.set(mm + MM_TOTAL_VM_HIGH, total);
  if ((flags & VM_LOCKED) !== 0) accountLocked(hart, mm, pages);
  if (isAccountable(flags)) commitPages(hart, pages);
  if (isStackMapping(flags)) shared.set(mm + MM_STACK_VM, shared.get(mm + MM_STACK_VM) + pages);
  else if (isDataMapping(flags)) shared.set(mm + MM_DATA_VM, shared.get(mm + MM_DATA_VM) + pages);
}

/** Requires: mmap_lock for write. */
function accountLocked(hart: HartLocal, mm: number, pages: number): void {
  hart.shared.set(mm + MM_LOCKED_VM, hart.shared.get(mm + MM_LOCKED_VM) + pages);
  if (pages < 0) noteUnlocked(hart);
}

/** Pages that had to stay in memory may go: reclaim looks at them again. */
export function noteUnlocked(hart: HartLocal): void {
  hart.shared.storeOnce(MACHINE_BASE + MACHINE_LRU_RESCUE, 1);
}
