// signalfd: pending signals of whoever reads it, taken as a read. A reader that waits does so with the pollers, who are
// woken whenever a signal is sent. (Linux: fs/signalfd.c)

import {
  FILE_FLAGS,
  FILE_LOCK,
  FILE_SIGMASK,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  HART_SIGINFO,
  PROCESS_PENDING_HI,
  PROCESS_PENDING_LO,
  SIGHAND_LOCK,
  TASK_PENDING_HI,
  TASK_PENDING_LO,
  TASK_PROCESS,
  TASK_RESTART_CALL,
  TASK_SIGHAND,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { defaultOps, type FileOps } from "../file/file-ops.ts";
import { joinPollers } from "../file/poll-wait.ts";
import { finishWait, isRestart, WAIT } from "../sched/wait.ts";
import { timerSignalTaken } from "../time/posix-timer.ts";
import { O_NONBLOCK, POLLIN, POLLRDNORM } from "../uapi.ts";
import { prepareScatter, scatter, totalBytes, type UserBuffers } from "../user-buffers.ts";
import * as info from "./siginfo.ts";
import { SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGSEGV, SIGTRAP } from "./signal-numbers.ts";
import { takeSignal } from "./sigqueue.ts";

export const SIGNALFD_SIGINFO_BYTES = 128;

export const signalfdOps: FileOps = {
  ...defaultOps,
  read: readSignals,
  poll: (hart, file) => (hasSignal(hart, file) ? POLLIN | POLLRDNORM : 0),
};

/** Which signals it is about, from now on. */
export function setSignalfdMask(hart: Hart, file: number, lo: number, hi: number): void {
  spinLock(hart, file + FILE_LOCK);
  hart.shared.set(file + FILE_SIGMASK, lo);
  hart.shared.set(file + FILE_SIGMASK + 4, hi);
  spinUnlock(hart, file + FILE_LOCK);
}

function hasSignal(hart: Hart, file: number): boolean {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const lo = shared.get(current + TASK_PENDING_LO) | shared.get(process + PROCESS_PENDING_LO);
  const hi = shared.get(current + TASK_PENDING_HI) | shared.get(process + PROCESS_PENDING_HI);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return ((lo & shared.loadOnce(file + FILE_SIGMASK)) | (hi & shared.loadOnce(file + FILE_SIGMASK + 4))) !== 0;
}

function readSignals(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const total = totalBytes(hart, buffers);
  if (total < SIGNALFD_SIGINFO_BYTES) return total < 0 ? total : -EINVAL;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) finishWait(hart);
  if (!hasSignal(hart, file)) {
    if ((shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
    if (signalPending(hart)) return -ERESTARTSYS;
    joinPollers(hart);
    // The last look comes after the task can be woken.
    if (!hasSignal(hart, file)) {
      shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
      return WAIT;
    }
    finishWait(hart);
  }
  // A signal that was taken can not be given back: first see that there is room for it.
  const room = prepareScatter(hart, buffers, Math.min(total, HART_BUFFER_BYTES));
  if (room < SIGNALFD_SIGINFO_BYTES) return -EFAULT;
  let bytes = 0;
  for (; bytes + SIGNALFD_SIGINFO_BYTES <= room; bytes += SIGNALFD_SIGINFO_BYTES) {
    const signal = take(hart, file);
    if (signal === 0) break;
    convert(hart, signal, hart.base + HART_BUFFER + bytes);
  }
  if (bytes > 0) return scatter(hart, buffers, bytes);
  // Another thread has been faster.
  return (shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0 ? -EAGAIN : readSignals(hart, file, buffers);
}

/** The next signal, its siginfo in HART_SIGINFO; or 0. */
function take(hart: Hart, file: number): number {
  const { shared, current } = hart;
  const [lo, hi] = [~shared.loadOnce(file + FILE_SIGMASK), ~shared.loadOnce(file + FILE_SIGMASK + 4)];
  const process = shared.get(current + TASK_PROCESS);
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const signal = takeSignal(hart, current, process, lo, hi) || takeSignal(hart, 0, process, lo, hi);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  if (signal !== 0 && info.siginfoCode(hart) === info.SI_TIMER) timerSignalTaken(hart);
  return signal;
}

// struct signalfd_siginfo (linux/signalfd.h)
const SSI_PID = 12;
const SSI_UID = 16;
const SSI_TID = 24;
const SSI_OVERRUN = 32;
const SSI_STATUS = 40;
const SSI_INT = 44;
const SSI_PTR = 48;
const SSI_UTIME = 56;
const SSI_STIME = 64;
const SSI_ADDR = 72;
const FAULTS: readonly number[] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP];

/** HART_SIGINFO as a struct signalfd_siginfo at `target`. (signalfd_copyinfo) */
function convert(hart: Hart, signal: number, target: number): void {
  const { shared } = hart;
  const source = hart.base + HART_SIGINFO;
  const code = info.siginfoCode(hart);
  hart.core.zeroBytes(target, SIGNALFD_SIGINFO_BYTES);
  shared.set(target, signal);
  shared.set(target + 4, shared.get(source + info.SIGINFO_ERRNO));
  shared.set(target + 8, code);
  const copyWord = (to: number, from: number) => shared.set(target + to, shared.get(source + from));
  if (code === info.SI_TIMER) {
    copyWord(SSI_TID, info.SIGINFO_TIMER_ID);
    copyWord(SSI_OVERRUN, info.SIGINFO_OVERRUN);
  } else if (code > info.SI_USER && code < info.SI_KERNEL && FAULTS.includes(signal)) {
    hart.core.copyBytes(target + SSI_ADDR, source + info.SIGINFO_ADDRESS, 8);
    return;
  } else {
    copyWord(SSI_PID, info.SIGINFO_PID);
    copyWord(SSI_UID, info.SIGINFO_UID);
  }
  if (signal === SIGCHLD && code > info.SI_USER && code < info.SI_KERNEL) {
    copyWord(SSI_STATUS, info.SIGINFO_STATUS);
    hart.core.copyBytes(target + SSI_UTIME, source + info.SIGINFO_UTIME, 8);
    hart.core.copyBytes(target + SSI_STIME, source + info.SIGINFO_STIME, 8);
  } else if (code < 0) {
    copyWord(SSI_INT, info.SIGINFO_VALUE);
    hart.core.copyBytes(target + SSI_PTR, source + info.SIGINFO_VALUE, 8);
  }
}
