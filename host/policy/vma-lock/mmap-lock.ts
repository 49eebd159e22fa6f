// mmap-lock: faults take mmap_lock for read, and nothing else. A vma goes back to its pool at once: nobody looks at one
// without mmap_lock. (Linux before 6.4)

import { VMA_DETACHED } from "../../../assembly/layout.ts";
import type { Hart } from "../hart.ts";
import type { MmFrame, VmaLock } from "../seams.ts";
import { isAttached, setAttached, setDetached } from "./detached.ts";

export function makeMmapLock(frame: MmFrame): VmaLock {
  return {
    name: "mmap-lock",
    locksVmas: false,
    speculates: false,

    init(hart: Hart, vma: number): boolean {
      hart.shared.set(vma + VMA_DETACHED, 1);
      return true;
    },

    startRead(): number {
      return 0;
    },

    startReadLocked(): boolean {
      return false;
    },

    endRead(): void {},

    startWrite(): void {},

    attach: setAttached,
    detach: setDetached,
    isAttached,

    free(hart: Hart, vma: number): void {
      frame.freeVma(hart, vma);
    },
  };
}
