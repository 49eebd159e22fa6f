// The non-maskable interrupt: it comes at any poll of any hart, interrupts off or not; in the explorer before any
// access. Like a profiler's, its handler looks at the current task's active_mm, and reads the user stack by whatever
// satp holds. What it finds must be an mm, and the user memory must be the task's own.

import {
  ACCESS_LOAD,
  COUNTER_NMI_ACTIVE_MM,
  DOORBELL_NMI,
  HART_CAUSE,
  HART_LOADED_MM,
  HART_NMI_DEPTH,
  HART_RUN_STATE,
  HART_SWITCHING_MM,
  HART_TVAL,
  MM_ROOT_PFN,
  RUN_HOST_IO,
  RUN_PARKED,
  RUN_STATE_MASK,
  TASK_ACTIVE_MM,
  TASK_MM,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { ringDoorbell } from "../memory/ipi.ts";
import { POINT_GUEST, SCHEDULE_POINTS, suspend } from "../memory/schedule.ts";
import type { Hart } from "../policy/hart.ts";
import { loadU64, registerOffset } from "./registers.ts";

const SP = 2;

/** Sends one to hart `target`, perhaps the own. Does not wait. */
export function sendNmi(hart: Hart, target: number): void {
  ringDoorbell(hart, target, DOORBELL_NMI);
}

/** Takes no lock, allocates nothing, and leaves no trace in the hart's registers. */
export function handleNmi(hart: Hart): void {
  if (hart.current === 0 || hart.get(HART_NMI_DEPTH) !== 0) return;
  hart.set(HART_NMI_DEPTH, 1);
  lookAtActiveMm(hart);
  if (nmiUaccessOkay(hart)) peekUserStack(hart);
  hart.set(HART_NMI_DEPTH, 0);
}

function lookAtActiveMm(hart: Hart): void {
  const { shared, current } = hart;
  hart.count(COUNTER_NMI_ACTIVE_MM);
  const { activeIsLoaded } = hart.policies.lazyTlb;
  const mm = shared.loadOnce(activeIsLoaded ? hart.base + HART_LOADED_MM : current + TASK_ACTIVE_MM);
  if (mm !== 0 && shared.loadOnce(mm + MM_ROOT_PFN) === 0) {
    throw new KernelBug("NMI: active_mm is no mm any more", { task: current, mm });
  }
}

/**
 * May user memory be read here? Not while satp holds another mm than the current task's, or is about to: in the middle
 * of a switch, in a temporary mm, in a task that borrows. And not on a hart that rests: it may have promised to flush
 * before it does anything. (Linux: nmi_uaccess_okay, arch/x86/mm/tlb.c)
 */
function nmiUaccessOkay(hart: Hart): boolean {
  const { shared, base, current } = hart;
  const mm = shared.loadOnce(current + TASK_MM);
  if (mm === 0 || hart.get(HART_SWITCHING_MM) !== 0 || shared.loadOnce(base + HART_LOADED_MM) !== mm) return false;
  const state = shared.loadOnce(base + HART_RUN_STATE) & RUN_STATE_MASK;
  return state !== RUN_PARKED && state !== RUN_HOST_IO;
}

/** copy_from_user_nmi: nothing is resolved, a fault is forgotten. */
export function peekUserStack(hart: Hart): void {
  const { shared } = hart;
  const sp = loadU64(hart, hart.base + registerOffset(SP));
  if (sp >= 2 ** 38) return;
  if (SCHEDULE_POINTS) {
    if (shared.scheduler?.point(POINT_GUEST, sp)) suspend();
    shared.observer?.guestAccess(hart.id, sp);
  }
  const cause = hart.get(HART_CAUSE);
  const [lo, hi] = [hart.get(HART_TVAL), hart.get(HART_TVAL + 4)];
  hart.core.userAddress(sp, ACCESS_LOAD);
  hart.set(HART_CAUSE, cause);
  hart.set(HART_TVAL, lo);
  hart.set(HART_TVAL + 4, hi);
}
