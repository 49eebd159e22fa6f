// The word of refcount.ts: counting in and out, and waiting for those who are in.

import {
  COUNTER_VM_REFCNT_RMW,
  COUNTER_VMA_LINE_BOUNCES,
  COUNTER_VMA_READER_LIMIT,
  COUNTER_VMA_SPURIOUS_WAKEUPS,
  COUNTER_VMA_WRITER_WAITS,
  MM_VMA_WRITER_WAIT,
  VMA_LOCK_LAST,
  VMA_MM,
  VMA_REFCNT,
} from "../../../assembly/layout.ts";
import { D_M5B, D_M8, D_M12, D_M14, D_M20, D_M24, MUTATIONS } from "../../memory/mutation.ts";
import { FOREVER, park } from "../../memory/park.ts";
import type { Hart } from "../hart.ts";

/** The writer's bit. (Linux: VMA_LOCK_OFFSET) */
export const VMA_WRITER = 0x40000000;
/** The count never goes beyond it: so readers never reach the writer's bit. (Linux: VM_REFCNT_LIMIT) */
const COUNT_MAX = VMA_WRITER - 1;

export const WAS_DETACHED = 0;
export const GOT = 1;
/** A writer is there, or there are too many readers. */
export const REFUSED = 2;

/** One reader more. Acquire: what is read of the vma afterwards belongs to the life that was counted. */
export function tryGetReader(hart: Hart, vma: number): number {
  const { shared } = hart;
  const address = vma + VMA_REFCNT;
  for (let old = shared.loadOnce(address); ; ) {
    if (old === 0) return WAS_DETACHED;
    if (old >= (MUTATIONS && hart.mutation === D_M14 ? VMA_WRITER : COUNT_MAX)) {
      if (old === COUNT_MAX) hart.count(COUNTER_VMA_READER_LIMIT);
      return REFUSED;
    }
    noteChange(hart, vma);
    const seen =
      MUTATIONS && hart.mutation === D_M5B
        ? shared.compareExchangeRelaxed(address, old, old + 1)
        : shared.compareExchangeAcquire(address, old, old + 1);
    if (seen === old) return GOT;
    old = seen;
  }
}

/**
 * One less, a reader or the reference of being attached; what is left. Wakes the writer if it was the last that he
 * waits for. Release: what was done with the vma is done before it.
 */
export function putReader(hart: Hart, vma: number): number {
  const { shared } = hart;
  // Before: the vma may be another's afterwards, and its mm may be gone unless the caller keeps it.
  const mm = shared.loadOnce(vma + VMA_MM);
  const early = MUTATIONS && hart.mutation === D_M20 && mustWake(shared.loadOnce(vma + VMA_REFCNT) - 1);
  noteChange(hart, vma);
  const left =
    (MUTATIONS && hart.mutation === D_M24
      ? shared.fetchAddRelaxed(vma + VMA_REFCNT, -1)
      : shared.fetchAddRelease(vma + VMA_REFCNT, -1)) - 1;
  const wakes = MUTATIONS && hart.mutation === D_M20 ? early : mustWake(left);
  if (wakes) wakeWriter(hart, MUTATIONS && hart.mutation === D_M8 ? shared.loadOnce(vma + VMA_MM) : mm);
  return left;
}

/** Holds new readers off, unless the vma is detached: then false. */
export function tryAddWriter(hart: Hart, vma: number): boolean {
  const { shared } = hart;
  const address = vma + VMA_REFCNT;
  for (let old = shared.loadOnce(address); old !== 0; ) {
    noteChange(hart, vma);
    const seen = shared.compareExchange(address, old, old + VMA_WRITER);
    if (seen === old) return true;
    old = seen;
  }
  return false;
}

/** Lets readers in again; the count that is left. Release: they see by VMA_LOCK_SEQ that they are not to stay. */
export function dropWriter(hart: Hart, vma: number): number {
  noteChange(hart, vma);
  if (MUTATIONS && hart.mutation === D_M24) {
    return hart.shared.fetchAddRelaxed(vma + VMA_REFCNT, -VMA_WRITER) - VMA_WRITER;
  }
  return hart.shared.fetchAddRelease(vma + VMA_REFCNT, -VMA_WRITER) - VMA_WRITER;
}

/** Until the count is `target`: hart-wait. Requires: mmap_lock of `mm` for write, so there is one writer at a time. */
export function waitForReaders(hart: Hart, mm: number, vma: number, target: number): void {
  const { shared } = hart;
  const wanted = MUTATIONS && hart.mutation === D_M12 ? VMA_WRITER : target;
  if (shared.loadAcquire(vma + VMA_REFCNT) === wanted) return;
  hart.count(COUNTER_VMA_WRITER_WAITS);
  for (let tries = 0; ; tries++) {
    const wakeUps = shared.loadAcquire(mm + MM_VMA_WRITER_WAIT);
    if (shared.loadAcquire(vma + VMA_REFCNT) === wanted) return;
    if (tries > hart.spinCount) {
      park(hart, mm + MM_VMA_WRITER_WAIT, wakeUps, FOREVER);
      if (shared.loadAcquire(vma + VMA_REFCNT) !== wanted) hart.count(COUNTER_VMA_SPURIOUS_WAKEUPS);
    }
    hart.pollIrq();
  }
}

/** A writer is there, and whom he waits for has gone. */
function mustWake(left: number): boolean {
  return left >= VMA_WRITER && left <= VMA_WRITER + 1;
}

function wakeWriter(hart: Hart, mm: number): void {
  hart.shared.fetchAdd(mm + MM_VMA_WRITER_WAIT, 1);
  hart.shared.notify(mm + MM_VMA_WRITER_WAIT);
}

/** Counts, and takes a note of whose line it is now. */
function noteChange(hart: Hart, vma: number): void {
  const { shared } = hart;
  hart.count(COUNTER_VM_REFCNT_RMW);
  if (shared.get(vma + VMA_LOCK_LAST) === hart.id + 1) return;
  shared.set(vma + VMA_LOCK_LAST, hart.id + 1);
  hart.count(COUNTER_VMA_LINE_BOUNCES);
}
