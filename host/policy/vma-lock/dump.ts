// A vma in one line, its lock included, for warnings and reports. (Linux: dump_vma, vm_refcnt and all)

import {
  VMA_DETACHED,
  VMA_END,
  VMA_FLAGS,
  VMA_GENERATION,
  VMA_LOCK_SEQ,
  VMA_MM,
  VMA_REFCNT,
  VMA_START,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";

export function dumpVma(hart: HartLocal, vma: number): string {
  const { i32 } = hart.shared;
  const word = (field: number): number => i32[(vma + field) >>> 2];
  const range = `[0x${word(VMA_START).toString(16)}, 0x${word(VMA_END).toString(16)})`;
  const lock = `refcnt ${refcntText(word(VMA_REFCNT))} seq ${word(VMA_LOCK_SEQ)} detached ${word(VMA_DETACHED)}`;
  const rest = `mm 0x${word(VMA_MM).toString(16)} flags 0x${word(VMA_FLAGS).toString(16)}`;
  return `vma 0x${vma.toString(16)} ${range} ${rest} ${lock} generation ${word(VMA_GENERATION)}`;
}

/** vm_refcnt as its parts: a writer and how many others. */
function refcntText(refcnt: number): string {
  return refcnt >= 0x40000000 ? `writer + ${refcnt - 0x40000000}` : String(refcnt);
}
