// Where a runnable task goes: to an idle hart if it may run there, else to the hart it ran on last. Idle harts are
// told.

import {
  CPUMASK_WORDS,
  DOORBELL_RESCHED,
  HART_NEED_RESCHED,
  MACHINE_BASE,
  MACHINE_IDLE_MASK,
  TASK_CPUS_ALLOWED,
} from "../../assembly/layout.ts";
import { ringDoorbell } from "../memory/ipi.ts";
import type { Hart } from "../policy/hart.ts";
import { isAllowed } from "./run-queue.ts";

const IDLE_MASK = MACHINE_BASE + MACHINE_IDLE_MASK;

/** An idle hart that may run it, the one it ran on last if possible; else that one; else the first it may use. */
export function selectHart(hart: Hart, task: number, home: number): number {
  const homeAllowed = isAllowed(hart, task, home);
  if (homeAllowed && (hart.shared.loadOnce(IDLE_MASK + (home >>> 5) * 4) & (1 << (home & 31))) !== 0) return home;
  let firstAllowed = -1;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const allowed = hart.shared.get(task + TASK_CPUS_ALLOWED + word * 4);
    if (allowed === 0) continue;
    const idle = allowed & hart.shared.loadOnce(IDLE_MASK + word * 4);
    if (idle !== 0) return word * 32 + (31 - Math.clz32(idle & -idle));
    if (firstAllowed < 0) firstAllowed = word * 32 + (31 - Math.clz32(allowed & -allowed));
  }
  return homeAllowed || firstAllowed < 0 ? home : firstAllowed;
}

/** Tells an idle hart that its queue has work. A busy one finds it at the end of the slice. */
export function kick(hart: Hart, target: number): void {
  const idle = (hart.shared.loadOnce(IDLE_MASK + (target >>> 5) * 4) & (1 << (target & 31))) !== 0;
  if (target === hart.id) {
    if (idle) hart.set(HART_NEED_RESCHED, 1);
  } else if (idle) {
    ringDoorbell(hart, target, DOORBELL_RESCHED);
  }
}

/** Lets one idle hart try to steal. */
export function kickIdle(hart: Hart): void {
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const idle = hart.shared.loadOnce(IDLE_MASK + word * 4);
    if (idle === 0) continue;
    ringDoorbell(hart, word * 32 + (31 - Math.clz32(idle & -idle)), DOORBELL_RESCHED);
    return;
  }
}
