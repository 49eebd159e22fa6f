// hazard: a borrower writes the mm into its run queue (lazy_mm), and nothing else. The last mmput looks at every hart
// that may borrow, and turns what it finds into mm_count references, which it leaves in that hart's drop_mm. (Andy
// Lutomirski's "lightweight hazard pointers to grab lazy mms", January 2022.)
//
// drop_mm is one word, {sequence, mm slot}: an exiter that stalls between its loads and its compare-and-swap would
// otherwise take an mm whose slot has been given to another one for the one it saw, and drop a reference that counts.

import {
  COUNTER_DROP_MM_STOLEN,
  COUNTER_HAZARD_HITS,
  COUNTER_HAZARD_SCAN,
  MACHINE_BASE,
  MACHINE_ONLINE_MASK,
  MM_BASE,
  MM_BYTES,
  MM_CPUMASK,
  RQ_DROP_MM,
  RQ_LAZY_MM,
} from "../../../assembly/layout.ts";
import { cpumaskTest } from "../../memory/cpumask.ts";
import { KernelBug } from "../../memory/errors.ts";
import { rqOf } from "../../memory/hart-local.ts";
import { A_M6, A_M7, A_M15, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";
import type { LazyTlb, MmFrame } from "../seams.ts";
import { addMmCount } from "./mm-count.ts";

const SLOT_MASK = 0xffff;
const SEQUENCE = 0x10000;

/** What became of a hart that borrowed the mm. */
const PARKED = 0; // it holds one of our references now
const GONE = 1; // it does not borrow the mm any more: the reference is not needed
const CHANGED = 2; // drop_mm changed under us: look again

export const makeHazard = (frame: MmFrame) => makeScanner(frame, "hazard", false);

/** Looks at mm_cpumask only: wrong where that forgets a borrower. */
export const makeHazardMask = (frame: MmFrame) => makeScanner(frame, "hazard-mask", true);

function makeScanner(frame: MmFrame, name: string, byMask: boolean): LazyTlb {
  return {
    name,
    unlazyAtFlush: false,
    skipsFlush: false,
    finishIsBarrier: false,
    activeIsLoaded: false,

    grab(hart: Hart, mm: number): void {
      const { shared, rq } = hart;
      if (shared.loadOnce(rq + RQ_LAZY_MM) !== 0) throw new KernelBug("two lazy mms on one run queue", { mm });
      // No barrier: the caller is still a user of the mm, and its mmput comes after this store.
      shared.storeOnce(rq + RQ_LAZY_MM, mm);
    },

    refuses(): boolean {
      return false;
    },

    resume(): void {},

    put(hart: Hart): void {
      hart.shared.storeRelease(hart.rq + RQ_LAZY_MM, 0); // after satp points elsewhere
    },

    unlazy(hart: Hart, _mm: number, initMm: number): number {
      hart.shared.storeRelease(hart.rq + RQ_LAZY_MM, initMm);
      return 0;
    },

    finish(hart: Hart): number {
      const { shared, rq } = hart;
      for (;;) {
        const word = shared.loadOnce(rq + RQ_DROP_MM);
        const mm = mmOf(word);
        if (mm === 0 || mm === shared.loadOnce(rq + RQ_LAZY_MM)) return 0;
        if (shared.compareExchange(rq + RQ_DROP_MM, word, wordOf(hart, 0, word)) === word) return mm;
      }
    },

    lastUser(hart: Hart, mm: number): void {
      const { shared } = hart;
      const early = !(MUTATIONS && hart.mutation === A_M7);
      let extra = 0;
      for (let id = 0; id < hart.hartCount; id++) {
        const mask = byMask ? mm + MM_CPUMASK : MACHINE_BASE + MACHINE_ONLINE_MASK;
        if (!cpumaskTest(hart, mask, id)) continue;
        hart.count(COUNTER_HAZARD_SCAN);
        if (shared.loadAcquire(rqOf(id) + RQ_LAZY_MM) !== mm) continue;
        hart.count(COUNTER_HAZARD_HITS);
        if (extra === 0 && early) {
          extra = hart.hartCount; // one atomic for all, and one at the end for what was too many
          addMmCount(hart, mm, extra);
        }
        let outcome = CHANGED;
        while (outcome === CHANGED) outcome = park(frame, hart, mm, rqOf(id));
        if (outcome === PARKED) {
          extra--;
          if (!early) addMmCount(hart, mm, 1);
        }
      }
      if (extra > 0) addMmCount(hart, mm, -extra);
    },

    lastRef(): void {},
  };
}

/** Tries to leave one reference of `mm` with the hart of run queue `rq`. */
function park(frame: MmFrame, hart: Hart, mm: number, rq: number): number {
  const { shared } = hart;
  const word = shared.loadAcquire(rq + RQ_DROP_MM);
  const parked = mmOf(word);
  if (parked === mm) throw new KernelBug("an mm is given to one hart twice", { mm });
  const desired = wordOf(hart, mm, word);
  if (parked === 0) return shared.compareExchange(rq + RQ_DROP_MM, word, desired) === word ? PARKED : CHANGED;
  // Only after drop_mm was read: if the hart borrows our mm now, what is parked there is unused.
  if (!(MUTATIONS && hart.mutation === A_M6) && shared.loadAcquire(rq + RQ_LAZY_MM) !== mm) return GONE;
  if (shared.compareExchange(rq + RQ_DROP_MM, word, desired) !== word) return CHANGED;
  hart.count(COUNTER_DROP_MM_STOLEN);
  frame.dropMm(hart, parked);
  return PARKED;
}

function mmOf(word: number): number {
  const slot = word & SLOT_MASK;
  return slot === 0 ? 0 : MM_BASE + (slot - 1) * MM_BYTES;
}

/** The word that replaces `old`: `mm` (0: none) with the next sequence. */
function wordOf(hart: Hart, mm: number, old: number): number {
  const slot = mm === 0 ? 0 : Math.floor((mm - MM_BASE) / MM_BYTES) + 1;
  if (MUTATIONS && hart.mutation === A_M15) return slot;
  return ((old & ~SLOT_MASK) + SEQUENCE) | slot;
}
