// Object caches: one per type of kernel object, each with its own records at fixed addresses, so a record never becomes
// an object of another type. A free record is linked through SLOT_NEXT, last freed first reused; records that were
// never used are not touched, so they cost no host memory. (Linux: kmem_cache, mm/slub.c)
//
// When may a record be reused? Three ways to give one back, and what they let a reader without a reference do:
//
//   kmemCacheFree                        at once       nobody looks any more: the last reference is gone
//   kmemCacheFree, SLAB_TYPESAFE_BY_RCU  at once       in a read section it may be looked at: it is still of its type,
//                                                      but perhaps another object. Count it in, then check that it is
//                                                      the one that was meant
//   kmemCacheFreeRcu                     after a grace period: what a read section finds stays until its end

import {
  ANON_VMA_BASE,
  ANON_VMA_BYTES,
  ANON_VMA_COUNT_MAX,
  DENTRY_BASE,
  DENTRY_BYTES,
  DENTRY_COUNT_MAX,
  EPITEM_BASE,
  EPITEM_BYTES,
  EPITEM_COUNT_MAX,
  FILE_BASE,
  FILE_BYTES,
  FILE_COUNT_MAX,
  FILES_BASE,
  FILES_BYTES,
  FILES_COUNT_MAX,
  FLOCK_BASE,
  FLOCK_BYTES,
  FLOCK_COUNT_MAX,
  FS_BASE,
  FS_BYTES,
  FS_COUNT_MAX,
  INODE_BASE,
  INODE_BYTES,
  INODE_COUNT_MAX,
  MAPPING_BASE,
  MAPPING_BYTES,
  MAPPING_COUNT_MAX,
  MM_BASE,
  MM_BYTES,
  MM_COUNT_MAX,
  MM_GENERATION,
  NAME_BASE,
  NAME_BYTES,
  NAME_COUNT_MAX,
  PIPE_BASE,
  PIPE_BYTES,
  PIPE_COUNT_MAX,
  POOL_ALLOCS,
  POOL_ANON_VMA,
  POOL_BASE,
  POOL_BYTES,
  POOL_COUNT,
  POOL_DENTRY,
  POOL_EPITEM,
  POOL_FAILS,
  POOL_FILE,
  POOL_FILES,
  POOL_FLOCK,
  POOL_FREE,
  POOL_FRESH,
  POOL_FS,
  POOL_INODE,
  POOL_LIMIT,
  POOL_LIVE,
  POOL_LOCK,
  POOL_MAPPING,
  POOL_MM,
  POOL_NAME,
  POOL_PIPE,
  POOL_PROCESS,
  POOL_REUSES,
  POOL_SIGHAND,
  POOL_SIGQUEUE,
  POOL_TASK,
  POOL_TIMER,
  POOL_UFFD,
  POOL_UFFD_EVENT,
  POOL_VMA,
  POOL_VMA_LOCK,
  POOL_VMA_NODE,
  PROCESS_BASE,
  PROCESS_BYTES,
  PROCESS_COUNT_MAX,
  RCU_FREE_POOL,
  RWSEM_BASE,
  RWSEM_BYTES,
  RWSEM_COUNT_MAX,
  SIGHAND_BASE,
  SIGHAND_BYTES,
  SIGHAND_COUNT_MAX,
  SIGQUEUE_BASE,
  SIGQUEUE_BYTES,
  SIGQUEUE_COUNT_MAX,
  SLOT_NEXT,
  TASK_BASE,
  TASK_BYTES,
  TASK_COUNT_MAX,
  TASK_RCU_HEAD,
  TIMER_BASE,
  TIMER_BYTES,
  TIMER_COUNT_MAX,
  TIMER_RCU_HEAD,
  UFFD_BASE,
  UFFD_BYTES,
  UFFD_COUNT_MAX,
  UFFD_EVENT_BASE,
  UFFD_EVENT_BYTES,
  UFFD_EVENT_COUNT_MAX,
  VMA_BASE,
  VMA_BYTES,
  VMA_COUNT_MAX,
  VMA_GENERATION,
  VMA_NODE_BASE,
  VMA_NODE_BYTES,
  VMA_NODE_COUNT_MAX,
  VMA_NODE_RCU_HEAD,
  VMA_RCU_HEAD,
} from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";
import { callRcu, type RcuCallback } from "./rcu.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import type { SharedMemory } from "./shared.ts";
import { spinLock, spinUnlock } from "./spinlock.ts";

/** Objects of the cache may be looked at in an RCU read section while they are freed and become others. */
export const SLAB_TYPESAFE_BY_RCU = 1;

/** No such field. */
const NONE = -1;

