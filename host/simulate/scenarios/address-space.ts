// Address spaces of a scenario: mapped and touched before the schedules begin.

import {
  ACCESS_STORE,
  MM_USERS,
  PAGE_BYTES,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  VM_WRITE,
} from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { KernelBug } from "../../memory/errors.ts";
import { mmapRegion } from "../../mm/call/mmap.ts";
import { handleMmFault } from "../../mm/fault/fault.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../../mm/lock.ts";
import { mmAlloc } from "../../mm/mm.ts";
import { makeUserTask, startOn } from "./tasks.ts";

/** Where scenarios map their pages. */
export const BASE = 0x1000_0000;
export const READ_WRITE = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE;

export function pageAt(index: number): number {
  return BASE + index * PAGE_BYTES;
}

/** Maps `pages` anonymous pages from BASE on. */
export function mapAnonymous(hart: KernelHart, mm: number, pages: number, flags = READ_WRITE): void {
  const start = BASE / PAGE_BYTES;
  mmapWriteLock(hart, mm);
  const error = mmapRegion(hart, mm, start, start + pages, flags);
  mmapWriteUnlock(hart, mm);
  if (error < 0) throw new KernelBug("a scenario cannot map its pages", { error });
}

/** Gives the pages a frame each. The mm is loaded on the hart. */
export function touchPages(hart: KernelHart, mm: number, pages: readonly number[]): void {
  for (const page of pages) {
    const error = handleMmFault(hart, mm, pageAt(page), ACCESS_STORE);
    if (error !== 0) throw new KernelBug("a scenario cannot touch its pages", { error });
  }
}

/** An mm with touched pages and one thread on each of the harts, as current task. */
export function sharedMm(
  harts: readonly KernelHart[],
  pages: number,
  flags = READ_WRITE,
  touched: readonly number[] = Array.from({ length: pages }, (_, page) => page),
): number {
  const mm = mmAlloc(harts[0]);
  for (let i = 1; i < harts.length; i++) harts[0].shared.fetchAdd(mm + MM_USERS, 1);
  for (const hart of harts) startOn(hart, makeUserTask(hart, mm));
  mapAnonymous(harts[0], mm, pages, flags);
  touchPages(harts[0], mm, touched);
  return mm;
}
