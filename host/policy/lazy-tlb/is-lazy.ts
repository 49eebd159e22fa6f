// is-lazy: what x86 does now. The borrower holds a reference, as with refcount, and says that it is lazy: then a flush
// may leave it out, because it looks at tlb_gen before it runs user code again. (Linux: arch/x86/mm/tlb.c.)

import { HART_IS_LAZY } from "../../../assembly/layout.ts";
import type { Hart } from "../hart.ts";
import type { LazyTlb, MmFrame } from "../seams.ts";
import { makeRefcount } from "./refcount.ts";

export function makeIsLazy(frame: MmFrame): LazyTlb {
  const counted = makeRefcount(frame);
  return {
    ...counted,
    name: "is-lazy",
    skipsFlush: true,

    grab(hart: Hart, mm: number): void {
      counted.grab(hart, mm);
      hart.shared.storeRelease(hart.base + HART_IS_LAZY, 1);
    },

    resume(hart: Hart): void {
      // Full barrier between the flag and tlb_gen, which is read next: a flusher raises tlb_gen, then reads the flag.
      hart.shared.exchange(hart.base + HART_IS_LAZY, 0);
    },
  };
}