export interface KmemCache {
  /** As in Linux's /proc/slabinfo. */
  readonly name: string;
  readonly base: number;
  readonly objectBytes: number;
  readonly limit: number;
  readonly flags: number;
  /** Field that counts the objects a record has been, or NONE: its user keeps it when it zeroes the record. */
  readonly generation: number;
  /** RCU_HEAD of the record, or NONE: then it cannot wait for a grace period. */
  readonly rcuHead: number;
}

/** By POOL_*. */
export const KMEM_CACHES: readonly KmemCache[] = caches();

function caches(): KmemCache[] {
  const table: KmemCache[] = [];
  const add = (pool: number, name: string, base: number, objectBytes: number, limit: number, more = {}) => {
    table[pool] = { name, base, objectBytes, limit, flags: 0, generation: NONE, rcuHead: NONE, ...more };
  };
  const typesafe = { flags: SLAB_TYPESAFE_BY_RCU };
  add(POOL_MM, "mm_struct", MM_BASE, MM_BYTES, MM_COUNT_MAX, { generation: MM_GENERATION });
  // Of the policies of vma-lock, one reuses vmas at once, the others wait for a grace period.
  const vma = { ...typesafe, generation: VMA_GENERATION, rcuHead: VMA_RCU_HEAD };
  add(POOL_VMA, "vm_area_struct", VMA_BASE, VMA_BYTES, VMA_COUNT_MAX, vma);
  const node = { rcuHead: VMA_NODE_RCU_HEAD };
  add(POOL_VMA_NODE, "maple_node", VMA_NODE_BASE, VMA_NODE_BYTES, VMA_NODE_COUNT_MAX, node);
  add(POOL_VMA_LOCK, "vma_lock", RWSEM_BASE, RWSEM_BYTES, RWSEM_COUNT_MAX);
  // Whoever follows a page to one of these takes its lock, and then looks whether it still is the page's.
  add(POOL_ANON_VMA, "anon_vma", ANON_VMA_BASE, ANON_VMA_BYTES, ANON_VMA_COUNT_MAX, typesafe);
  add(POOL_MAPPING, "address_space", MAPPING_BASE, MAPPING_BYTES, MAPPING_COUNT_MAX, typesafe);
  add(POOL_UFFD, "userfaultfd_ctx_cache", UFFD_BASE, UFFD_BYTES, UFFD_COUNT_MAX);
  add(POOL_UFFD_EVENT, "userfaultfd_event", UFFD_EVENT_BASE, UFFD_EVENT_BYTES, UFFD_EVENT_COUNT_MAX);
  add(POOL_TASK, "task_struct", TASK_BASE, TASK_BYTES, TASK_COUNT_MAX, { rcuHead: TASK_RCU_HEAD });
  add(POOL_PROCESS, "signal_cache", PROCESS_BASE, PROCESS_BYTES, PROCESS_COUNT_MAX);
  add(POOL_SIGHAND, "sighand_cache", SIGHAND_BASE, SIGHAND_BYTES, SIGHAND_COUNT_MAX);
  add(POOL_SIGQUEUE, "sigqueue", SIGQUEUE_BASE, SIGQUEUE_BYTES, SIGQUEUE_COUNT_MAX);
  add(POOL_TIMER, "posix_timers_cache", TIMER_BASE, TIMER_BYTES, TIMER_COUNT_MAX, { rcuHead: TIMER_RCU_HEAD });
  add(POOL_FILES, "files_cache", FILES_BASE, FILES_BYTES, FILES_COUNT_MAX);
  add(POOL_FILE, "filp", FILE_BASE, FILE_BYTES, FILE_COUNT_MAX, typesafe);
  add(POOL_FS, "fs_cache", FS_BASE, FS_BYTES, FS_COUNT_MAX);
  add(POOL_INODE, "inode_cache", INODE_BASE, INODE_BYTES, INODE_COUNT_MAX);
  add(POOL_DENTRY, "dentry", DENTRY_BASE, DENTRY_BYTES, DENTRY_COUNT_MAX);
  add(POOL_NAME, "names_cache", NAME_BASE, NAME_BYTES, NAME_COUNT_MAX);
  add(POOL_PIPE, "pipe_inode_info", PIPE_BASE, PIPE_BYTES, PIPE_COUNT_MAX);
  add(POOL_FLOCK, "file_lock_cache", FLOCK_BASE, FLOCK_BYTES, FLOCK_COUNT_MAX);
  add(POOL_EPITEM, "eventpoll_epi", EPITEM_BASE, EPITEM_BYTES, EPITEM_COUNT_MAX);
  return table;
}

