// What a monitor of somebody else's memory hears besides faults: that the memory was copied by fork, moved, given up or
// unmapped. Who did it waits at the end of its call (of madvise: before it) until the event has been read; and as long
// as one has not, UFFDIO_COPY and its like are refused, since their addresses may mean something else by now. (Linux:
// userfaultfd_event_wait_completion, dup_userfaultfd, mremap_userfaultfd_prep, userfaultfd_remove,
// userfaultfd_unmap_prep in fs/userfaultfd.c)
//
// Events are posted in order, and read in order: UFFD_POSTED and UFFD_READ count them, over all lives of a record, so
// that a task knows by a number whether its own has been read, or can not be any more.

import {
  POOL_UFFD_EVENT,
  TASK_RESTART_CALL,
  TASK_STATE,
  TASK_SYSCALL,
  TASK_UFFD_IS_DONE,
  TASK_UFFD_RESULT,
  TASK_UFFD_WAIT,
  TASK_UFFD_WAIT_BYTES,
  TASK_UFFD_WAITS,
  TASK_UFFD_WAITS_MAX,
  TASK_UNINTERRUPTIBLE,
  UFFD_EVENT_ARGS,
  UFFD_EVENT_CHILD,
  UFFD_EVENT_CONTEXT,
  UFFD_EVENT_HEAD,
  UFFD_EVENT_KIND,
  UFFD_EVENT_NEXT,
  UFFD_EVENT_TAIL,
  UFFD_FEATURES,
  UFFD_FLAGS,
  UFFD_PENDING,
  UFFD_POSTED,
  UFFD_READ,
  UFFD_WAITERS,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import type { UserfaultEvents } from "../../memory/hart-services.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { UFFD_EVENT_FORK, UFFD_EVENT_REMAP, UFFD_EVENT_REMOVE } from "../../mm/userfaultfd/userfaultfd-events.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, WAIT, waitqAdd, waitqWakeAll } from "../sched/wait.ts";
import type { Handler } from "../syscall/types.ts";
import { wakeReader } from "./userfault.ts";
import { freeContext, newContext } from "./userfaultfd.ts";
import * as uapi from "./userfaultfd-uapi.ts";

/** HartLocal.userfaultEvents, for mm. */
export const userfaultEvents: UserfaultEvents = {
  prepare: (hart, context, kind, mm) => prepareEvent(hart as Hart, context, kind, mm),
  post: (hart, event, first, second, third) => postEvent(hart as Hart, event, first, second, third),
  cancel: (hart, event) => cancelEvent(hart as Hart, event),
};

function prepareEvent(hart: Hart, context: number, kind: number, mm: number): number {
  const { shared } = hart;
  if ((shared.loadOnce(context + UFFD_FEATURES) & featureOf(kind)) === 0) return 0;
  const event = kmemCacheAlloc(hart, POOL_UFFD_EVENT);
  if (event === 0) return -1;
  shared.set(event + UFFD_EVENT_KIND, kind);
  shared.set(event + UFFD_EVENT_CONTEXT, context);
  const isFork = kind === UFFD_EVENT_FORK;
  const child = isFork ? newContext(hart, mm, shared.get(context + UFFD_FLAGS)) : 0;
  shared.set(event + UFFD_EVENT_CHILD, child);
  if (isFork && child === 0) {
    kmemCacheFree(hart, POOL_UFFD_EVENT, event);
    return -1;
  }
  if (isFork) shared.storeRelease(child + UFFD_FEATURES, shared.loadOnce(context + UFFD_FEATURES));
  return event;
}

function featureOf(kind: number): number {
  switch (kind) {
    case UFFD_EVENT_FORK:
      return uapi.UFFD_FEATURE_EVENT_FORK;
    case UFFD_EVENT_REMAP:
      return uapi.UFFD_FEATURE_EVENT_REMAP;
    case UFFD_EVENT_REMOVE:
      return uapi.UFFD_FEATURE_EVENT_REMOVE;
    default:
      return uapi.UFFD_FEATURE_EVENT_UNMAP;
  }
}

/** The current task will wait for it. The descriptor can not go: its mm's lock is held. */
function postEvent(hart: Hart, event: number, first: number, second: number, third: number): void {
  const { shared, current } = hart;
  const context = shared.get(event + UFFD_EVENT_CONTEXT);
  for (const [i, value] of [first, second, third].entries()) shared.setF64(event + UFFD_EVENT_ARGS + 8 * i, value);
  shared.set(event + UFFD_EVENT_NEXT, 0);
  spinLock(hart, context + UFFD_PENDING + WAITQ_LOCK);
  const tail = shared.get(context + UFFD_EVENT_TAIL);
  if (shared.get(context + UFFD_EVENT_HEAD) === 0) shared.storeRelease(context + UFFD_EVENT_HEAD, event);
  else shared.set(tail + UFFD_EVENT_NEXT, event);
  shared.set(context + UFFD_EVENT_TAIL, event);
  const number = shared.get(context + UFFD_POSTED) + 1;
  shared.storeRelease(context + UFFD_POSTED, number);
  spinUnlock(hart, context + UFFD_PENDING + WAITQ_LOCK);
  mustWait(hart, current, context, number);
  wakeReader(hart, context);
}

