// timerfd: a timer whose expirations are read from a descriptor. As in Linux an interval timer stands still once it has
// expired, until somebody reads it or looks at it: then what it has missed is counted. (Linux: fs/timerfd.c)

import {
  FILE_FLAGS,
  FILE_PRIVATE,
  HART_BUFFER,
  KTIMER_FD,
  KTIMER_KIND,
  POOL_TIMER,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  TIMER_BYTES,
  TIMER_EXPIRY,
  TIMER_INTERVAL,
  TIMER_IS_REALTIME,
  TIMER_LOCK,
  TIMER_PENDING,
  TIMER_QUEUE,
  TIMER_TICKS,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { kmemCacheAlloc, kmemCacheFreeRcu } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { defaultOps, type FileOps } from "../file/file-ops.ts";
import { wakePollers } from "../file/poll-wait.ts";
import { storeU64 } from "../registers.ts";
import { finishWait, isRestart, WAIT, waitqAdd, wakeUpAll } from "../sched/wait.ts";
import { O_NONBLOCK, POLLIN, POLLRDNORM } from "../uapi.ts";
import { prepareScatter, scatterAtomic, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { forward } from "./itimer.ts";
import { armKtimer, disarmKtimer } from "./timer.ts";

const TICKS_BYTES = 8;

export const timerfdOps: FileOps = {
  ...defaultOps,
  read: readTimer,
  poll: pollTimer,
  // Each time it is armed, it is for another moment.
  edges: (hart, file) => hart.shared.getF64(hart.shared.get(file + FILE_PRIVATE) + TIMER_EXPIRY) % 2 ** 32,
  release: releaseTimer,
};

/** A disarmed timer, or 0. */
export function allocTimerfd(hart: Hart, isRealtime: boolean): number {
  const timer = kmemCacheAlloc(hart, POOL_TIMER);
  if (timer === 0) return 0;
  hart.core.zeroBytes(timer, TIMER_BYTES);
  hart.shared.set(timer + KTIMER_KIND, KTIMER_FD);
  hart.shared.set(timer + TIMER_IS_REALTIME, isRealtime ? 1 : 0);
  return timer;
}

export function freeTimerfd(hart: Hart, timer: number): void {
  // A hart may have taken it off its list and be about to look whether it is still armed.
  kmemCacheFreeRcu(hart, POOL_TIMER, timer);
}

function releaseTimer(hart: Hart, file: number): void {
  const timer = hart.shared.get(file + FILE_PRIVATE);
  spinLock(hart, timer + TIMER_LOCK);
  startLocked(hart, timer, 0);
  wakeReadersLocked(hart, timer);
  spinUnlock(hart, timer + TIMER_LOCK);
  freeTimerfd(hart, timer);
}

/** Arms the timer to `expiry` on the monotonic clock, or disarms it (0). Requires: TIMER_LOCK. */
function startLocked(hart: Hart, timer: number, expiry: number): void {
  hart.shared.setF64(timer + TIMER_EXPIRY, expiry);
  hart.shared.set(timer + TIMER_PENDING, 0);
  if (expiry === 0) disarmKtimer(hart, timer);
  else armKtimer(hart, timer, expiry);
}

/** KTIMER_FD. It may have been set anew meanwhile, or be about to go. */
export function timerfdExpired(hart: Hart, timer: number): void {
  const { shared } = hart;
  spinLock(hart, timer + TIMER_LOCK);
  const expiry = shared.getF64(timer + TIMER_EXPIRY);
  const isDue = expiry !== 0 && shared.get(timer + TIMER_PENDING) === 0 && expiry <= hart.clock.now();
  if (isDue) {
    shared.setF64(timer + TIMER_TICKS, shared.getF64(timer + TIMER_TICKS) + 1);
    shared.set(timer + TIMER_PENDING, 1);
    wakeReadersLocked(hart, timer);
  }
  spinUnlock(hart, timer + TIMER_LOCK);
  if (isDue) wakePollers(hart);
}

/** An interval timer that stands still goes on, and what it missed counts. Requires: TIMER_LOCK. */
function catchUpLocked(hart: Hart, timer: number): void {
  const { shared } = hart;
  const interval = shared.getF64(timer + TIMER_INTERVAL);
  if (shared.get(timer + TIMER_PENDING) === 0 || interval === 0) return;
  const expiry = shared.getF64(timer + TIMER_EXPIRY);
  const next = forward(expiry, interval, hart.clock.now());
  const missed = Math.round((next - expiry) / interval) - 1;
  shared.setF64(timer + TIMER_TICKS, shared.getF64(timer + TIMER_TICKS) + missed);
  startLocked(hart, timer, next);
}

/** What timerfd_gettime says: ns until it expires, 0 if it is not armed, and its interval. */
export function timerfdState(hart: Hart, timer: number): { left: number; interval: number } {
  spinLock(hart, timer + TIMER_LOCK);
  catchUpLocked(hart, timer);
  const state = stateLocked(hart, timer);
  spinUnlock(hart, timer + TIMER_LOCK);
  return state;
}

function stateLocked(hart: Hart, timer: number): { left: number; interval: number } {
  const { shared } = hart;
  const expiry = shared.getF64(timer + TIMER_EXPIRY);
  const isOver = expiry === 0 || shared.get(timer + TIMER_PENDING) !== 0;
  const left = isOver ? 0 : Math.max(expiry - hart.clock.now(), 1);
  return { left, interval: shared.getF64(timer + TIMER_INTERVAL) };
}

/** Sets it to `expiry` on the monotonic clock, 0: off; what it was. (do_timerfd_settime) */
export function setTimerfd(
  hart: Hart,
  timer: number,
  expiry: number,
  interval: number,
): { left: number; interval: number } {
  spinLock(hart, timer + TIMER_LOCK);
  catchUpLocked(hart, timer);
  const old = stateLocked(hart, timer);
  hart.shared.setF64(timer + TIMER_TICKS, 0);
  hart.shared.setF64(timer + TIMER_INTERVAL, interval);
  startLocked(hart, timer, expiry);
  spinUnlock(hart, timer + TIMER_LOCK);
  return old;
}

function readTimer(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const total = totalBytes(hart, buffers);
  if (total < TICKS_BYTES) return total < 0 ? total : -EINVAL;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) finishWait(hart);
  const timer = shared.get(file + FILE_PRIVATE);
  for (;;) {
    spinLock(hart, timer + TIMER_LOCK);
    const result = readLocked(hart, file, timer, buffers);
    spinUnlock(hart, timer + TIMER_LOCK);
    if (result !== 0) return result;
    // The expirations stay where they are until there is a page for them.
    if (prepareScatter(hart, buffers, TICKS_BYTES) < TICKS_BYTES) return -EFAULT;
  }
}

/** Bytes, -errno, WAIT, or 0: the buffers must be faulted in. Requires: TIMER_LOCK. */
function readLocked(hart: Hart, file: number, timer: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  if (shared.getF64(timer + TIMER_TICKS) === 0) {
    if ((shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
    if (signalPending(hart)) return -ERESTARTSYS;
    shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
    spinLock(hart, timer + TIMER_QUEUE + WAITQ_LOCK);
    waitqAdd(hart, timer + TIMER_QUEUE);
    spinUnlock(hart, timer + TIMER_QUEUE + WAITQ_LOCK);
    return WAIT;
  }
  catchUpLocked(hart, timer);
  storeU64(hart, hart.base + HART_BUFFER, shared.getF64(timer + TIMER_TICKS));
  if (!scatterAtomic(hart, buffers, TICKS_BYTES)) return 0;
  shared.setF64(timer + TIMER_TICKS, 0);
  return TICKS_BYTES;
}

/** Requires: TIMER_LOCK. */
function wakeReadersLocked(hart: Hart, timer: number): void {
  wakeUpAll(hart, timer + TIMER_QUEUE);
}

function pollTimer(hart: Hart, file: number): number {
  const timer = hart.shared.get(file + FILE_PRIVATE);
  spinLock(hart, timer + TIMER_LOCK);
  const ticks = hart.shared.getF64(timer + TIMER_TICKS);
  spinUnlock(hart, timer + TIMER_LOCK);
  return ticks > 0 ? POLLIN | POLLRDNORM : 0;
}
