// How poll, select and epoll_wait wait: look, sleep on the queue of pollers, look again. The last look before the sleep
// comes after the task can be woken, so that no file becomes ready unseen. (Linux: do_poll, do_select)

import {
  HART_KERNEL_SCRATCH,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SAVED_MASK,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, ERESTARTNOHAND } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { copyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, isRestart, WAIT } from "../sched/wait.ts";
import { restoreSavedMask, setTemporaryMask } from "../signal/signal-mask.ts";
import { armTimer } from "../time/timer.ts";
import { loadTimespec, storeTimespec } from "../time/user-time.ts";
import { POLLNVAL } from "../uapi.ts";
import { opsOf } from "./file-kinds.ts";
import { fget, fput } from "./files.ts";
import { joinPollers } from "./poll-wait.ts";

const RESTART_DEADLINE = TASK_RESTART;
const SIGSET_BYTES = 8;

/** When the call gives up: from the timespec at `va` (0: never), or from its restart block; or -errno. */
export function timespecDeadline(hart: Hart, va: number): number {
  if (isRestart(hart, hart.shared.get(hart.current + TASK_SYSCALL))) return resumedDeadline(hart);
  if (va === 0) return FOREVER;
  const ns = loadTimespec(hart, va);
  return ns < 0 ? ns : hart.clock.now() + ns;
}

/** The same from milliseconds; negative: never. */
export function millisecondDeadline(hart: Hart, milliseconds: number): number {
  if (isRestart(hart, hart.shared.get(hart.current + TASK_SYSCALL))) return resumedDeadline(hart);
  return milliseconds < 0 ? FOREVER : hart.clock.now() + milliseconds * 1e6;
}

function resumedDeadline(hart: Hart): number {
  finishWait(hart);
  return hart.shared.getF64(hart.current + RESTART_DEADLINE);
}

/**
 * What `look` finds if it is not 0; 0 at the deadline; -ERESTARTNOHAND; or WAIT. `look(true)` comes before a sleep. The
 * end of the call is the end of replaceMask's mask; if a signal ends it, its delivery does that.
 */
export function pollUntil(hart: Hart, deadline: number, look: (waits: boolean) => number): number {
  const result = lookUntil(hart, deadline, look);
  if (result !== WAIT && result !== -ERESTARTNOHAND) restoreSavedMask(hart);
  return result;
}

function lookUntil(hart: Hart, deadline: number, look: (waits: boolean) => number): number {
  const { shared, current } = hart;
  const found = look(false);
  if (found !== 0 || hart.clock.now() >= deadline) return found;
  if (signalPending(hart)) return -ERESTARTNOHAND;
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  shared.setF64(current + RESTART_DEADLINE, deadline);
  joinPollers(hart);
  const late = look(true);
  if (late === 0) {
    if (deadline !== FOREVER) armTimer(hart, deadline);
    return WAIT;
  }
  finishWait(hart);
  return late;
}

/** POLL* of a descriptor; `wanted` as in FileOps.poll. */
export function readiness(hart: Hart, fd: number, wanted: number): number {
  const file = fget(hart, fd);
  if (file === 0) return POLLNVAL;
  const ready = opsOf(hart, file).poll(hart, file, wanted);
  fput(hart, file);
  return ready;
}

/** The time that is left goes back to the timespec at `va`, if there is one. (poll_select_finish) */
export function storeTimeLeft(hart: Hart, va: number, deadline: number): void {
  if (va !== 0) storeTimespec(hart, va, Math.max(deadline - hart.clock.now(), 0));
}

/** The mask at `va` (0: none) replaces the task's until the call ends: 0 or -errno. (set_user_sigmask) */
export function replaceMask(hart: Hart, va: number, bytes: number): number {
  // A call that has waited has its mask.
  if (va === 0 || hart.shared.get(hart.current + TASK_SAVED_MASK) !== 0) return 0;
  if (bytes !== SIGSET_BYTES) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, SIGSET_BYTES) < 0) return -EFAULT;
  setTemporaryMask(hart, hart.shared.get(scratch), hart.shared.get(scratch + 4));
  return 0;
}
