// signalfd4 and the timerfd calls. (Linux: fs/signalfd.c, fs/timerfd.c)

import {
  FILE_KIND,
  FILE_KIND_SIGNALFD,
  FILE_KIND_TIMERFD,
  FILE_PRIVATE,
  HART_KERNEL_SCRATCH,
  TIMER_IS_REALTIME,
} from "../../../assembly/layout.ts";
import { EBADF, EFAULT, EINVAL, ENFILE, ENOMEM } from "../../memory/errno.ts";
import { copyFromUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { anonymousFile } from "../file/anonymous-file.ts";
import { fget, fput } from "../file/files.ts";
import { argAddress, argInt } from "../registers.ts";
import { UNBLOCKABLE_LO } from "../signal/signal-mask.ts";
import { setSignalfdMask } from "../signal/signalfd.ts";
import { allocTimerfd, freeTimerfd, setTimerfd, timerfdState } from "../time/timerfd.ts";
import { realtimeOffset } from "../time/user-time.ts";
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, O_CLOEXEC, O_NONBLOCK, O_RDWR } from "../uapi.ts";
import { installOrDrop } from "./open.ts";
import { loadTimerPair, PAIR_BYTES, storeTimerPair } from "./timer-pair.ts";
import { call, type SystemCall } from "./types.ts";

export const notificationFilesCalls: readonly (readonly [number, SystemCall])[] = [
  [74, call("signalfd4", ["int", "pointer", "size", "octal"], sysSignalfd4, "fd")],
  [85, call("timerfd_create", ["clock", "octal"], sysTimerfdCreate, "fd")],
  [86, call("timerfd_settime", ["fd", "int", "pointer", "pointer"], sysTimerfdSettime)],
  [87, call("timerfd_gettime", ["fd", "pointer"], sysTimerfdGettime)],
];

const SIGSET_BYTES = 8;
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2; // the wall clock is never set
const CLOCK_REALTIME_ALARM = 8;
const CLOCK_BOOTTIME_ALARM = 9;

function sysSignalfd4(hart: Hart): number {
  const [fd, flags] = [argInt(hart, 0), argInt(hart, 3)];
  if (argAddress(hart, 2) !== SIGSET_BYTES) return -EINVAL;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, argAddress(hart, 1), SIGSET_BYTES) < 0) return -EFAULT;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const [lo, hi] = [hart.shared.get(scratch) & ~UNBLOCKABLE_LO, hart.shared.get(scratch + 4)];
  if (fd === -1) {
    const mode = O_RDWR | (flags & O_NONBLOCK);
    const file = anonymousFile(hart, FILE_KIND_SIGNALFD, 0o600, mode, "anon_inode:[signalfd]");
    if (file === 0) return -ENFILE;
    setSignalfdMask(hart, file, lo, hi);
    return installOrDrop(hart, file, flags);
  }
  return withFile(hart, fd, FILE_KIND_SIGNALFD, (file) => {
    setSignalfdMask(hart, file, lo, hi);
    return fd;
  });
}

function sysTimerfdCreate(hart: Hart): number {
  const [clock, flags] = [argInt(hart, 0), argInt(hart, 1)];
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const isRealtime = clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_ALARM;
  const isMonotonic = clock === CLOCK_MONOTONIC || clock === CLOCK_BOOTTIME || clock === CLOCK_BOOTTIME_ALARM;
  if (!isRealtime && !isMonotonic) return -EINVAL;
  const timer = allocTimerfd(hart, isRealtime);
  if (timer === 0) return -ENOMEM;
  const mode = O_RDWR | (flags & O_NONBLOCK);
  const file = anonymousFile(hart, FILE_KIND_TIMERFD, 0o600, mode, "anon_inode:[timerfd]");
  if (file === 0) {
    freeTimerfd(hart, timer);
    return -ENFILE;
  }
  hart.shared.set(file + FILE_PRIVATE, timer);
  return installOrDrop(hart, file, flags);
}

function sysTimerfdSettime(hart: Hart): number {
  const flags = argInt(hart, 1);
  const pair = loadTimerPair(hart, argAddress(hart, 2));
  if (pair === null) return -EFAULT;
  const { interval, value } = pair;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0 || interval < 0 || value < 0) return -EINVAL;
  const oldVa = argAddress(hart, 3);
  prepareResult(hart, oldVa, PAIR_BYTES);
  return withFile(hart, argInt(hart, 0), FILE_KIND_TIMERFD, (file) => {
    const timer = hart.shared.get(file + FILE_PRIVATE);
    const offset = hart.shared.get(timer + TIMER_IS_REALTIME) !== 0 ? realtimeOffset(hart) : 0;
    const isAbsolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    // An absolute time in the past expires at once.
    const expiry = value === 0 ? 0 : isAbsolute ? Math.max(value - offset, 1) : hart.clock.now() + value;
    const old = setTimerfd(hart, timer, expiry, interval);
    return oldVa === 0 ? 0 : storeTimerPair(hart, oldVa, old.interval, old.left);
  });
}

function sysTimerfdGettime(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), FILE_KIND_TIMERFD, (file) => {
    const { left, interval } = timerfdState(hart, hart.shared.get(file + FILE_PRIVATE));
    return storeTimerPair(hart, argAddress(hart, 1), interval, left);
  });
}

function withFile(hart: Hart, fd: number, kind: number, use: (file: number) => number): number {
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  try {
    return hart.shared.get(file + FILE_KIND) === kind ? use(file) : -EINVAL;
  } finally {
    fput(hart, file);
  }
}
