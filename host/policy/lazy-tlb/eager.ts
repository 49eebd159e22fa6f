// eager: nobody borrows. A task without user memory runs on init_mm, so every idle round trip loads two roots.

import type { LazyTlb } from "../seams.ts";

export function makeEager(): LazyTlb {
  return {
    name: "eager",
    unlazyAtFlush: false,
    skipsFlush: false,
    finishIsBarrier: false,
    activeIsLoaded: false,
    grab(): void {}, // init_mm lives for ever

    refuses(): boolean {
      return true;
    },

    resume(): void {},

    put(): void {},

    unlazy(): number {
      return 0;
    },

    finish(): number {
      return 0;
    },

    lastUser(): void {},

    lastRef(): void {},
  };
}
