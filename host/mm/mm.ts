// The life of an address space. Two counts: mm_users, whose end empties it, and mm_count (one for all users together,
// one for each other pin), whose end frees the root table and the record. (Linux: kernel/fork.c mmput, __mmdrop)

import {
  COUNTER_MMDROP_LAST,
  COUNTER_MMPUT_LAST,
  KERNEL_ROOT_INDEX,
  KERNEL_STUB_VPN,
  LEVEL_COUNT,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_STUB_PFN,
  MACHINE_ZERO_PFN,
  MM_BYTES,
  MM_COUNT,
  MM_GENERATION,
  MM_ROOT_PFN,
  MM_USERS,
  POOL_MM,
  PTE_A,
  PTE_COUNT,
  PTE_G,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_V,
  PTE_X,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../memory/slab.ts";
import type { Hart } from "../policy/hart.ts";
import { addMmCount } from "../policy/lazy-tlb/mm-count.ts";
import { exitMmap } from "./exit-mmap.ts";
import { allocFrame } from "./frame/frames.ts";
import { frameAddress, reserveFrame } from "./frame/page.ts";
import { anonVmaCreate, anonVmaPut } from "./rmap/anon-vma.ts";
import { allocTable, freeTable } from "./table/page-table.ts";
import { PTE_BYTES, tablePte } from "./table/pte.ts";

const INSTRUCTION_NOP = 0x00000013;
const INSTRUCTION_ECALL = 0x00000073;
const STUB_NOPS = 3;

/**
 * Boot, hart 0: the zero page, the stub page, the kernel half of the address space, and init_mm, which is that alone.
 */
export function initKernelMm(hart: Hart): void {
  const { shared } = hart;
  shared.set(MACHINE_BASE + MACHINE_ZERO_PFN, reservedFrame(hart));
  const stub = reservedFrame(hart);
  shared.set(MACHINE_BASE + MACHINE_STUB_PFN, stub);
  for (let i = 0; i < STUB_NOPS; i++) shared.set(frameAddress(stub) + 4 * i, INSTRUCTION_NOP);
  shared.set(frameAddress(stub) + 4 * STUB_NOPS, INSTRUCTION_ECALL);

  const mm = kmemCacheAlloc(hart, POOL_MM);
  hart.core.zeroBytes(mm, MM_BYTES);
  const root = reservedFrame(hart);
  const middle = reservedFrame(hart);
  const leaf = reservedFrame(hart);
  const index = (KERNEL_STUB_VPN >>> 18) & (PTE_COUNT - 1);
  shared.set(frameAddress(root) + index * PTE_BYTES, tablePte(middle));
  shared.set(frameAddress(middle), tablePte(leaf));
  shared.set(frameAddress(leaf), (stub << PTE_PPN_SHIFT) | PTE_V | PTE_R | PTE_X | PTE_G | PTE_A);
  shared.set(mm + MM_ROOT_PFN, root);
  shared.set(mm + MM_USERS, 1);
  shared.set(mm + MM_COUNT, 1);
  shared.set(MACHINE_BASE + MACHINE_INIT_MM, mm);
}

/** An empty address space with one user, or 0. */
export function mmAlloc(hart: Hart): number {
  const { shared } = hart;
  const mm = kmemCacheAlloc(hart, POOL_MM);
  if (mm === 0) return 0;
  const generation = shared.get(mm + MM_GENERATION);
  hart.core.zeroBytes(mm, MM_BYTES);
  shared.set(mm + MM_GENERATION, generation);
  const root = allocTable(hart, mm, 0, LEVEL_COUNT - 1);
  if (root === 0) {
    kmemCacheFree(hart, POOL_MM, mm);
    return 0;
  }
  copyKernelHalf(hart, root);
  shared.set(mm + MM_ROOT_PFN, root);
  if (!anonVmaCreate(hart, mm)) {
    freeTable(hart, root);
    kmemCacheFree(hart, POOL_MM, mm);
    return 0;
  }
  shared.set(mm + MM_USERS, 1);
  shared.storeRelease(mm + MM_COUNT, 1);
  return mm;
}

export function mmget(hart: Hart, mm: number): void {
  hart.shared.fetchAdd(mm + MM_USERS, 1);
}

/** A user more, unless the address space has none any more: then false. (Linux: mmget_not_zero) */
export function mmgetNotZero(hart: Hart, mm: number): boolean {
  const { shared } = hart;
  for (;;) {
    const users = shared.loadOnce(mm + MM_USERS);
    if (users <= 0) return false;
    if (shared.compareExchange(mm + MM_USERS, users, users + 1) === users) return true;
  }
}

export function mmgrab(hart: Hart, mm: number): void {
  addMmCount(hart, mm, 1);
}

/** Drops a user; the last one empties the address space. May wait. */
export function mmput(hart: Hart, mm: number): void {
  const old = hart.shared.fetchAdd(mm + MM_USERS, -1);
  if (old <= 0) throw new KernelBug("mmput without a user", { mm, users: old });
  if (old !== 1) return;
  hart.count(COUNTER_MMPUT_LAST);
  exitMmap(hart, mm);
  anonVmaPut(hart, mm);
  hart.policies.lazyTlb.lastUser(hart, mm);
  mmdrop(hart, mm);
}

/** Drops a pin; the last one frees the root table and the record. May wait. */
export function mmdrop(hart: Hart, mm: number): void {
  const { shared } = hart;
  const old = addMmCount(hart, mm, -1);
  if (old <= 0) throw new KernelBug("mmdrop without a reference", { mm, count: old });
  if (old !== 1) return;
  hart.count(COUNTER_MMDROP_LAST);
  hart.policies.lazyTlb.lastRef(hart, mm);
  freeTable(hart, shared.get(mm + MM_ROOT_PFN));
  shared.set(mm + MM_ROOT_PFN, 0); // no mm any more, for whoever still looks at it (kernel/nmi.ts)
  kmemCacheFree(hart, POOL_MM, mm);
}

/** The upper half of every root is that of init_mm: the tables behind it are shared, and not counted as entries. */
function copyKernelHalf(hart: Hart, root: number): void {
  const { shared } = hart;
  const initRoot = shared.get(shared.get(MACHINE_BASE + MACHINE_INIT_MM) + MM_ROOT_PFN);
  const half = KERNEL_ROOT_INDEX * PTE_BYTES;
  hart.core.copyBytes(
    frameAddress(root) + half,
    frameAddress(initRoot) + half,
    (PTE_COUNT - KERNEL_ROOT_INDEX) * PTE_BYTES,
  );
}

/** A zeroed frame that stays for good. */
function reservedFrame(hart: Hart): number {
  const pfn = allocFrame(hart);
  if (pfn === 0) throw new KernelBug("no frame at boot");
  hart.core.zeroPage(frameAddress(pfn));
  reserveFrame(hart, pfn);
  return pfn;
}
