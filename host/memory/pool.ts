// Slot allocators of fixed capacity: one descriptor per object type, records at fixed addresses. A free slot is linked
// through SLOT_NEXT, last freed first reused; slots that were never used are not touched, so they cost no host memory.

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
  NAME_BASE,
  NAME_BYTES,
  NAME_COUNT_MAX,
  PIPE_BASE,
  PIPE_BYTES,
  PIPE_COUNT_MAX,
  POOL_ANON_VMA,
  POOL_BASE,
  POOL_BYTES,
  POOL_COUNT,
  POOL_DENTRY,
  POOL_EPITEM,
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
  POOL_SIGHAND,
  POOL_SIGQUEUE,
  POOL_TASK,
  POOL_TIMER,
  POOL_UFFD,
  POOL_VMA,
  POOL_VMA_LOCK,
  POOL_VMA_NODE,
  PROCESS_BASE,
  PROCESS_BYTES,
  PROCESS_COUNT_MAX,
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
  TIMER_BASE,
  TIMER_BYTES,
  TIMER_COUNT_MAX,
  UFFD_BASE,
  UFFD_BYTES,
  UFFD_COUNT_MAX,
  VMA_BASE,
  VMA_BYTES,
  VMA_COUNT_MAX,
  VMA_NODE_BASE,
  VMA_NODE_BYTES,
  VMA_NODE_COUNT_MAX,
} from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import type { SharedMemory } from "./shared.ts";
import { spinLock, spinUnlock } from "./spinlock.ts";

interface PoolShape {
  readonly base: number;
  readonly slotBytes: number;
  readonly limit: number;
}

const SHAPES: readonly PoolShape[] = shapes();

function shapes(): PoolShape[] {
  const table: PoolShape[] = [];
  table[POOL_PROCESS] = { base: PROCESS_BASE, slotBytes: PROCESS_BYTES, limit: PROCESS_COUNT_MAX };
  table[POOL_SIGHAND] = { base: SIGHAND_BASE, slotBytes: SIGHAND_BYTES, limit: SIGHAND_COUNT_MAX };
  table[POOL_FILES] = { base: FILES_BASE, slotBytes: FILES_BYTES, limit: FILES_COUNT_MAX };
  table[POOL_FILE] = { base: FILE_BASE, slotBytes: FILE_BYTES, limit: FILE_COUNT_MAX };
  table[POOL_MM] = { base: MM_BASE, slotBytes: MM_BYTES, limit: MM_COUNT_MAX };
  table[POOL_TASK] = { base: TASK_BASE, slotBytes: TASK_BYTES, limit: TASK_COUNT_MAX };
  table[POOL_VMA] = { base: VMA_BASE, slotBytes: VMA_BYTES, limit: VMA_COUNT_MAX };
  table[POOL_VMA_NODE] = { base: VMA_NODE_BASE, slotBytes: VMA_NODE_BYTES, limit: VMA_NODE_COUNT_MAX };
  table[POOL_SIGQUEUE] = { base: SIGQUEUE_BASE, slotBytes: SIGQUEUE_BYTES, limit: SIGQUEUE_COUNT_MAX };
  table[POOL_MAPPING] = { base: MAPPING_BASE, slotBytes: MAPPING_BYTES, limit: MAPPING_COUNT_MAX };
  table[POOL_INODE] = { base: INODE_BASE, slotBytes: INODE_BYTES, limit: INODE_COUNT_MAX };
  table[POOL_DENTRY] = { base: DENTRY_BASE, slotBytes: DENTRY_BYTES, limit: DENTRY_COUNT_MAX };
  table[POOL_NAME] = { base: NAME_BASE, slotBytes: NAME_BYTES, limit: NAME_COUNT_MAX };
  table[POOL_FS] = { base: FS_BASE, slotBytes: FS_BYTES, limit: FS_COUNT_MAX };
  table[POOL_PIPE] = { base: PIPE_BASE, slotBytes: PIPE_BYTES, limit: PIPE_COUNT_MAX };
  table[POOL_FLOCK] = { base: FLOCK_BASE, slotBytes: FLOCK_BYTES, limit: FLOCK_COUNT_MAX };
  table[POOL_EPITEM] = { base: EPITEM_BASE, slotBytes: EPITEM_BYTES, limit: EPITEM_COUNT_MAX };
  table[POOL_TIMER] = { base: TIMER_BASE, slotBytes: TIMER_BYTES, limit: TIMER_COUNT_MAX };
  table[POOL_ANON_VMA] = { base: ANON_VMA_BASE, slotBytes: ANON_VMA_BYTES, limit: ANON_VMA_COUNT_MAX };
  table[POOL_UFFD] = { base: UFFD_BASE, slotBytes: UFFD_BYTES, limit: UFFD_COUNT_MAX };
  table[POOL_VMA_LOCK] = { base: RWSEM_BASE, slotBytes: RWSEM_BYTES, limit: RWSEM_COUNT_MAX };
  return table;
}

/** Before any hart runs: sets the capacity of every pool. */
export function initPools(shared: SharedMemory): void {
  for (let pool = 0; pool < POOL_COUNT; pool++) {
    shared.set(POOL_BASE + pool * POOL_BYTES + POOL_LIMIT, SHAPES[pool].limit);
  }
}

/**
 * Address of a slot of `pool`, or 0 when it is exhausted (ENOMEM or EAGAIN to the guest). The slot's bytes are
 * whatever the last user left (zero if there was none): the caller initialises every field.
 */
export function poolAlloc(hart: HartLocal, pool: number): number {
  const { shared } = hart;
  if (SCHEDULE_POINTS && shared.scheduler?.allocationFails()) return 0;
  const descriptor = POOL_BASE + pool * POOL_BYTES;
  spinLock(hart, descriptor + POOL_LOCK);
  let slot = shared.get(descriptor + POOL_FREE);
  if (slot !== 0) {
    shared.set(descriptor + POOL_FREE, shared.get(slot + SLOT_NEXT));
  } else {
    const fresh = shared.get(descriptor + POOL_FRESH);
    if (fresh < shared.get(descriptor + POOL_LIMIT)) {
      shared.set(descriptor + POOL_FRESH, fresh + 1);
      slot = SHAPES[pool].base + fresh * SHAPES[pool].slotBytes;
    }
  }
  if (slot !== 0) shared.set(descriptor + POOL_LIVE, shared.get(descriptor + POOL_LIVE) + 1);
  spinUnlock(hart, descriptor + POOL_LOCK);
  if (SCHEDULE_POINTS && slot !== 0) shared.observer?.allocated(pool, slot);
  return slot;
}

export function poolFree(hart: HartLocal, pool: number, slot: number): void {
  const { shared } = hart;
  const descriptor = POOL_BASE + pool * POOL_BYTES;
  if (SCHEDULE_POINTS) shared.observer?.freed(pool, slot);
  spinLock(hart, descriptor + POOL_LOCK);
  shared.set(slot + SLOT_NEXT, shared.get(descriptor + POOL_FREE));
  shared.set(descriptor + POOL_FREE, slot);
  shared.set(descriptor + POOL_LIVE, shared.get(descriptor + POOL_LIVE) - 1);
  spinUnlock(hart, descriptor + POOL_LOCK);
}

/** Address of slot number `index` of a pool, handed out or not. */
export function poolSlot(pool: number, index: number): number {
  return SHAPES[pool].base + index * SHAPES[pool].slotBytes;
}

/** Slots in use; a hint unless the machine is quiet. */
export function poolLive(shared: SharedMemory, pool: number): number {
  return shared.get(POOL_BASE + pool * POOL_BYTES + POOL_LIVE);
}
