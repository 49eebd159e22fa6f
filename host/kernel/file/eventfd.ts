// eventfd: a counter to read, write and poll. It lies in the file record: two words, under FILE_LOCK. (Linux:
// fs/eventfd.c)

import {
  FILE_EVENT_COUNT,
  FILE_EVENT_QUEUE,
  FILE_EVENT_READS,
  FILE_EVENT_SEMAPHORE,
  FILE_EVENT_WRITES,
  FILE_FLAGS,
  FILE_LOCK,
  HART_BUFFER,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64, storeU64 } from "../registers.ts";
import { finishWait, isRestart, WAIT, waitqAdd, wakeUpAll } from "../sched/wait.ts";
import { O_NONBLOCK, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../uapi.ts";
import { gather, prepareScatter, scatterAtomic, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { defaultOps, type FileOps } from "./file-ops.ts";
import { wakePollers } from "./poll-wait.ts";

const COUNTER_BYTES = 8;
/** ULLONG_MAX - 1 is the largest count; held as a number, so large counts are rounded. */
const COUNT_MAX = 2 ** 64 - 2;

export const eventOps: FileOps = {
  ...defaultOps,
  read: readEvent,
  write: writeEvent,
  poll: pollEvent,
  edges: eventEdges,
  release: releaseEvent,
};

function readEvent(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared } = hart;
  const total = totalBytes(hart, buffers);
  if (total < COUNTER_BYTES) return total < 0 ? total : -EINVAL;
  leaveQueue(hart);
  for (;;) {
    spinLock(hart, file + FILE_LOCK);
    const count = shared.getF64(file + FILE_EVENT_COUNT);
    const taken = shared.get(file + FILE_EVENT_SEMAPHORE) !== 0 ? Math.min(count, 1) : count;
    storeU64(hart, hart.base + HART_BUFFER, taken);
    const result = count === 0 ? waitLocked(hart, file) : 0;
    // Copied under the lock, without resolving faults: what can not be delivered is not taken.
    const isDelivered = count > 0 && scatterAtomic(hart, buffers, COUNTER_BYTES);
    if (isDelivered) {
      shared.setF64(file + FILE_EVENT_COUNT, count - taken);
      shared.set(file + FILE_EVENT_READS, shared.get(file + FILE_EVENT_READS) + 1);
      wakeLocked(hart, file);
    }
    spinUnlock(hart, file + FILE_LOCK);
    if (result !== 0) return result;
    if (isDelivered) break;
    const ready = prepareScatter(hart, buffers, COUNTER_BYTES);
    if (ready < COUNTER_BYTES) return -EFAULT;
  }
  wakePollers(hart);
  return COUNTER_BYTES;
}

function writeEvent(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared } = hart;
  const total = totalBytes(hart, buffers);
  if (total !== COUNTER_BYTES) return total < 0 ? total : -EINVAL;
  leaveQueue(hart);
  const bytes = gather(hart, buffers, 0, COUNTER_BYTES);
  if (bytes < COUNTER_BYTES) return -EFAULT;
  const buffer = hart.base + HART_BUFFER;
  if (shared.get(buffer) === -1 && shared.get(buffer + 4) === -1) return -EINVAL;
  const added = loadU64(hart, buffer);
  spinLock(hart, file + FILE_LOCK);
  const count = shared.getF64(file + FILE_EVENT_COUNT);
  const fits = count + added <= COUNT_MAX;
  const result = fits ? 0 : waitLocked(hart, file);
  if (fits) {
    shared.setF64(file + FILE_EVENT_COUNT, count + added);
    shared.set(file + FILE_EVENT_WRITES, shared.get(file + FILE_EVENT_WRITES) + 1);
    wakeLocked(hart, file);
  }
  spinUnlock(hart, file + FILE_LOCK);
  if (result !== 0) return result;
  wakePollers(hart);
  return COUNTER_BYTES;
}

function leaveQueue(hart: Hart): void {
  if (isRestart(hart, hart.shared.get(hart.current + TASK_SYSCALL))) finishWait(hart);
}

/** -errno, or WAIT on the file's queue. Requires: FILE_LOCK. */
function waitLocked(hart: Hart, file: number): number {
  const { shared, current } = hart;
  if ((shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) return -EAGAIN;
  if (signalPending(hart)) return -ERESTARTSYS;
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  spinLock(hart, file + FILE_EVENT_QUEUE + WAITQ_LOCK);
  waitqAdd(hart, file + FILE_EVENT_QUEUE);
  spinUnlock(hart, file + FILE_EVENT_QUEUE + WAITQ_LOCK);
  return WAIT;
}

/** Requires: FILE_LOCK. */
function wakeLocked(hart: Hart, file: number): void {
  wakeUpAll(hart, file + FILE_EVENT_QUEUE);
}

/** Its descriptor was closed while somebody waited: he finds that out himself, but not on a queue that has gone. */
function releaseEvent(hart: Hart, file: number): void {
  spinLock(hart, file + FILE_LOCK);
  wakeLocked(hart, file);
  spinUnlock(hart, file + FILE_LOCK);
}

function pollEvent(hart: Hart, file: number): number {
  spinLock(hart, file + FILE_LOCK);
  const count = hart.shared.getF64(file + FILE_EVENT_COUNT);
  spinUnlock(hart, file + FILE_LOCK);
  return (count > 0 ? POLLIN | POLLRDNORM : 0) | (count < COUNT_MAX - 1 ? POLLOUT | POLLWRNORM : 0);
}

/** Programs wake each other by writing to one that nobody reads, so each write counts, whatever the count is. */
function eventEdges(hart: Hart, file: number, wanted: number): number {
  const { shared } = hart;
  const writes = shared.loadOnce(file + FILE_EVENT_WRITES);
  return (wanted & POLLOUT) === 0 ? writes : writes + shared.loadOnce(file + FILE_EVENT_READS);
}
