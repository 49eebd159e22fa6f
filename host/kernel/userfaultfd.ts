// The descriptor of userfaultfd(2): a monitor reads which tasks wait for which pages, and answers with ioctls
// (userfaultfd-ioctl.ts). The tasks stand on two queues: those whose faults nobody has read yet, and the others. One
// lock, that of the first, guards both; the second's own is taken inside it. (Linux: fs/userfaultfd.c)

import {
  FILE_FLAGS,
  FILE_PRIVATE,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  PAGE_BYTES,
  POOL_UFFD,
  TASK_MM,
  TASK_PID,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  TASK_WAIT_KEY_HI,
  TASK_WAIT_KEY_LO,
  TASK_WAIT_NEXT,
  UFFD_FAULTS,
  UFFD_FEATURES,
  UFFD_FLAGS,
  UFFD_MM,
  UFFD_PENDING,
  UFFD_READERS,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../assembly/layout.ts";
import { EAGAIN, EINVAL, ERESTARTSYS } from "../memory/errno.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../memory/slab.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { mmdrop, mmgrab } from "../mm/mm.ts";
import type { Hart } from "../policy/hart.ts";
import { defaultOps, type FileOps } from "./file-ops.ts";
import { storeU64 } from "./registers.ts";
import { signalPending } from "./signal.ts";
import { O_NONBLOCK, POLLERR, POLLIN, POLLRDNORM } from "./uapi.ts";
import { scatter, totalBytes, type UserBuffers } from "./user-buffers.ts";
import { controlUserfaultfd } from "./userfaultfd-ioctl.ts";
import { unregisterAll } from "./userfaultfd-register.ts";
import {
  KEY_OFFSET_SHIFT,
  UFFD_EVENT_PAGEFAULT,
  UFFD_FEATURE_EXACT_ADDRESS,
  UFFD_FEATURE_THREAD_ID,
  UFFD_INITIALIZED,
  UFFD_MSG_BYTES,
} from "./userfaultfd-uapi.ts";
import { finishWait, isRestart, WAIT, waitqAdd, waitqMove, waitqWake, waitqWakeAll } from "./wait.ts";

export const userfaultfdOps: FileOps = {
  ...defaultOps,
  read: readUserfaultfd,
  poll: pollUserfaultfd,
  ioctl: (hart, file, request, va) => controlUserfaultfd(hart, hart.shared.get(file + FILE_PRIVATE), request, va),
  release: releaseUserfaultfd,
};

/** The record behind a new descriptor, for the faults of the current address space; or 0. */
export function allocUserfaultfd(hart: Hart, flags: number): number {
  const { shared } = hart;
  const context = kmemCacheAlloc(hart, POOL_UFFD);
  if (context === 0) return 0;
  const mm = shared.get(hart.current + TASK_MM);
  // The queues' locks keep their words: a task that just left a queue may look at the lock once more.
  for (const queue of [UFFD_READERS, UFFD_PENDING, UFFD_FAULTS]) shared.set(context + queue + WAITQ_HEAD, 0);
  mmgrab(hart, mm);
  shared.set(context + UFFD_MM, mm);
  shared.set(context + UFFD_FLAGS, flags);
  shared.storeRelease(context + UFFD_FEATURES, 0);
  return context;
}

function releaseUserfaultfd(hart: Hart, file: number): void {
  const context = hart.shared.get(file + FILE_PRIVATE);
  unregisterAll(hart, context);
  // No vma leads here any more: whoever waits will find the page, or the zero page, itself.
  wakeRange(hart, context, 0, Number.POSITIVE_INFINITY);
  spinLock(hart, context + UFFD_READERS + WAITQ_LOCK);
  waitqWakeAll(hart, context + UFFD_READERS);
  spinUnlock(hart, context + UFFD_READERS + WAITQ_LOCK);
  freeUserfaultfd(hart, context);
}

export function freeUserfaultfd(hart: Hart, context: number): void {
  mmdrop(hart, hart.shared.get(context + UFFD_MM));
  kmemCacheFree(hart, POOL_UFFD, context);
}

/** Tasks that wait for one of the vpns [start, end) look again. (wake_userfault) */
export function wakeRange(hart: Hart, context: number, start: number, end: number): void {
  spinLock(hart, context + UFFD_PENDING + WAITQ_LOCK);
  wakeQueue(hart, context + UFFD_PENDING, start, end);
  spinLock(hart, context + UFFD_FAULTS + WAITQ_LOCK);
  wakeQueue(hart, context + UFFD_FAULTS, start, end);
  spinUnlock(hart, context + UFFD_FAULTS + WAITQ_LOCK);
  spinUnlock(hart, context + UFFD_PENDING + WAITQ_LOCK);
}

/** Requires: the queue's lock. */
function wakeQueue(hart: Hart, queue: number, start: number, end: number): void {
  const { shared } = hart;
  for (let task = shared.get(queue + WAITQ_HEAD); task !== 0; ) {
    const next = shared.get(task + TASK_WAIT_NEXT);
    const vpn = shared.get(task + TASK_WAIT_KEY_LO);
    if (vpn >= start && vpn < end) waitqWake(hart, queue, task);
    task = next;
  }
}

function readUserfaultfd(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const context = shared.get(file + FILE_PRIVATE);
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) finishWait(hart);
  if ((shared.loadOnce(context + UFFD_FEATURES) & UFFD_INITIALIZED) === 0) return -EINVAL;
  const total = totalBytes(hart, buffers);
  if (total < UFFD_MSG_BYTES) return total < 0 ? total : -EINVAL;
  const count = Math.floor(Math.min(total, HART_BUFFER_BYTES) / UFFD_MSG_BYTES);
  const messages = takeMessages(hart, file, context, count);
  return messages <= 0 ? messages : scatter(hart, buffers, messages * UFFD_MSG_BYTES);
}

