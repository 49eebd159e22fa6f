// Changes of the kernel half, which every root shares: its pages are global, so no flush by ASID reaches them.

import {
  KERNEL_STUB_VPN,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_STUB_PFN,
  PAGE_FLAGS,
  PG_RESERVED,
  PTE_A,
  PTE_G,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_V,
  PTE_X,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { allocFrame } from "../frame/frames.ts";
import { frameAddress, pageOf, reserveFrame } from "../frame/page.ts";
import { freeFrame } from "../frame/page-refs.ts";
import { findPte } from "./page-table.ts";

/** Maps the stub by another frame with the same content; the old one is free. False: out of memory. */
export function moveKernelStub(hart: Hart): boolean {
  const { shared } = hart;
  const old = shared.get(MACHINE_BASE + MACHINE_STUB_PFN);
  const pfn = allocFrame(hart);
  if (pfn === 0) return false;
  hart.core.copyPage(frameAddress(pfn), frameAddress(old));
  reserveFrame(hart, pfn);
  const pte = findPte(hart, shared.get(MACHINE_BASE + MACHINE_INIT_MM), KERNEL_STUB_VPN);
  shared.exchange(pte, (pfn << PTE_PPN_SHIFT) | PTE_V | PTE_R | PTE_X | PTE_G | PTE_A);
  shared.set(MACHINE_BASE + MACHINE_STUB_PFN, pfn);
  hart.policies.tlbFlush.flushKernel(hart, KERNEL_STUB_VPN, 1);
  shared.fetchAnd(pageOf(old) + PAGE_FLAGS, ~PG_RESERVED);
  freeFrame(hart, old);
  return true;
}
