// Commitment: how much memory has been promised, and whether more may be. A promise is what a private writable mapping
// could come to if all of it were written (isAccountable), a piece of shared memory, or a page of a file in memory.
// (Linux: __vm_enough_memory in mm/util.c, vm_committed_as)
//
// The sum is kept in parts, one on each hart, which may be negative: mmap on one hart and munmap on another share no
// line.

import {
  HART_COMMITTED,
  MACHINE_BASE,
  MACHINE_OVERCOMMIT_KBYTES,
  MACHINE_OVERCOMMIT_MEMORY,
  MACHINE_OVERCOMMIT_RATIO,
  MACHINE_SWAP_SLOTS,
  MAPPING_COMMITTED,
  MAPPING_FLAGS,
  MAPPING_KERNEL,
  MAPPING_KIND,
  MAPPING_SHMEM,
  MM_TOTAL_VM,
  PAGE_BYTES,
  TASK_MM,
} from "../../assembly/layout.ts";
import { type HartLocal, hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { ramFrameCount } from "./frame/page.ts";
import { isPrivileged } from "./rlimit.ts";

// vm.overcommit_memory
export const OVERCOMMIT_GUESS = 0; // only what can never be is refused
export const OVERCOMMIT_ALWAYS = 1;
export const OVERCOMMIT_NEVER = 2; // no more than CommitLimit

const RATIO_DEFAULT = 50;
/** Most that is kept back for root, and for what a user types to get out of trouble. */
const ADMIN_RESERVE_BYTES = 1 << 23;
const USER_RESERVE_BYTES = 1 << 27;

export function initOvercommit(shared: SharedMemory): void {
  shared.set(MACHINE_BASE + MACHINE_OVERCOMMIT_RATIO, RATIO_DEFAULT);
}

export function overcommitMode(shared: SharedMemory): number {
  return shared.loadOnce(MACHINE_BASE + MACHINE_OVERCOMMIT_MEMORY);
}

/** `pages` more (or fewer) are promised. */
export function commitPages(hart: HartLocal, pages: number): void {
  hart.shared.storeOnce(hart.base + HART_COMMITTED, hart.shared.get(hart.base + HART_COMMITTED) + pages);
}

/** Pages promised so far. */
export function committedPages(shared: SharedMemory, hartCount: number): number {
  let sum = 0;
  for (let id = 0; id < hartCount; id++) sum += shared.loadOnce(hartBase(id) + HART_COMMITTED);
  return Math.max(sum, 0);
}

/** What OVERCOMMIT_NEVER lets be promised, in pages. (vm_commit_limit) */
export function commitLimit(shared: SharedMemory): number {
  const kilobytes = shared.loadOnce(MACHINE_BASE + MACHINE_OVERCOMMIT_KBYTES);
  const ratio = shared.loadOnce(MACHINE_BASE + MACHINE_OVERCOMMIT_RATIO);
  const ofRam = kilobytes !== 0 ? (kilobytes * 1024) / PAGE_BYTES : (ramFrameCount(shared) * ratio) / 100;
  return Math.floor(ofRam) + shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS);
}

/** Is each page of the mapping promised when it is made? Else all were at once, or the host has them, or no guest. */
export function isPromisedByPage(hart: HartLocal, mapping: number): boolean {
  const { shared } = hart;
  if (shared.get(mapping + MAPPING_KIND) !== MAPPING_SHMEM || shared.get(mapping + MAPPING_COMMITTED) !== 0)
    return false;
  return (shared.loadOnce(mapping + MAPPING_FLAGS) & MAPPING_KERNEL) === 0;
}

/** May the current task have a page of `mapping` made? */
export function mayMakePage(hart: HartLocal, mapping: number): boolean {
  const { shared } = hart;
  if (overcommitMode(shared) !== OVERCOMMIT_NEVER || !isPromisedByPage(hart, mapping)) return true;
  return enoughMemory(hart, shared.get(hart.current + TASK_MM), 1);
}

/** May `pages` more be promised to `mm`? */
export function enoughMemory(hart: HartLocal, mm: number, pages: number): boolean {
  const { shared } = hart;
  switch (overcommitMode(shared)) {
    case OVERCOMMIT_ALWAYS:
      return true;
    case OVERCOMMIT_NEVER:
      return committedPages(shared, hart.hartCount) + pages < allowedTo(hart, mm);
    default:
      return pages <= ramFrameCount(shared) + shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS);
  }
}

/** No process may have all of it: a thirty-second of its own size is left to others. */
function allowedTo(hart: HartLocal, mm: number): number {
  const { shared } = hart;
  const share = (bytesMax: number) => Math.min(ramFrameCount(shared) >>> 5, bytesMax / PAGE_BYTES);
  const forRoot = isPrivileged(hart) ? 0 : share(ADMIN_RESERVE_BYTES);
  const forOthers = Math.min(shared.get(mm + MM_TOTAL_VM) >>> 5, share(USER_RESERVE_BYTES));
  return commitLimit(shared) - forRoot - forOthers;
}
