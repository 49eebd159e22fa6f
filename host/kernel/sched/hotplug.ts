// Harts leave and come back while the machine runs. (Linux: kernel/cpu.c) A hart that is to leave does so from its idle
// loop, when its queue is empty: it stops borrowing, and only then is out of the set in which borrowers are looked for.
// While it is away it sleeps, still answers interrupts, and is given no task.

import {
  HART_DOORBELL,
  MACHINE_BASE,
  MACHINE_OFFLINE_WANTED,
  MACHINE_ONLINE_MASK,
  RQ_COUNT,
} from "../../../assembly/layout.ts";
import { cpumaskClear, cpumaskSet, cpumaskTest } from "../../memory/cpumask.ts";
import { A_M13, MUTATIONS } from "../../memory/mutation.ts";
import { park } from "../../memory/park.ts";
import { type RcuCallback, rcuAdvance } from "../../memory/rcu.ts";
import { POINT_IDLE } from "../../memory/schedule.ts";
import { activeMm } from "../../mm/context.ts";
import { unlazyMm } from "../../mm/lazy.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishLazy } from "./switch.ts";

const ONLINE = MACHINE_BASE + MACHINE_ONLINE_MASK;
const WANTED = MACHINE_BASE + MACHINE_OFFLINE_WANTED;
/** How soon it looks whether a task was put on its queue by somebody who did not know yet. */
const LOOK_NS = 1_000_000;

export function isOfflineWanted(hart: Hart): boolean {
  return cpumaskTest(hart, WANTED, hart.id);
}

/** The idle task's: returns when the hart is wanted again, or has work. */
export function stayOffline(hart: Hart, callbacks: readonly (RcuCallback | undefined)[]): void {
  leaveScanSet(hart);
  while (isOfflineWanted(hart) && hart.shared.loadAcquire(hart.rq + RQ_COUNT) === 0) {
    hart.pollIrq();
    rcuAdvance(hart, callbacks);
    park(hart, hart.base + HART_DOORBELL, 0, hart.clock.now() + LOOK_NS, POINT_IDLE);
  }
  joinScanSet(hart);
}

/** From here on nobody looks for a borrower on this hart. */
export function leaveScanSet(hart: Hart): void {
  if (!(MUTATIONS && hart.mutation === A_M13)) unlazyMm(hart, activeMm(hart));
  finishLazy(hart);
  cpumaskClear(hart, ONLINE, hart.id);
}

/** Flushes that go to all harts have left this one out. */
export function joinScanSet(hart: Hart): void {
  cpumaskSet(hart, ONLINE, hart.id);
  hart.core.flushAll();
}
