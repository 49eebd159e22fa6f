// epoll: a set of files to look at, kept in the kernel. An instance has a list of items under its FILE_LOCK; a wait
// looks at all of them, as poll does, and sleeps on the queue of pollers. So it costs what poll costs, without the
// copying. An item has no reference to its file: one that has been closed is not looked at any more. (Linux:
// fs/eventpoll.c)

import {
  EPITEM_DATA_HI,
  EPITEM_DATA_LO,
  EPITEM_EDGES,
  EPITEM_EVENTS,
  EPITEM_FD,
  EPITEM_FILE,
  EPITEM_NEXT,
  EPITEM_SEEN,
  EPITEM_SERIAL,
  FILE_KIND,
  FILE_KIND_DIRECTORY,
  FILE_KIND_EPOLL,
  FILE_KIND_REGULAR,
  FILE_LOCK,
  FILE_PRIVATE,
  FILE_SERIAL,
  HART_BUFFER,
  POOL_EPITEM,
} from "../../../assembly/layout.ts";
import { EEXIST, EINVAL, ENOENT, ENOSPC, EPERM } from "../../memory/errno.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM } from "../uapi.ts";
import { opsOf } from "./file-kinds.ts";
import { defaultOps, type FileOps } from "./file-ops.ts";
import { fget, fput } from "./files.ts";

export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
const EPOLLEXCLUSIVE = 1 << 28;
const EPOLLWAKEUP = 1 << 29;
const EPOLLONESHOT = 1 << 30;
const EPOLLET = 1 << 31;
const ALWAYS = POLLERR | POLLHUP;
const EXCLUSIVE_BITS = POLLIN | POLLOUT | ALWAYS | EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLET;
export const EPOLL_EVENT_BYTES = 16; // {u32 events, u64 data} with natural alignment

export const epollOps: FileOps = {
  ...defaultOps,
  poll: (hart, file) => (collect(hart, file, 1, false, false) > 0 ? POLLIN | POLLRDNORM : 0),
  release: releaseEpoll,
};

/** epoll_ctl, with the event's words: 0 or -errno. `file` is open as `fd`. */
export function controlEpoll(hart: Hart, epoll: number, operation: number, fd: number, file: number): number {
  const { shared } = hart;
  const kind = shared.get(file + FILE_KIND);
  if (kind === FILE_KIND_REGULAR || kind === FILE_KIND_DIRECTORY) return -EPERM;
  // Instances that watch each other would go round in circles.
  if (kind === FILE_KIND_EPOLL) return -EINVAL;
  const event = hart.base + HART_BUFFER;
  const isExclusive = operation !== EPOLL_CTL_DEL && (shared.get(event) & EPOLLEXCLUSIVE) !== 0;
  if (isExclusive && (operation === EPOLL_CTL_MOD || (shared.get(event) & ~EXCLUSIVE_BITS) !== 0)) return -EINVAL;
  const spare = operation === EPOLL_CTL_ADD ? kmemCacheAlloc(hart, POOL_EPITEM) : 0;
  spinLock(hart, epoll + FILE_LOCK);
  const link = findLink(hart, epoll, fd);
  const item = shared.get(link);
  const isLive = item !== 0 && isOf(hart, item, file);
  let drop = spare;
  let result = 0;
  if (operation === EPOLL_CTL_ADD) {
    if (isLive) result = -EEXIST;
    else if (spare === 0) result = -ENOSPC;
    else {
      shared.set(spare + EPITEM_NEXT, item === 0 ? 0 : shared.get(item + EPITEM_NEXT));
      shared.set(spare + EPITEM_FILE, file);
      shared.set(spare + EPITEM_SERIAL, shared.get(file + FILE_SERIAL));
      shared.set(spare + EPITEM_FD, fd);
      setEvent(hart, spare, event);
      shared.set(link, spare);
      drop = item; // of a file that had this number before
    }
  } else if (!isLive) {
    result = -ENOENT;
  } else if (operation === EPOLL_CTL_MOD && (shared.get(item + EPITEM_EVENTS) & EPOLLEXCLUSIVE) !== 0) {
    result = -EINVAL;
  } else if (operation === EPOLL_CTL_MOD) {
    setEvent(hart, item, event);
  } else {
    shared.set(link, shared.get(item + EPITEM_NEXT));
    drop = item;
  }
  spinUnlock(hart, epoll + FILE_LOCK);
  if (drop !== 0) kmemCacheFree(hart, POOL_EPITEM, drop);
  return result;
}

