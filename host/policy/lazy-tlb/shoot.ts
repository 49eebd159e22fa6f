// The policies that count nothing and tell the borrowers instead.
//
//   shoot            at the last mmdrop an IPI to mm_cpumask: whoever borrows the mm loads init_mm (Nick Piggin's
//                    "shoot lazies", CONFIG_MMU_LAZY_TLB_SHOOTDOWN)
//   shoot-hash       the same next to a TLB whose flush runs no code on other harts (powerpc's hash MMU)
//   shoot-at-flush   the last flush of exit_mmap ends the borrowing; the IPI at the last mmdrop finds nobody
//   last-mmput       as before, and that it is so is asserted at the last mmput (what Linus would have for x86)
//   active-free      last-mmput without active_mm: what the hart has loaded is what it borrows

import { COUNTER_SHOOT_LAZIES_SENT, IPI_UNLAZY, MM_CPUMASK } from "../../../assembly/layout.ts";
import { cpumaskCopyOthers, maskCount } from "../../memory/cpumask.ts";
import { sendIpi } from "../../memory/ipi.ts";
import { A_M1, A_M14, MUTATIONS } from "../../memory/mutation.ts";
import type { Hart } from "../hart.ts";
import type { LazyTlb, MmFrame } from "../seams.ts";

interface Kind {
  readonly name: string;
  readonly unlazyAtFlush: boolean;
  readonly when: "lastUser" | "lastRef";
  readonly activeIsLoaded?: boolean;
}

export const makeShoot = (frame: MmFrame) =>
  makeShooter(frame, { name: "shoot", unlazyAtFlush: false, when: "lastRef" });

export const makeShootHash = (frame: MmFrame) =>
  makeShooter(frame, { name: "shoot-hash", unlazyAtFlush: false, when: "lastRef" });

export const makeShootAtFlush = (frame: MmFrame) =>
  makeShooter(frame, { name: "shoot-at-flush", unlazyAtFlush: true, when: "lastRef" });

export const makeLastMmput = (frame: MmFrame) =>
  makeShooter(frame, { name: "last-mmput", unlazyAtFlush: true, when: "lastUser" });

export const makeActiveFree = (frame: MmFrame) =>
  makeShooter(frame, { name: "active-free", unlazyAtFlush: true, when: "lastUser", activeIsLoaded: true });

function makeShooter(frame: MmFrame, { name, unlazyAtFlush, when, activeIsLoaded = false }: Kind): LazyTlb {
  return {
    name,
    unlazyAtFlush,
    skipsFlush: false,
    finishIsBarrier: false,
    activeIsLoaded,

    grab(): void {},

    refuses(): boolean {
      return false;
    },

    resume(): void {},

    put(): void {},

    unlazy(): number {
      return 0;
    },

    finish(): number {
      return 0;
    },

    lastUser(hart: Hart, mm: number): void {
      if (when === "lastUser") shootLazies(frame, hart, mm);
    },

    lastRef(hart: Hart, mm: number): void {
      if (when !== "lastRef") return;
      // The flush is trusted to have reached every borrower; with a broadcast one it has run no code there.
      if (MUTATIONS && hart.mutation === A_M14 && unlazyAtFlush) return;
      shootLazies(frame, hart, mm);
    },
  };
}

/** When it returns no hart borrows `mm`, and none can begin to: it has no user left. */
function shootLazies(frame: MmFrame, hart: Hart, mm: number): void {
  frame.unlazyMm(hart, mm);
  if (MUTATIONS && hart.mutation === A_M1) return;
  const others = hart.flushMask;
  if (!cpumaskCopyOthers(hart, mm + MM_CPUMASK, others)) return;
  hart.count(COUNTER_SHOOT_LAZIES_SENT, maskCount(others));
  sendIpi(hart, others, IPI_UNLAZY, mm);
}
