// The non-maskable interrupt: it comes at any poll of any hart, interrupts off or not. Like a profiler's, its handler
// looks at the current task's active_mm and walks the user stack by whatever satp holds. What it finds must be an mm.

import {
  ACCESS_LOAD,
  COUNTER_NMI_ACTIVE_MM,
  DOORBELL_NMI,
  HART_CAUSE,
  HART_NMI_DEPTH,
  HART_PRIV,
  HART_TVAL,
  MM_ROOT_PFN,
  PF_IDLE,
  PF_KTHREAD,
  PRIV_USER,
  TASK_ACTIVE_MM,
  TASK_FLAGS,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { ringDoorbell } from "../memory/ipi.ts";
import type { Hart } from "../policy/hart.ts";
import { loadU64, registerOffset } from "./registers.ts";

const SP = 2;

/** Sends one to hart `target`, perhaps the own. Does not wait. */
export function sendNmi(hart: Hart, target: number): void {
  ringDoorbell(hart, target, DOORBELL_NMI);
}

/** Takes no lock, allocates nothing, and leaves no trace in the hart's registers. */
export function handleNmi(hart: Hart): void {
  const { shared, current } = hart;
  if (current === 0 || hart.get(HART_NMI_DEPTH) !== 0) return;
  hart.set(HART_NMI_DEPTH, 1);
  hart.count(COUNTER_NMI_ACTIVE_MM);
  const mm = shared.loadOnce(current + TASK_ACTIVE_MM);
  if (mm !== 0 && shared.loadOnce(mm + MM_ROOT_PFN) === 0) {
    throw new KernelBug("NMI: active_mm is no mm any more", { task: current, mm });
  }
  if ((shared.get(current + TASK_FLAGS) & (PF_IDLE | PF_KTHREAD)) === 0 && hart.get(HART_PRIV) === PRIV_USER) {
    peekUserStack(hart);
  }
  hart.set(HART_NMI_DEPTH, 0);
}

/** copy_from_user_nmi: nothing is resolved, a fault is forgotten. */
function peekUserStack(hart: Hart): void {
  const cause = hart.get(HART_CAUSE);
  const [lo, hi] = [hart.get(HART_TVAL), hart.get(HART_TVAL + 4)];
  const sp = loadU64(hart, hart.base + registerOffset(SP));
  if (sp < 2 ** 38) hart.core.userAddress(sp, ACCESS_LOAD);
  hart.set(HART_CAUSE, cause);
  hart.set(HART_TVAL, lo);
  hart.set(HART_TVAL + 4, hi);
}
