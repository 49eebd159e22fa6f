// What makes two futex words the same futex. A key is two 32-bit words:
//
//   private                    LO = va, low 32 bits | KEY_PRIVATE     HI = mm | va, upper bits
//   not private, private page  LO = va, low 32 bits | KEY_MM_SHARED   HI = mm | va, upper bits
//   not private, of a mapping  LO = offset in the mapping, low 32 bits | KEY_MAPPING    HI = mapping | upper bits
//
// The word is aligned to 4, so the kind fits into the low bits; an mm record is aligned to 1024 and va < 2^38, so the
// upper 6 bits of va fit below the mm. An offset is below 2^42, a mapping below 2^29 and aligned to 128: its number and
// 10 bits fit one word. As in Linux (get_futex_key), a private and a shared operation on one word of private memory do
// not meet. A mapping stays while the vma does, which whoever waits keeps; its pages may come and go.
//
// Keys of the call in progress live in the hart block (HART_FUTEX_KEY), so that no object is made for them.

import {
  FUTEX_BASE,
  FUTEX_BUCKET_BYTES,
  FUTEX_BUCKET_COUNT,
  HART_FUTEX_KEY,
  MM_LOCK_SEQ,
  PAGE_BYTES,
  TASK_MM,
  TASK_WAIT_KEY_HI,
  TASK_WAIT_KEY_LO,
  VM_MAYSHARE,
  VMA_FLAGS,
  VMA_MAPPING,
  VMA_START,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { mmapReadLock, mmapReadUnlock } from "../../mm/lock.ts";
import { getUser32 } from "../../mm/uaccess.ts";
import { TASK_BYTES_USER } from "../../mm/uapi.ts";
import { vmaPgoffAt } from "../../mm/vma/vma.ts";
import { vmaFind } from "../../mm/vma/vma-map.ts";
import type { Hart } from "../../policy/hart.ts";

const KEY_PRIVATE = 0;
const KEY_MM_SHARED = 1;
const KEY_MAPPING = 2;
const KEY_BYTES = 8;
/** MAPPING_BYTES = 1 << 7. */
const MAPPING_NUMBER_SHIFT = 7;
const OFFSET_HIGH_BITS = 10;

/** Computes key `which` (0 or 1) of the word at `va`. 0, -EINVAL if it is not aligned, -EFAULT. No lock held. */
export function futexKey(hart: Hart, va: number, isPrivate: boolean, which: number): number {
  if (va % 4 !== 0) return -EINVAL;
  if (va >= TASK_BYTES_USER) return -EFAULT;
  const mm = hart.shared.get(hart.current + TASK_MM);
  const high = mm | (va / 2 ** 32);
  if (isPrivate) {
    storeKey(hart, which, va | 0 | KEY_PRIVATE, high);
    return 0;
  }
  // The word must be there: the access check of get_user_pages_fast.
  if (getUser32(hart, va) < 0) return -EFAULT;
  if (!mappingKey(hart, mm, va, which)) storeKey(hart, which, va | 0 | KEY_MM_SHARED, high);
  return 0;
}

/** Address of the bucket (a WAITQ) of key `which`. */
export function futexBucket(hart: Hart, which: number): number {
  const { shared, base } = hart;
  const key = base + HART_FUTEX_KEY + which * KEY_BYTES;
  let hash = Math.imul(shared.get(key) ^ Math.imul(shared.get(key + 4), 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 15;
  return FUTEX_BASE + (hash & (FUTEX_BUCKET_COUNT - 1)) * FUTEX_BUCKET_BYTES;
}

/** Does `task` wait for key `which`? Requires: the bucket's lock. */
export function hasFutexKey(hart: Hart, task: number, which: number): boolean {
  const { shared, base } = hart;
  const key = base + HART_FUTEX_KEY + which * KEY_BYTES;
  return (
    shared.get(task + TASK_WAIT_KEY_LO) === shared.get(key) &&
    shared.get(task + TASK_WAIT_KEY_HI) === shared.get(key + 4)
  );
}

/** `task` waits for key `which` from now on. Requires: the bucket's lock. */
export function setFutexKey(hart: Hart, task: number, which: number): void {
  const { shared, base } = hart;
  const key = base + HART_FUTEX_KEY + which * KEY_BYTES;
  shared.set(task + TASK_WAIT_KEY_LO, shared.get(key));
  shared.set(task + TASK_WAIT_KEY_HI, shared.get(key + 4));
}

/** True if both keys name one futex. */
export function sameFutexKey(hart: Hart): boolean {
  const { shared, base } = hart;
  const key = base + HART_FUTEX_KEY;
  return shared.get(key) === shared.get(key + KEY_BYTES) && shared.get(key + 4) === shared.get(key + KEY_BYTES + 4);
}

function storeKey(hart: Hart, which: number, lo: number, hi: number): void {
  const key = hart.base + HART_FUTEX_KEY + which * KEY_BYTES;
  hart.shared.set(key, lo);
  hart.shared.set(key + 4, hi);
}

/** The key of a word in a mapping that others can share; false: the memory is private. */
function mappingKey(hart: Hart, mm: number, va: number, which: number): boolean {
  const { shared } = hart;
  // Without a lock; what was found holds if nobody had mmap_lock for write meanwhile (the record of the vma may have
  // become another's). Else once more, with it. (Linux: mmap_lock_speculate_try_begin)
  const seq = shared.loadAcquire(mm + MM_LOCK_SEQ);
  if ((seq & 1) === 0) {
    rcuReadLock(hart);
    const isShared = mappingKeyOf(hart, mm, va, which);
    rcuReadUnlock(hart);
    if (shared.loadAcquire(mm + MM_LOCK_SEQ) === seq) return isShared;
  }
  mmapReadLock(hart, mm);
  const isShared = mappingKeyOf(hart, mm, va, which);
  mmapReadUnlock(hart, mm);
  return isShared;
}

function mappingKeyOf(hart: Hart, mm: number, va: number, which: number): boolean {
  const { shared } = hart;
  const vpn = Math.floor(va / PAGE_BYTES);
  const vma = vmaFind(hart, mm, vpn);
  const hit = vma !== 0 && shared.get(vma + VMA_START) <= vpn;
  const isShared = hit && (shared.get(vma + VMA_FLAGS) & VM_MAYSHARE) !== 0;
  if (isShared) {
    const offset = vmaPgoffAt(hart, vma, vpn) * PAGE_BYTES + (va % PAGE_BYTES);
    const number = shared.get(vma + VMA_MAPPING) >>> MAPPING_NUMBER_SHIFT;
    storeKey(hart, which, offset | 0 | KEY_MAPPING, (number << OFFSET_HIGH_BITS) | (offset / 2 ** 32));
  }
  return isShared;
}