function setEvent(hart: Hart, item: number, event: number): void {
  const { shared } = hart;
  shared.set(item + EPITEM_EVENTS, shared.get(event));
  shared.set(item + EPITEM_DATA_LO, shared.get(event + 8));
  shared.set(item + EPITEM_DATA_HI, shared.get(event + 12));
  shared.set(item + EPITEM_SEEN, 0);
}

function isOf(hart: Hart, item: number, file: number): boolean {
  const { shared } = hart;
  return shared.get(item + EPITEM_FILE) === file && shared.get(item + EPITEM_SERIAL) === shared.get(file + FILE_SERIAL);
}

/** Address of the word that leads to the item, or to the 0 at the end of the list. Requires: FILE_LOCK. */
function findLink(hart: Hart, epoll: number, fd: number): number {
  const { shared } = hart;
  let link = epoll + FILE_PRIVATE;
  for (let item = shared.get(link); item !== 0; item = shared.get(link)) {
    if (shared.get(item + EPITEM_FD) === fd) break;
    link = item + EPITEM_NEXT;
  }
  return link;
}

/**
 * Writes the events of up to `countMax` ready items to HART_BUFFER: how many. `takes`: what is reported only once is
 * used up. A descriptor that leads elsewhere by now is no longer watched.
 */
export function collect(hart: Hart, epoll: number, countMax: number, waits: boolean, takes: boolean): number {
  const { shared } = hart;
  const buffer = hart.base + HART_BUFFER;
  let count = 0;
  for (let index = 0; count < countMax; index++) {
    const item = itemAt(hart, epoll, index);
    if (item === 0) break;
    const wanted = shared.get(item + EPITEM_EVENTS);
    const ready = reportOf(hart, item, wanted, waits, takes);
    if (ready === 0) continue;
    shared.set(buffer + count * EPOLL_EVENT_BYTES, ready);
    shared.set(buffer + count * EPOLL_EVENT_BYTES + 4, 0);
    shared.set(buffer + count * EPOLL_EVENT_BYTES + 8, shared.get(item + EPITEM_DATA_LO));
    shared.set(buffer + count * EPOLL_EVENT_BYTES + 12, shared.get(item + EPITEM_DATA_HI));
    if (takes && (wanted & EPOLLONESHOT) !== 0) shared.set(item + EPITEM_EVENTS, 0);
    count++;
  }
  return count;
}

function itemAt(hart: Hart, epoll: number, index: number): number {
  const { shared } = hart;
  spinLock(hart, epoll + FILE_LOCK);
  let item = shared.get(epoll + FILE_PRIVATE);
  for (let i = 0; i < index && item !== 0; i++) item = shared.get(item + EPITEM_NEXT);
  spinUnlock(hart, epoll + FILE_LOCK);
  return item;
}

/** What is to be reported of an item now, 0: nothing. */
function reportOf(hart: Hart, item: number, wanted: number, waits: boolean, takes: boolean): number {
  if (wanted === 0) return 0;
  const file = fget(hart, hart.shared.get(item + EPITEM_FD));
  if (file === 0) return 0;
  let ready = 0;
  if (isOf(hart, item, file)) {
    const ops = opsOf(hart, file);
    const isEdge = (wanted & EPOLLET) !== 0;
    // Before the look at its state: what happens between the two is an event of its own.
    const edges = isEdge ? ops.edges(hart, file, wanted) | 0 : 0;
    ready = ops.poll(hart, file, waits ? wanted : 0) & (wanted | ALWAYS);
    if (isEdge && !isFresh(hart, item, ready, edges, takes)) ready = 0;
  }
  fput(hart, file);
  return ready;
}

/** Has anything happened to an edge-triggered item since it was last reported? `takes`: it is reported now. */
function isFresh(hart: Hart, item: number, ready: number, edges: number, takes: boolean): boolean {
  const { shared } = hart;
  const before = shared.get(item + EPITEM_EDGES) === edges ? shared.get(item + EPITEM_SEEN) : 0;
  if (takes || (ready & before) !== before) {
    shared.set(item + EPITEM_SEEN, takes ? ready : ready & before);
    shared.set(item + EPITEM_EDGES, edges);
  }
  return (ready & ~before) !== 0;
}

function releaseEpoll(hart: Hart, file: number): void {
  const { shared } = hart;
  for (let item = shared.get(file + FILE_PRIVATE); item !== 0; ) {
    const next = shared.get(item + EPITEM_NEXT);
    kmemCacheFree(hart, POOL_EPITEM, item);
    item = next;
  }
}
