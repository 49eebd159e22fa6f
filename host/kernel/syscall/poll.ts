// ppoll on console descriptors. Output is always ready; input is ready when bytes have come or have ended.

import {
  FILE_FLAGS,
  HART_KERNEL_SCRATCH,
  MACHINE_BASE,
  MACHINE_CONSOLE_READERS,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { consoleReadReady, requestInput } from "../../devices/console.ts";
import { EFAULT, EINTR, EINVAL } from "../../memory/errno.ts";
import { FOREVER } from "../../memory/park.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { fget, fput } from "../files.ts";
import { argAddress, argUint } from "../registers.ts";
import { signalPending } from "../signal.ts";
import { armTimer } from "../timer.ts";
import { O_ACCMODE, O_RDONLY, O_WRONLY } from "../uapi.ts";
import { loadTimespec } from "../user-time.ts";
import { finishWait, isRestart, WAIT, waitqAdd } from "../wait.ts";
import { call, type SystemCall } from "./types.ts";

export const pollCalls: readonly (readonly [number, SystemCall])[] = [
  [73, call("ppoll", ["pointer", "uint", "timespec", "pointer", "size"], sysPpoll)],
];

const POLLFD_BYTES = 8; // {int fd; short events, revents}
const COUNT_MAX = 1024; // RLIMIT_NOFILE
const POLLIN = 1;
const POLLOUT = 4;
const POLLNVAL = 32;
const POLLRDNORM = 64;
const POLLWRNORM = 256;

const READERS = MACHINE_BASE + MACHINE_CONSOLE_READERS;
const RESTART_DEADLINE = TASK_RESTART;

/** The signal mask (argument 3) changes nothing while no handler runs. */
function sysPpoll(hart: Hart): number {
  const { shared, current } = hart;
  const number = shared.get(current + TASK_SYSCALL);
  const count = argUint(hart, 1);
  if (count > COUNT_MAX) return -EINVAL;
  let deadline = FOREVER;
  if (isRestart(hart, number)) {
    finishWait(hart);
    deadline = shared.getF64(current + RESTART_DEADLINE);
  } else if (argAddress(hart, 2) !== 0) {
    const ns = loadTimespec(hart, argAddress(hart, 2));
    if (ns < 0) return ns;
    deadline = hart.clock.now() + ns;
  }
  const error = waitForInput(hart, argAddress(hart, 0), count, deadline);
  if (error !== WAIT) return error;
  shared.set(current + TASK_RESTART_CALL, number);
  shared.setF64(current + RESTART_DEADLINE, deadline);
  if (deadline !== FOREVER) armTimer(hart, deadline);
  return WAIT;
}

/** How many descriptors are ready, -errno, or WAIT: then the task is on the readers' queue. */
function waitForInput(hart: Hart, va: number, count: number, deadline: number): number {
  for (;;) {
    const hadInput = consoleReadReady(hart);
    const ready = scan(hart, va, count);
    if (ready !== 0 || hart.clock.now() >= deadline) return ready;
    if (signalPending(hart)) return -EINTR;
    requestInput(hart);
    spinLock(hart, READERS + WAITQ_LOCK);
    // Input that was there before the scan is input that nobody asks for; what came since is a reason to look again.
    const waits = hadInput || !consoleReadReady(hart);
    if (waits) waitqAdd(hart, READERS);
    spinUnlock(hart, READERS + WAITQ_LOCK);
    if (waits) return WAIT;
  }
}

/** Writes revents of every descriptor; how many are not 0, or -EFAULT. */
function scan(hart: Hart, va: number, count: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  let ready = 0;
  for (let i = 0; i < count; i++) {
    if (copyFromUser(hart, scratch, va + i * POLLFD_BYTES, POLLFD_BYTES) < 0) return -EFAULT;
    const events = hart.shared.get(scratch + 4) & 0xffff;
    const revents = readiness(hart, hart.shared.get(scratch), events);
    hart.shared.set(scratch + 4, events | (revents << 16));
    if (copyToUser(hart, va + i * POLLFD_BYTES, scratch, POLLFD_BYTES) < 0) return -EFAULT;
    if (revents !== 0) ready++;
  }
  return ready;
}

function readiness(hart: Hart, fd: number, events: number): number {
  if (fd < 0) return 0;
  const file = fget(hart, fd);
  if (file === 0) return POLLNVAL;
  const mode = hart.shared.loadOnce(file + FILE_FLAGS) & O_ACCMODE;
  fput(hart, file);
  const input = mode !== O_WRONLY && consoleReadReady(hart) ? POLLIN | POLLRDNORM : 0;
  const output = mode !== O_RDONLY ? POLLOUT | POLLWRNORM : 0;
  return events & (input | output);
}