/** How many messages are in HART_BUFFER; -errno or WAIT. */
function takeMessages(hart: Hart, file: number, context: number, countMax: number): number {
  const { shared, current } = hart;
  // Under the readers' lock, so that a fault that arrives after the look finds the reader on the queue.
  spinLock(hart, context + UFFD_READERS + WAITQ_LOCK);
  let count = movePending(hart, context, countMax);
  if (count === 0) {
    if ((shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) !== 0) count = -EAGAIN;
    else if (signalPending(hart)) count = -ERESTARTSYS;
    else {
      shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
      waitqAdd(hart, context + UFFD_READERS);
      count = WAIT;
    }
  }
  spinUnlock(hart, context + UFFD_READERS + WAITQ_LOCK);
  return count;
}

function movePending(hart: Hart, context: number, countMax: number): number {
  const { shared } = hart;
  const [pending, faults] = [context + UFFD_PENDING, context + UFFD_FAULTS];
  let count = 0;
  spinLock(hart, pending + WAITQ_LOCK);
  spinLock(hart, faults + WAITQ_LOCK);
  for (let task = shared.get(pending + WAITQ_HEAD); task !== 0 && count < countMax; count++) {
    const next = shared.get(task + TASK_WAIT_NEXT);
    writeMessage(hart, context, task, hart.base + HART_BUFFER + count * UFFD_MSG_BYTES);
    waitqMove(hart, pending, faults, task);
    task = next;
  }
  spinUnlock(hart, faults + WAITQ_LOCK);
  spinUnlock(hart, pending + WAITQ_LOCK);
  return count;
}

/** struct uffd_msg. Requires: the lock of the queue that `task` is on. */
function writeMessage(hart: Hart, context: number, task: number, address: number): void {
  const { shared } = hart;
  const features = shared.loadOnce(context + UFFD_FEATURES);
  const namesThread = (features & UFFD_FEATURE_THREAD_ID) !== 0;
  hart.core.zeroBytes(address, UFFD_MSG_BYTES);
  shared.set(address, UFFD_EVENT_PAGEFAULT);
  const key = shared.get(task + TASK_WAIT_KEY_HI);
  const offset = (features & UFFD_FEATURE_EXACT_ADDRESS) !== 0 ? key >>> KEY_OFFSET_SHIFT : 0;
  shared.set(address + 8, key & ((1 << KEY_OFFSET_SHIFT) - 1));
  storeU64(hart, address + 16, shared.get(task + TASK_WAIT_KEY_LO) * PAGE_BYTES + offset);
  if (namesThread) shared.set(address + 24, shared.get(task + TASK_PID));
}

/** As Linux has it: a read that could block can not be polled for. */
function pollUserfaultfd(hart: Hart, file: number): number {
  const { shared } = hart;
  const context = shared.get(file + FILE_PRIVATE);
  const isReady = (shared.loadOnce(context + UFFD_FEATURES) & UFFD_INITIALIZED) !== 0;
  if (!isReady || (shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) === 0) return POLLERR;
  return shared.loadAcquire(context + UFFD_PENDING + WAITQ_HEAD) !== 0 ? POLLIN | POLLRDNORM : 0;
}
