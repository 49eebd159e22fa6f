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
  POOL_ALLOCS,
  POOL_BASE,
  POOL_BYTES,
  POOL_COUNT,
  POOL_FAILS,
  POOL_FREE,
  POOL_FRESH,
  POOL_LIMIT,
  POOL_LIVE,
  POOL_LOCK,
  POOL_REUSES,
  RCU_FREE_POOL,
  SLOT_NEXT,
} from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";
import { KMEM_CACHES, NONE } from "./kmem-caches.ts";
import { callRcu, type RcuCallback } from "./rcu.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import type { SharedMemory } from "./shared.ts";
import { spinLock, spinUnlock } from "./spinlock.ts";

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
