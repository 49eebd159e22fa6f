// One mapped area: allocation, fields, and what makes two of them mergeable. (Linux: struct vm_area_struct)

import {
  POOL_VMA,
  POOL_VMA_LOCK,
  RCU_HEAD_KIND,
  RCU_HEAD_NEXT,
  RMAP_SEQ,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_NORESERVE,
  VM_READ,
  VM_SHARED,
  VM_STACK,
  VM_UFFD_MINOR,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
  VM_WRITE,
  VMA_END,
  VMA_EXTERNAL_LOCK,
  VMA_FILE,
  VMA_FLAGS,
  VMA_MAPPING,
  VMA_MM,
  VMA_PGOFF,
  VMA_RCU_HEAD,
  VMA_RMAP_ANON,
  VMA_RMAP_FILE,
  VMA_START,
  VMA_UFFD,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheFreeRcu } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";
import { mappingGet, mappingPut } from "../mapping/mapping.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE, STACK_GUARD_GAP_PAGES } from "../uapi.ts";

export const VM_UFFD = VM_UFFD_MISSING | VM_UFFD_MINOR | VM_UFFD_WP;
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;

/** VM_READ, VM_WRITE and VM_EXEC of PROT_*: the same bits in both. */
export function protFlags(prot: number): number {
  return prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

/**
 * A vma that is in no map yet; 0 = none to be had. Takes no references: see vmaGetBacking. `source`: the vma of which
 * it is a copy or a part, 0 = none.
 */
export function vmaAlloc(
  hart: Hart,
  mm: number,
  start: number,
  end: number,
  flags: number,
  mapping: number,
  file: number,
  pgoff: number,
  uffd: number,
  source = 0,
): number {
  const vma = kmemCacheAlloc(hart, POOL_VMA);
  if (vma === 0) return 0;
  const { shared } = hart;
  // Somebody may still look at the vma that this record was before.
  shared.storeOnce(vma + VMA_START, start);
  shared.storeOnce(vma + VMA_END, end);
  shared.storeOnce(vma + VMA_MM, mm);
  shared.set(vma + VMA_FLAGS, flags);
  shared.set(vma + VMA_PGOFF, pgoff);
  shared.set(vma + VMA_UFFD, uffd);
  shared.set(vma + VMA_FILE, file);
  shared.set(vma + VMA_MAPPING, mapping);
  shared.set(vma + VMA_RCU_HEAD + RCU_HEAD_NEXT, 0);
  shared.set(vma + VMA_RCU_HEAD + RCU_HEAD_KIND, 0);
  shared.set(vma + VMA_EXTERNAL_LOCK, 0);
  shared.set(vma + VMA_RMAP_FILE + RMAP_SEQ, 0);
  shared.set(vma + VMA_RMAP_ANON + RMAP_SEQ, 0);
  if (hart.policies.vmaLock.init(hart, vma, source)) return vma;
  kmemCacheFree(hart, POOL_VMA, vma);
  return 0;
}

/** A vma holds its mapping and its file: called once it is in the map. */
export function vmaGetBacking(hart: HartLocal, vma: number): void {
  const file = hart.shared.get(vma + VMA_FILE);
  mappingGet(hart, hart.shared.get(vma + VMA_MAPPING));
  if (file !== 0) hart.fileHooks?.get(hart, file);
}

/** The vma is out of the map. Its last pages may go along: may be long. */
export function vmaPutBacking(hart: HartLocal, vma: number): void {
  const file = hart.shared.get(vma + VMA_FILE);
  mappingPut(hart, hart.shared.get(vma + VMA_MAPPING));
  if (file !== 0) hart.fileHooks?.put(hart, file);
}

/** Frees a vma that was never in a map; for the vma-lock policy, any: the record may be another's at once. */
export function vmaFree(hart: HartLocal, vma: number): void {
  vmaPutLock(hart, vma);
  kmemCacheFree(hart, POOL_VMA, vma);
}

/** For the vma-lock policy: after a grace period. */
export function vmaFreeLater(hart: HartLocal, vma: number): void {
  kmemCacheFreeRcu(hart, POOL_VMA, vma);
}

/** Frees the lock that has a record of its own. */
export function vmaPutLock(hart: HartLocal, vma: number): void {
  const lock = hart.shared.get(vma + VMA_EXTERNAL_LOCK);
  if (lock === 0) return;
  kmemCacheFree(hart, POOL_VMA_LOCK, lock);
  hart.shared.set(vma + VMA_EXTERNAL_LOCK, 0); // should this be called once more
}

export function vmaStart(hart: HartLocal, vma: number): number {
  return hart.shared.get(vma + VMA_START);
}

export function vmaEnd(hart: HartLocal, vma: number): number {
  return hart.shared.get(vma + VMA_END);
}

export function vmaFlags(hart: HartLocal, vma: number): number {
  return hart.shared.get(vma + VMA_FLAGS);
}

/** Lowest vpn that belongs to the vma, its guard gap included. (Linux: vm_start_gap) */
export function vmaStartGap(hart: HartLocal, vma: number): number {
  const start = vmaStart(hart, vma);
  if ((vmaFlags(hart, vma) & VM_GROWSDOWN) === 0) return start;
  return Math.max(0, start - STACK_GUARD_GAP_PAGES);
}

/** Page offset in the mapping (or, private anonymous, the vpn at creation) of `vpn`. */
export function vmaPgoffAt(hart: HartLocal, vma: number, vpn: number): number {
  return hart.shared.get(vma + VMA_PGOFF) + (vpn - vmaStart(hart, vma));
}

/** Could [.., vpn) of `vma` and something with these attributes from vpn on be one vma? (Linux: is_mergeable_vma) */
export function vmaContinuesAt(
  hart: HartLocal,
  vma: number,
  vpn: number,
  flags: number,
  mapping: number,
  file: number,
  pgoff: number,
  uffd: number,
): boolean {
  const { shared } = hart;
  return (
    shared.get(vma + VMA_FLAGS) === flags &&
    shared.get(vma + VMA_UFFD) === uffd &&
    shared.get(vma + VMA_MAPPING) === mapping &&
    shared.get(vma + VMA_FILE) === file &&
    vmaPgoffAt(hart, vma, vpn) === pgoff
  );
}

/** What a part of the vma with `flags` is registered with. */
export function vmaUffd(hart: HartLocal, vma: number, flags: number): number {
  return (flags & VM_UFFD) === 0 ? 0 : hart.shared.get(vma + VMA_UFFD);
}

/** Counts against the memory commitment and RLIMIT_DATA. (Linux: accountable_mapping) */
export function isAccountable(flags: number): boolean {
  return (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE;
}

/** (Linux: is_data_mapping) */
export function isDataMapping(flags: number): boolean {
  return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) === VM_WRITE;
}

/** (Linux: is_stack_mapping) */
export function isStackMapping(flags: number): boolean {
  return (flags & (VM_STACK | VM_GROWSDOWN)) !== 0;
}