/** Before any hart runs: sets the capacity of every cache. */
export function initKmemCaches(shared: SharedMemory): void {
  for (let pool = 0; pool < POOL_COUNT; pool++) {
    shared.set(POOL_BASE + pool * POOL_BYTES + POOL_LIMIT, KMEM_CACHES[pool].limit);
  }
}

/**
 * An object of cache `pool`, or 0 when there is none left (ENOMEM or EAGAIN to the guest). Its bytes are whatever the
 * last object there left (zero if there was none): the caller initialises every field.
 */
export function kmemCacheAlloc(hart: HartLocal, pool: number): number {
  const { shared } = hart;
  if (SCHEDULE_POINTS && shared.scheduler?.allocationFails()) return 0;
  const descriptor = POOL_BASE + pool * POOL_BYTES;
  spinLock(hart, descriptor + POOL_LOCK);
  let object = shared.get(descriptor + POOL_FREE);
  if (object !== 0) {
    shared.set(descriptor + POOL_FREE, shared.get(object + SLOT_NEXT));
    countLocked(shared, descriptor + POOL_REUSES, 1);
  } else {
    const fresh = shared.get(descriptor + POOL_FRESH);
    if (fresh < shared.get(descriptor + POOL_LIMIT)) {
      shared.set(descriptor + POOL_FRESH, fresh + 1);
      object = kmemCacheObject(pool, fresh);
    }
  }
  if (object !== 0) {
    countLocked(shared, descriptor + POOL_LIVE, 1);
    countLocked(shared, descriptor + POOL_ALLOCS, 1);
  } else countLocked(shared, descriptor + POOL_FAILS, 1);
  spinUnlock(hart, descriptor + POOL_LOCK);
  if (SCHEDULE_POINTS && object !== 0) shared.observer?.allocated(pool, object);
  return object;
}

/** The record may be another object of its type at once. */
export function kmemCacheFree(hart: HartLocal, pool: number, object: number): void {
  const { shared } = hart;
  const { generation } = KMEM_CACHES[pool];
  const descriptor = POOL_BASE + pool * POOL_BYTES;
  if (generation !== NONE) countLocked(shared, object + generation, 1);
  if (SCHEDULE_POINTS) shared.observer?.freed(pool, object);
  spinLock(hart, descriptor + POOL_LOCK);
  shared.set(object + SLOT_NEXT, shared.get(descriptor + POOL_FREE));
  shared.set(descriptor + POOL_FREE, object);
  countLocked(shared, descriptor + POOL_LIVE, -1);
  spinUnlock(hart, descriptor + POOL_LOCK);
}

/** The record may be another object after a grace period. Until then its RCU_HEAD is not the caller's. (kfree_rcu) */
export function kmemCacheFreeRcu(hart: HartLocal, pool: number, object: number): void {
  callRcu(hart, object + KMEM_CACHES[pool].rcuHead, RCU_FREE_POOL + pool);
}

/**
 * What is due after the grace period of an object of `pool`. `release`: gives back what the object holds; should the
 * machine stop meanwhile, it is called once more.
 */
export function afterGracePeriod(pool: number, release?: (hart: HartLocal, object: number) => void): RcuCallback {
  const { rcuHead } = KMEM_CACHES[pool];
  return (hart, head) => {
    release?.(hart, head - rcuHead);
    kmemCacheFree(hart, pool, head - rcuHead);
  };
}

/** Address of record number `index` of a cache, handed out or not. */
export function kmemCacheObject(pool: number, index: number): number {
  return KMEM_CACHES[pool].base + index * KMEM_CACHES[pool].objectBytes;
}

/** Objects in use; a hint unless the machine is quiet. */
export function kmemCacheLive(shared: SharedMemory, pool: number): number {
  return shared.get(POOL_BASE + pool * POOL_BYTES + POOL_LIVE);
}

/** Counts of a cache; a hint unless the machine is quiet. */
export interface KmemCacheCounts {
  readonly live: number;
  /** Records that are, or have been, an object: the most there ever were at once. */
  readonly touched: number;
  readonly allocs: number;
  /** Of these, in a record that had been another object. */
  readonly reuses: number;
  readonly fails: number;
}

export function kmemCacheCounts(shared: SharedMemory, pool: number): KmemCacheCounts {
  const word = (field: number) => shared.get(POOL_BASE + pool * POOL_BYTES + field) >>> 0;
  return {
    live: word(POOL_LIVE),
    touched: word(POOL_FRESH),
    allocs: word(POOL_ALLOCS),
    reuses: word(POOL_REUSES),
    fails: word(POOL_FAILS),
  };
}

/** Requires: POOL_LOCK, or the object is the caller's alone. */
function countLocked(shared: SharedMemory, address: number, change: number): void {
  shared.set(address, shared.get(address) + change);
}
