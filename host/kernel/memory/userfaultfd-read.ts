// read and poll of a userfaultfd: faults first, then events. (Linux: userfaultfd_ctx_read in fs/userfaultfd.c)

import {
  FILE_FLAGS,
  FILE_PRIVATE,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  PAGE_BYTES,
  POOL_UFFD_EVENT,
  TASK_PID,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  TASK_WAIT_KEY_HI,
  TASK_WAIT_KEY_LO,
  TASK_WAIT_NEXT,
  UFFD_EVENT_ARGS,
  UFFD_EVENT_BASE,
  UFFD_EVENT_CHILD,
  UFFD_EVENT_HEAD,
  UFFD_EVENT_KIND,
  UFFD_FAULTS,
  UFFD_FEATURES,
  UFFD_FLAGS,
  UFFD_PENDING,
  UFFD_READERS,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ENFILE, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { fileLimit, fput, installFd } from "../file/files.ts";
import { storeU64 } from "../registers.ts";
import { finishWait, isRestart, WAIT, waitqAdd, waitqMove } from "../sched/wait.ts";
import { FD_CLOEXEC, O_CLOEXEC, O_NONBLOCK, POLLERR, POLLIN, POLLRDNORM } from "../uapi.ts";
import { prepareScatter, scatter, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { userfaultfdFile } from "./userfaultfd.ts";
import { eventsWereRead, returnEvent, takeEventLocked } from "./userfaultfd-events.ts";
import {
  KEY_OFFSET_SHIFT,
  UFFD_EVENT_PAGEFAULT,
  UFFD_FEATURE_EXACT_ADDRESS,
  UFFD_FEATURE_THREAD_ID,
  UFFD_INITIALIZED,
  UFFD_MSG_BYTES,
} from "./userfaultfd-uapi.ts";

export function readUserfaultfd(hart: Hart, file: number, buffers: UserBuffers): number {
  const { shared, current } = hart;
  const context = shared.get(file + FILE_PRIVATE);
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) finishWait(hart);
  if ((shared.loadOnce(context + UFFD_FEATURES) & UFFD_INITIALIZED) === 0) return -EINVAL;
  const total = totalBytes(hart, buffers);
  if (total < UFFD_MSG_BYTES) return total < 0 ? total : -EINVAL;
  // What is taken off the queues is lost if it can not be delivered.
  const room = prepareScatter(hart, buffers, Math.min(total, HART_BUFFER_BYTES));
  if (room < UFFD_MSG_BYTES) return -EFAULT;
  const count = Math.floor(room / UFFD_MSG_BYTES);
  const taken = takeMessages(hart, file, context, count);
  const messages = taken >= UFFD_EVENT_BASE ? deliverFork(hart, context, taken) : taken;
  return messages <= 0 ? messages : scatter(hart, buffers, messages * UFFD_MSG_BYTES);
}

/** How many messages are in HART_BUFFER; -errno or WAIT; or the event of a fork. */
function takeMessages(hart: Hart, file: number, context: number, countMax: number): number {
  const { shared, current } = hart;
  // Under the readers' lock, so that a fault that arrives after the look finds the reader on the queue.
  spinLock(hart, context + UFFD_READERS + WAITQ_LOCK);
  let count = movePending(hart, context, countMax);
  if (count === 0) count = takeEvents(hart, context, countMax);
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

/** The oldest events, to HART_BUFFER: how many; or, alone, the event of a fork, whose reader gets a descriptor. */
function takeEvents(hart: Hart, context: number, countMax: number): number {
  const { shared } = hart;
  let count = 0;
  let fork = 0;
  spinLock(hart, context + UFFD_PENDING + WAITQ_LOCK);
  while (count < countMax && fork === 0) {
    const head = shared.get(context + UFFD_EVENT_HEAD);
    const isFork = head !== 0 && shared.get(head + UFFD_EVENT_CHILD) !== 0;
    if (head === 0 || (isFork && count > 0)) break;
    const event = takeEventLocked(hart, context);
    if (isFork) fork = event;
    else {
      writeEvent(hart, event, hart.base + HART_BUFFER + count * UFFD_MSG_BYTES);
      kmemCacheFree(hart, POOL_UFFD_EVENT, event);
      count++;
    }
  }
  spinUnlock(hart, context + UFFD_PENDING + WAITQ_LOCK);
  eventsWereRead(hart, context, count);
  return fork !== 0 ? fork : count;
}

/** Of a fork, which was taken: a descriptor for what happens in the copy. 1, or -errno and it is to be read again. */
function deliverFork(hart: Hart, context: number, event: number): number {
  const { shared } = hart;
  const child = shared.get(event + UFFD_EVENT_CHILD);
  const closes = (shared.get(child + UFFD_FLAGS) & O_CLOEXEC) !== 0;
  const file = userfaultfdFile(hart, child);
  const fd = file === 0 ? -ENFILE : installFd(hart, file, 0, fileLimit(hart), closes ? FD_CLOEXEC : 0);
  if (fd < 0) {
    if (file !== 0) {
      shared.set(file + FILE_PRIVATE, 0); // the event keeps the record
      fput(hart, file);
    }
    returnEvent(hart, context, event);
    return fd;
  }
  writeEvent(hart, event, hart.base + HART_BUFFER);
  shared.set(hart.base + HART_BUFFER + 8, fd);
  kmemCacheFree(hart, POOL_UFFD_EVENT, event);
  eventsWereRead(hart, context, 1);
  return 1;
}

/** struct uffd_msg. */
function writeEvent(hart: Hart, event: number, address: number): void {
  const { shared } = hart;
  hart.core.zeroBytes(address, UFFD_MSG_BYTES);
  shared.set(address, shared.get(event + UFFD_EVENT_KIND));
  for (let i = 0; i < 3; i++) storeU64(hart, address + 8 + 8 * i, shared.getF64(event + UFFD_EVENT_ARGS + 8 * i));
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
export function pollUserfaultfd(hart: Hart, file: number): number {
  const { shared } = hart;
  const context = shared.get(file + FILE_PRIVATE);
  const isReady = (shared.loadOnce(context + UFFD_FEATURES) & UFFD_INITIALIZED) !== 0;
  if (!isReady || (shared.loadOnce(file + FILE_FLAGS) & O_NONBLOCK) === 0) return POLLERR;
  const waits = shared.loadAcquire(context + UFFD_PENDING + WAITQ_HEAD) | shared.loadAcquire(context + UFFD_EVENT_HEAD);
  return waits !== 0 ? POLLIN | POLLRDNORM : 0;
}
