// What changes mappings, for a userfaultfd that wants to hear of it: an event is prepared before anything has changed,
// since that may fail, and posted, with mmap_lock still held, when it has. (Linux: fs/userfaultfd.c)

import { PAGE_BYTES, UFFD_EVENT_CHILD, UFFD_EVENT_CONTEXT, VM_LOCKED, VMA_UFFD } from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

export const UFFD_EVENT_FORK = 0x13;
export const UFFD_EVENT_REMAP = 0x14;
export const UFFD_EVENT_REMOVE = 0x15;
export const UFFD_EVENT_UNMAP = 0x16;

/** Events of one change, one for each userfaultfd that wants it. */
export class EventBatch {
  readonly #hart: HartLocal;
  readonly #events: number[] = [];

  constructor(hart: HartLocal) {
    this.#hart = hart;
  }

  /** Its userfaultfd will hear what becomes of the vma. False: no memory. `mm`: of the copy, for a fork. */
  add(vma: number, kind: number, mm = 0): boolean {
    const context = this.#hart.shared.get(vma + VMA_UFFD);
    if (context === 0 || this.find(context) !== 0) return true;
    const event = this.#hart.userfaultEvents?.prepare(this.#hart, context, kind, mm) ?? 0;
    if (event > 0) this.#events.push(event);
    return event >= 0;
  }

  /** The event for `context`, or 0. */
  find(context: number): number {
    return this.#events.find((event) => this.#hart.shared.get(event + UFFD_EVENT_CONTEXT) === context) ?? 0;
  }

  /** What the copy of the vma is registered with: of its own, or 0. */
  childOf(vma: number): number {
    const context = this.#hart.shared.get(vma + VMA_UFFD);
    const event = context === 0 ? 0 : this.find(context);
    return event === 0 ? 0 : this.#hart.shared.get(event + UFFD_EVENT_CHILD);
  }

  /** Requires: mmap_lock, held since the first add. */
  post(first: number, second: number, third = 0): void {
    for (const event of this.#events) this.#hart.userfaultEvents?.post(this.#hart, event, first, second, third);
  }

  cancel(): void {
    for (const event of this.#events) this.#hart.userfaultEvents?.cancel(this.#hart, event);
  }
}

/** The pages of the vpns [start, end) are about to be given up: each vma's userfaultfd hears of its part. */
export function announceRemoval(hart: Hart, mm: number, start: number, end: number): void {
  mmapReadLock(hart, mm);
  for (let vma = vmaFind(hart, mm, start); vma !== 0 && vmaStart(hart, vma) < end; ) {
    const [first, last] = [Math.max(start, vmaStart(hart, vma)), Math.min(end, vmaEnd(hart, vma))];
    const context = hart.shared.get(vma + VMA_UFFD);
    if (context !== 0 && (vmaFlags(hart, vma) & VM_LOCKED) === 0) {
      const event = hart.userfaultEvents?.prepare(hart, context, UFFD_EVENT_REMOVE, 0) ?? 0;
      if (event > 0) hart.userfaultEvents?.post(hart, event, first * PAGE_BYTES, last * PAGE_BYTES, 0);
    }
    vma = vmaFind(hart, mm, vmaEnd(hart, vma));
    hart.pollIrq();
  }
  mmapReadUnlock(hart, mm);
}
