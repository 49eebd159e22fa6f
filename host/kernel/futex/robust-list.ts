// Robust futexes: at the end of a thread the kernel walks the list of locks it still holds, which glibc keeps in user
// memory, marks each as left by a dead owner and wakes one waiter. (Linux: exit_robust_list, handle_futex_death)
//
// struct robust_list_head { next; long futex_offset; list_op_pending }; bit 0 of a pointer says "priority inheritance".

import { HART_KERNEL_SCRATCH, TASK_PID, TASK_ROBUST_LIST } from "../../../assembly/layout.ts";
import { cmpxchgUser32, copyFromUser, getUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadI64, loadU64 } from "../registers.ts";
import { FUTEX_BITSET_MATCH_ANY, futexWake } from "./futex.ts";
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, passOnDead } from "./futex-pi.ts";

export const ROBUST_LIST_HEAD_BYTES = 24;
const HEAD_NEXT = 0;
const HEAD_FUTEX_OFFSET = 8;
const HEAD_PENDING = 16;
/** ROBUST_LIST_LIMIT: a circular list ends the walk, not the kernel. */
const ENTRY_COUNT_MAX = 2048;

/** Walks the current task's list. A bad pointer ends the walk: the guest's own loss. */
export function exitRobustList(hart: Hart): void {
  const { shared, current } = hart;
  const head = shared.getF64(current + TASK_ROBUST_LIST);
  if (head === 0) return;
  shared.setF64(current + TASK_ROBUST_LIST, 0);
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, head, ROBUST_LIST_HEAD_BYTES) < 0) return;
  const offset = loadI64(hart, scratch + HEAD_FUTEX_OFFSET);
  const pending = loadU64(hart, scratch + HEAD_PENDING);
  let entry = loadU64(hart, scratch + HEAD_NEXT);
  for (let count = 0; address(entry) !== head && count < ENTRY_COUNT_MAX; count++) {
    // The next pointer first: whoever gets the lock may reuse the entry at once.
    const readable = copyFromUser(hart, scratch, address(entry), 8) === 0;
    const next = loadU64(hart, scratch);
    if (address(entry) !== address(pending) && !ownerDied(hart, entry, offset, false)) return;
    if (!readable) return;
    entry = next;
    hart.pollIrq();
  }
  if (address(pending) !== 0) ownerDied(hart, pending, offset, true);
}

function hasInheritance(pointer: number): boolean {
  return pointer % 2 === 1;
}

function address(pointer: number): number {
  return hasInheritance(pointer) ? pointer - 1 : pointer;
}

/** False if the word can not be reached. `isPending`: the thread died between unlocking and leaving the list. */
function ownerDied(hart: Hart, pointer: number, offset: number, isPending: boolean): boolean {
  const va = address(pointer) + offset;
  if (!(va >= 0) || va % 4 !== 0) return false;
  const tid = hart.shared.get(hart.current + TASK_PID);
  for (;;) {
    const word = getUser32(hart, va);
    if (word < 0) return false;
    const owner = (word & FUTEX_TID_MASK) >>> 0;
    if (isPending && word === 0 && !hasInheritance(pointer)) {
      // Unlocked, but died before the wake-up.
      futexWake(hart, va, false, 1, FUTEX_BITSET_MATCH_ANY);
      return true;
    }
    if (owner !== tid) return true;
    if (hasInheritance(pointer)) {
      passOnDead(hart, va);
      return true;
    }
    const dead = ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
    const seen = cmpxchgUser32(hart, va, word, dead);
    if (seen < 0) return false;
    if (seen !== word) continue;
    if ((word & FUTEX_WAITERS) !== 0) futexWake(hart, va, false, 1, FUTEX_BITSET_MATCH_ANY);
    return true;
  }
}