/** For the last event of each userfaultfd; of more userfaultfds than there is room for, for the last one. */
function mustWait(hart: Hart, task: number, context: number, number: number): void {
  const { shared } = hart;
  const count = shared.get(task + TASK_UFFD_WAITS);
  const pairs = task + TASK_UFFD_WAIT;
  let i = 0;
  while (i < count && shared.get(pairs + i * TASK_UFFD_WAIT_BYTES) !== context) i++;
  i = Math.min(i, TASK_UFFD_WAITS_MAX - 1);
  shared.set(pairs + i * TASK_UFFD_WAIT_BYTES, context);
  shared.set(pairs + i * TASK_UFFD_WAIT_BYTES + 4, number);
  shared.set(task + TASK_UFFD_WAITS, Math.max(count, i + 1));
}

/** What it was to tell of did not happen. The mm of a fork that failed has gone already. */
function cancelEvent(hart: Hart, event: number): void {
  const child = hart.shared.get(event + UFFD_EVENT_CHILD);
  if (child !== 0) freeContext(hart, child);
  kmemCacheFree(hart, POOL_UFFD_EVENT, event);
}

/** The oldest event, which is the caller's now, or 0. Requires: UFFD_PENDING's lock. */
export function takeEventLocked(hart: Hart, context: number): number {
  const { shared } = hart;
  const event = shared.get(context + UFFD_EVENT_HEAD);
  if (event !== 0) shared.storeRelease(context + UFFD_EVENT_HEAD, shared.get(event + UFFD_EVENT_NEXT));
  return event;
}

/** It could not be read: it is the oldest again. */
export function returnEvent(hart: Hart, context: number, event: number): void {
  const { shared } = hart;
  spinLock(hart, context + UFFD_PENDING + WAITQ_LOCK);
  const head = shared.get(context + UFFD_EVENT_HEAD);
  shared.set(event + UFFD_EVENT_NEXT, head);
  if (head === 0) shared.set(context + UFFD_EVENT_TAIL, event);
  shared.storeRelease(context + UFFD_EVENT_HEAD, event);
  spinUnlock(hart, context + UFFD_PENDING + WAITQ_LOCK);
}

/** `count` events have been read: who waits for them goes on. */
export function eventsWereRead(hart: Hart, context: number, count: number): void {
  if (count === 0) return;
  const waiters = context + UFFD_WAITERS;
  spinLock(hart, waiters + WAITQ_LOCK);
  hart.shared.fetchAdd(context + UFFD_READ, count);
  waitqWakeAll(hart, waiters);
  spinUnlock(hart, waiters + WAITQ_LOCK);
}

/** Has something been posted that nobody has read? (mmap_changing) */
export function isChanging(hart: Hart, context: number): boolean {
  return hart.shared.loadAcquire(context + UFFD_POSTED) !== hart.shared.loadAcquire(context + UFFD_READ);
}

/** A call that may post events: its result comes when they have been read. */
export function afterEvents(handler: Handler): Handler {
  return (hart) => {
    const { shared, current } = hart;
    if (shared.get(current + TASK_UFFD_IS_DONE) === 0) {
      const result = handler(hart);
      if (result === WAIT || shared.get(current + TASK_UFFD_WAITS) === 0) return result;
      shared.setF64(current + TASK_UFFD_RESULT, result);
      shared.set(current + TASK_UFFD_IS_DONE, 1);
    }
    return waitsForReader(hart) ? WAIT : shared.getF64(current + TASK_UFFD_RESULT);
  };
}

/** A call that has to announce what it will do: true while nobody has read that. */
export function mustAnnounce(hart: Hart, announce: () => void): boolean {
  const { shared, current } = hart;
  if (shared.get(current + TASK_UFFD_IS_DONE) === 0) {
    announce();
    if (shared.get(current + TASK_UFFD_WAITS) === 0) return false;
    shared.set(current + TASK_UFFD_IS_DONE, 1);
  }
  return waitsForReader(hart);
}

/** One reader after the other, the last first. Only a fatal signal ends the wait early, by ending the task. */
function waitsForReader(hart: Hart): boolean {
  const { shared, current } = hart;
  finishWait(hart);
  for (let count = shared.get(current + TASK_UFFD_WAITS); count > 0; count--) {
    shared.set(current + TASK_UFFD_WAITS, count);
    const pair = current + TASK_UFFD_WAIT + (count - 1) * TASK_UFFD_WAIT_BYTES;
    if (waitsFor(hart, shared.get(pair), shared.get(pair + 4))) return true;
  }
  shared.set(current + TASK_UFFD_WAITS, 0);
  shared.set(current + TASK_UFFD_IS_DONE, 0);
  return false;
}

function waitsFor(hart: Hart, context: number, number: number): boolean {
  const { shared, current } = hart;
  const waiters = context + UFFD_WAITERS;
  spinLock(hart, waiters + WAITQ_LOCK);
  const waits = ((shared.loadAcquire(context + UFFD_READ) - number) | 0) < 0;
  if (waits) {
    shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
    waitqAdd(hart, waiters);
    shared.storeRelease(current + TASK_STATE, TASK_UNINTERRUPTIBLE);
  }
  spinUnlock(hart, waiters + WAITQ_LOCK);
  return waits;
}
