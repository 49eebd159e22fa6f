// The types of kernel objects that have a cache of their own (slab.ts): where their records lie, how many there are,
// and how one goes back.

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
  POOL_ANON_VMA,
  POOL_DENTRY,
  POOL_EPITEM,
  POOL_FILE,
  POOL_FILES,
  POOL_FLOCK,
  POOL_FS,
  POOL_INODE,
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
  POOL_UFFD_EVENT,
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

/** No such field. */
export const NONE = -1;

/** Objects of the cache may be looked at in an RCU read section while they are freed and become others. */
export const SLAB_TYPESAFE_BY_RCU = 1;

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
