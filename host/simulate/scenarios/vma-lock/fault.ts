// What faulting harts of these scenarios do, and the writers that several of them share.

import { ACCESS_STORE, PAGE_BYTES, TASK_MM } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { mmapRegion } from "../../../mm/call/mmap.ts";
import { doMunmap } from "../../../mm/call/munmap.ts";
import { handleMmFault } from "../../../mm/fault/fault.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../../../mm/lock.ts";
import { BASE, pageAt, READ_WRITE } from "../address-space.ts";

/** Faults at the page again and again, in the current task's mm. Where nothing is mapped, that is no mistake. */
export function faultAt(hart: KernelHart, page: number, times: number): void {
  const mm = hart.shared.get(hart.current + TASK_MM);
  for (let time = 0; time < times; time++) handleMmFault(hart, mm, pageAt(page), ACCESS_STORE);
}

export function mapPages(hart: KernelHart, mm: number, first: number, pages: number): void {
  const start = BASE / PAGE_BYTES + first;
  mmapWriteLock(hart, mm);
  mmapRegion(hart, mm, start, start + pages, READ_WRITE);
  mmapWriteUnlock(hart, mm);
}

export function unmapPages(hart: KernelHart, mm: number, first: number, pages: number): void {
  doMunmap(hart, mm, pageAt(first), pages * PAGE_BYTES);
}
