// What a hart's TLB holds, for claims about it.

import {
  HART_TLB,
  HART_TLB_ENTRIES,
  PAGE_SHIFT,
  TLB_ADDEND,
  TLB_ENTRY_BYTES,
  TLB_EXECUTE,
  TLB_META,
  TLB_META_INVALID,
  TLB_READ,
} from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";

/** Some entry of this hart leads to frame `pfn`. */
export function hasTranslationTo(hart: KernelHart, pfn: number): boolean {
  const { i32 } = hart.shared;
  const first = hart.base + HART_TLB;
  const end = first + i32[(hart.base + HART_TLB_ENTRIES) >>> 2] * TLB_ENTRY_BYTES;
  for (let entry = first; entry < end; entry += TLB_ENTRY_BYTES) {
    if (i32[(entry + TLB_META) >>> 2] === TLB_META_INVALID) continue;
    const readTag = i32[(entry + TLB_READ) >>> 2];
    const tag = readTag === -1 ? i32[(entry + TLB_EXECUTE) >>> 2] : readTag;
    const page = tag & -(1 << PAGE_SHIFT); // low half of the address of the page
    if ((page + i32[(entry + TLB_ADDEND) >>> 2]) >>> PAGE_SHIFT === pfn) return true;
  }
  return false;
}
