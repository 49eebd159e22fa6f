// poll and select: a scan over the files, and a sleep on the queue of pollers between scans (poll-wait.ts). The file's
// own operations say what is ready. (Linux: fs/select.c)

import { HART_KERNEL_SCRATCH, TASK_RESTART, TASK_RESTART_CALL, TASK_SYSCALL } from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, ERESTARTNOHAND } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { opsOf } from "../file-kinds.ts";
import { fget, fput } from "../files.ts";
import { joinPollers } from "../poll-wait.ts";
import { argAddress, argUint } from "../registers.ts";
import { signalPending } from "../signal.ts";
import { armTimer } from "../timer.ts";
import { POLLERR, POLLHUP, POLLNVAL } from "../uapi.ts";
import { loadTimespec } from "../user-time.ts";
import { finishWait, isRestart, WAIT } from "../wait.ts";
import { call, type SystemCall } from "./types.ts";

export const pollCalls: readonly (readonly [number, SystemCall])[] = [
  [73, call("ppoll", ["pointer", "uint", "timespec", "pointer", "size"], sysPpoll)],
];

const POLLFD_BYTES = 8; // {int fd; short events, revents}
const COUNT_MAX = 1024; // RLIMIT_NOFILE

const RESTART_DEADLINE = TASK_RESTART;

/** The signal mask (argument 3) changes nothing while no handler runs. */
function sysPpoll(hart: Hart): number {
  const count = argUint(hart, 1);
  if (count > COUNT_MAX) return -EINVAL;
  const deadline = pollDeadline(hart, argAddress(hart, 2));
  if (deadline < 0) return deadline;
  return pollUntil(hart, deadline, (waits) => scan(hart, argAddress(hart, 0), count, waits));
}

/** When the call gives up: from the timespec at `va` (0: never), or from its restart block; or -errno. */
function pollDeadline(hart: Hart, va: number): number {
  const { shared, current } = hart;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) {
    finishWait(hart);
    return shared.getF64(current + RESTART_DEADLINE);
  }
  if (va === 0) return FOREVER;
  const ns = loadTimespec(hart, va);
  return ns < 0 ? ns : hart.clock.now() + ns;
}

/** What `look` finds if it is not 0; 0 at the deadline; -ERESTARTNOHAND; or WAIT. */
function pollUntil(hart: Hart, deadline: number, look: (waits: boolean) => number): number {
  const { shared, current } = hart;
  const found = look(false);
  if (found !== 0 || hart.clock.now() >= deadline) return found;
  if (signalPending(hart)) return -ERESTARTNOHAND;
  // A file may have become ready since: the last look comes after the task can be woken.
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

/** Writes revents of every descriptor; how many are not 0, or -EFAULT. */
function scan(hart: Hart, va: number, count: number, waits: boolean): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  let ready = 0;
  for (let i = 0; i < count; i++) {
    if (copyFromUser(hart, scratch, va + i * POLLFD_BYTES, POLLFD_BYTES) < 0) return -EFAULT;
    const fd = hart.shared.get(scratch);
    const events = hart.shared.get(scratch + 4) & 0xffff;
    const revents = fd < 0 ? 0 : readiness(hart, fd, waits ? events : 0) & (events | POLLERR | POLLHUP | POLLNVAL);
    hart.shared.set(scratch, fd);
    hart.shared.set(scratch + 4, events | (revents << 16));
    if (copyToUser(hart, va + i * POLLFD_BYTES, scratch, POLLFD_BYTES) < 0) return -EFAULT;
    if (revents !== 0) ready++;
  }
  return ready;
}

function readiness(hart: Hart, fd: number, wanted: number): number {
  const file = fget(hart, fd);
  if (file === 0) return POLLNVAL;
  const ready = opsOf(hart, file).poll(hart, file, wanted);
  fput(hart, file);
  return ready;
}
