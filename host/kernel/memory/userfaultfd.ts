// The descriptor of userfaultfd(2): a monitor reads which tasks wait for which pages, and answers with ioctls
// (userfaultfd-ioctl.ts). The tasks stand on two queues: those whose faults nobody has read yet, and the others. One
// lock, that of the first, guards both; the second's own is taken inside it. (Linux: fs/userfaultfd.c)

import {
  FILE_KIND_USERFAULTFD,
  FILE_PRIVATE,
  POOL_UFFD,
  POOL_UFFD_EVENT,
  TASK_WAIT_KEY_LO,
  TASK_WAIT_NEXT,
  UFFD_EVENT_CHILD,
  UFFD_EVENT_HEAD,
  UFFD_FAULTS,
  UFFD_FEATURES,
  UFFD_FLAGS,
  UFFD_MM,
  UFFD_PENDING,
  UFFD_READERS,
  UFFD_WAITERS,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { mmdrop, mmgrab } from "../../mm/mm.ts";
import type { Hart } from "../../policy/hart.ts";
import { anonymousFile } from "../file/anonymous-file.ts";
import { defaultOps, type FileOps } from "../file/file-ops.ts";
import { waitqWake, wakeUpAll } from "../sched/wait.ts";
import { O_NONBLOCK, O_RDWR } from "../uapi.ts";
import { eventsWereRead, takeEventLocked } from "./userfaultfd-events.ts";
import { controlUserfaultfd } from "./userfaultfd-ioctl.ts";
import { pollUserfaultfd, readUserfaultfd } from "./userfaultfd-read.ts";
import { unregisterAll } from "./userfaultfd-register.ts";

export const userfaultfdOps: FileOps = {
  ...defaultOps,
  read: readUserfaultfd,
  poll: pollUserfaultfd,
  ioctl: (hart, file, request, va) => controlUserfaultfd(hart, hart.shared.get(file + FILE_PRIVATE), request, va),
  release: releaseUserfaultfd,
};

function releaseUserfaultfd(hart: Hart, file: number): void {
  const context = hart.shared.get(file + FILE_PRIVATE);
  if (context !== 0) endContext(hart, context);
}

/** The record behind a new descriptor, for what happens in `mm`; or 0. `flags`: of userfaultfd(2). */
export function newContext(hart: Hart, mm: number, flags: number): number {
  const { shared } = hart;
  const context = kmemCacheAlloc(hart, POOL_UFFD);
  if (context === 0) return 0;
  // The queues' locks keep their words: a task that just left a queue may look at the lock once more.
  for (const queue of [UFFD_READERS, UFFD_PENDING, UFFD_FAULTS, UFFD_WAITERS]) {
    shared.set(context + queue + WAITQ_HEAD, 0);
  }
  shared.set(context + UFFD_EVENT_HEAD, 0);
  mmgrab(hart, mm);
  shared.set(context + UFFD_MM, mm);
  shared.set(context + UFFD_FLAGS, flags);
  shared.storeRelease(context + UFFD_FEATURES, 0);
  return context;
}

/** An open file for the record, or 0. */
export function userfaultfdFile(hart: Hart, context: number): number {
  const mode = O_RDWR | (hart.shared.get(context + UFFD_FLAGS) & O_NONBLOCK);
  const file = anonymousFile(hart, FILE_KIND_USERFAULTFD, 0o600, mode, "anon_inode:[userfaultfd]");
  if (file !== 0) hart.shared.set(file + FILE_PRIVATE, context);
  return file;
}

/** The descriptor has gone, or there never was one: nobody will answer any more. */
export function endContext(hart: Hart, context: number): void {
  unregisterAll(hart, context);
  // No vma leads here any more: whoever waits will find the page, or the zero page, itself.
  wakeRange(hart, context, 0, Number.POSITIVE_INFINITY);
  dropEvents(hart, context);
  wakeUpAll(hart, context + UFFD_READERS);
  freeContext(hart, context);
}

export function freeContext(hart: Hart, context: number): void {
  mmdrop(hart, hart.shared.get(context + UFFD_MM));
  kmemCacheFree(hart, POOL_UFFD, context);
}

/** Who waits until they are read goes on; copies of the memory that nobody has heard of go on by themselves. */
function dropEvents(hart: Hart, context: number): void {
  for (;;) {
    spinLock(hart, context + UFFD_PENDING + WAITQ_LOCK);
    const event = takeEventLocked(hart, context);
    spinUnlock(hart, context + UFFD_PENDING + WAITQ_LOCK);
    if (event === 0) return;
    const child = hart.shared.get(event + UFFD_EVENT_CHILD);
    if (child !== 0) endContext(hart, child);
    kmemCacheFree(hart, POOL_UFFD_EVENT, event);
    eventsWereRead(hart, context, 1);
  }
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
