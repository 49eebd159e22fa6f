// Advisory locks on files: records of ranges (fcntl), owned by a descriptor table or, as OFD locks, by an open file;
// and flock, owned by an open file. Each inode has a list under INODE_LOCK; who waits for a lock waits on one queue of
// the machine, which every unlock wakes. Deadlocks are not looked for. (Linux: fs/locks.c)

import {
  FLOCK_END,
  FLOCK_IS_FLOCK,
  FLOCK_NEXT,
  FLOCK_OWNER,
  FLOCK_PID,
  FLOCK_START,
  FLOCK_TYPE,
  INODE_LOCK,
  INODE_LOCKS,
  MACHINE_BASE,
  MACHINE_LOCK_WAITERS,
  POOL_FLOCK,
  TASK_RESTART_CALL,
  TASK_SYSCALL,
  WAITQ_HEAD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { EAGAIN, ENOLCK, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, isRestart, WAIT, waitqAdd, wakeUpAll } from "../sched/wait.ts";

// l_type (asm-generic/fcntl.h)
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
/** End of a range that has none. */
export const LOCK_END = Number.POSITIVE_INFINITY;

const WAITERS = MACHINE_BASE + MACHINE_LOCK_WAITERS;

/** A lock that is wanted, or asked about. */
export interface FileLock {
  type: number;
  readonly isFlock: boolean;
  readonly owner: number;
  pid: number;
  start: number;
  end: number;
}

/** Takes, changes or gives up a lock of `inode`: 0, -EAGAIN, -errno, or WAIT if `waits`. No lock held. */
export function setFileLock(hart: Hart, inode: number, wanted: FileLock, waits: boolean): number {
  const { shared, current } = hart;
  if (isRestart(hart, shared.get(current + TASK_SYSCALL))) finishWait(hart);
  // Changing a lock in the middle leaves two pieces beside the new one.
  const spare = [kmemCacheAlloc(hart, POOL_FLOCK), kmemCacheAlloc(hart, POOL_FLOCK)];
  spinLock(hart, inode + INODE_LOCK);
  const isBlocked = wanted.type !== F_UNLCK && findConflict(hart, inode, wanted) !== 0;
  let result = 0;
  if (isBlocked) result = waits ? waitLocked(hart) : -EAGAIN;
  else if (spare.includes(0)) result = -ENOLCK;
  else replaceOwn(hart, inode, wanted, spare);
  spinUnlock(hart, inode + INODE_LOCK);
  for (const record of spare) if (record !== 0) kmemCacheFree(hart, POOL_FLOCK, record);
  if (result === 0) wakeWaiters(hart);
  return result;
}

/** F_GETLK: `wanted` becomes the lock that is in its way, or F_UNLCK. */
export function testFileLock(hart: Hart, inode: number, wanted: FileLock): void {
  const { shared } = hart;
  spinLock(hart, inode + INODE_LOCK);
  const found = findConflict(hart, inode, wanted);
  wanted.type = found === 0 ? F_UNLCK : shared.get(found + FLOCK_TYPE);
  if (found !== 0) {
    wanted.start = shared.getF64(found + FLOCK_START);
    wanted.end = shared.getF64(found + FLOCK_END);
    wanted.pid = shared.get(found + FLOCK_PID);
  }
  spinUnlock(hart, inode + INODE_LOCK);
}

/** Everything that `owner` has locked of `inode` is free: a descriptor or an open file is closed. */
export function dropFileLocks(hart: Hart, inode: number, owner: number): void {
  const { shared } = hart;
  if (shared.loadOnce(inode + INODE_LOCKS) === 0) return;
  spinLock(hart, inode + INODE_LOCK);
  let link = inode + INODE_LOCKS;
  for (let lock = shared.get(link); lock !== 0; lock = shared.get(link)) {
    if (shared.get(lock + FLOCK_OWNER) !== owner) {
      link = lock + FLOCK_NEXT;
      continue;
    }
    shared.set(link, shared.get(lock + FLOCK_NEXT));
    kmemCacheFree(hart, POOL_FLOCK, lock);
  }
  spinUnlock(hart, inode + INODE_LOCK);
  wakeWaiters(hart);
}

/** Requires: INODE_LOCK. */
function findConflict(hart: Hart, inode: number, wanted: FileLock): number {
  const { shared } = hart;
  for (let lock = shared.get(inode + INODE_LOCKS); lock !== 0; lock = shared.get(lock + FLOCK_NEXT)) {
    if ((shared.get(lock + FLOCK_IS_FLOCK) !== 0) !== wanted.isFlock) continue;
    if (shared.get(lock + FLOCK_OWNER) === wanted.owner) continue;
    if (shared.get(lock + FLOCK_TYPE) === F_RDLCK && wanted.type === F_RDLCK) continue;
    if (shared.getF64(lock + FLOCK_START) < wanted.end && shared.getF64(lock + FLOCK_END) > wanted.start) return lock;
  }
  return 0;
}

/**
 * The owner's locks are cut where `wanted` is, joined with it where they are alike, and it is added. Takes what it
 * needs of `spare`. Requires: INODE_LOCK.
 */
function replaceOwn(hart: Hart, inode: number, wanted: FileLock, spare: number[]): void {
  const { shared } = hart;
  let { start, end } = wanted;
  let link = inode + INODE_LOCKS;
  for (let lock = shared.get(link); lock !== 0; lock = shared.get(link)) {
    const [from, to] = [shared.getF64(lock + FLOCK_START), shared.getF64(lock + FLOCK_END)];
    // An open file may own locks of both kinds, which know nothing of each other.
    const isKind = (shared.get(lock + FLOCK_IS_FLOCK) !== 0) === wanted.isFlock;
    const isOwn = isKind && shared.get(lock + FLOCK_OWNER) === wanted.owner && to >= start && from <= end;
    const isAlike = isOwn && shared.get(lock + FLOCK_TYPE) === wanted.type;
    if (!isOwn || (!isAlike && (to === start || from === end))) {
      link = lock + FLOCK_NEXT;
    } else if (isAlike || (from >= start && to <= end)) {
      if (isAlike) [start, end] = [Math.min(start, from), Math.max(end, to)];
      shared.set(link, shared.get(lock + FLOCK_NEXT));
      kmemCacheFree(hart, POOL_FLOCK, lock);
    } else {
      if (from < start && to > end)
        insert(hart, inode, spare, { ...wanted, type: shared.get(lock + FLOCK_TYPE), start: end, end: to });
      if (from < start) shared.setF64(lock + FLOCK_END, start);
      else shared.setF64(lock + FLOCK_START, end);
      link = lock + FLOCK_NEXT;
    }
  }
  if (wanted.type !== F_UNLCK) insert(hart, inode, spare, { ...wanted, start, end });
}

function insert(hart: Hart, inode: number, spare: number[], lock: FileLock): void {
  const { shared } = hart;
  const record = spare.pop() ?? 0;
  shared.set(record + FLOCK_TYPE, lock.type);
  shared.set(record + FLOCK_IS_FLOCK, lock.isFlock ? 1 : 0);
  shared.set(record + FLOCK_OWNER, lock.owner);
  shared.set(record + FLOCK_PID, lock.pid);
  shared.setF64(record + FLOCK_START, lock.start);
  shared.setF64(record + FLOCK_END, lock.end);
  shared.set(record + FLOCK_NEXT, shared.get(inode + INODE_LOCKS));
  shared.set(inode + INODE_LOCKS, record);
}

/** Requires: INODE_LOCK, which whoever unlocks takes before it wakes. */
function waitLocked(hart: Hart): number {
  const { shared, current } = hart;
  if (signalPending(hart)) return -ERESTARTSYS;
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  spinLock(hart, WAITERS + WAITQ_LOCK);
  waitqAdd(hart, WAITERS);
  spinUnlock(hart, WAITERS + WAITQ_LOCK);
  return WAIT;
}

function wakeWaiters(hart: Hart): void {
  if (hart.shared.loadOnce(WAITERS + WAITQ_HEAD) === 0) return;
  wakeUpAll(hart, WAITERS);
}
