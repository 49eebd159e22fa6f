// Switching tasks: a hart block and a task record begin with the same CONTEXT_BYTES.

import { hart } from "./hart.ts";
import { CONTEXT_BYTES } from "./layout.ts";
import { clearReservation } from "./mmu/atomic.ts";

/** The hart's registers to the task that leaves it. */
export function saveContext(task: usize): void {
  memory.copy(task, hart, CONTEXT_BYTES);
  clearReservation();
}

/** The task's registers to the hart that it is to run on. */
export function restoreContext(task: usize): void {
  memory.copy(hart, task, CONTEXT_BYTES);
  clearReservation();
}
