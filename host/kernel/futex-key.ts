// What makes two futex words the same futex. A key is two 32-bit words:
//
//   private                    LO = va, low 32 bits | KEY_PRIVATE     HI = mm | va, upper bits
//   not private, private page  LO = va, low 32 bits | KEY_MM_SHARED   HI = mm | va, upper bits
//   not private, shared page   LO = physical address | KEY_FRAME      HI = 0
//
// The word is aligned to 4, so the kind fits into the low bits; an mm record is aligned to 1024 and va < 2^38, so the
// upper 6 bits of va fit below the mm. As in Linux (get_futex_key), a private and a shared operation on one word of
// private memory do not meet. A shared mapping's frame stays while somebody has it mapped, so it can be the name.
//
// Keys of the call in progress live in the hart block (HART_FUTEX_KEY), so that no object is made for them.

import {
  ACCESS_LOAD,
  FUTEX_BASE,
  FUTEX_BUCKET_BYTES,
  FUTEX_BUCKET_COUNT,
  HART_FUTEX_KEY,
  PAGE_BYTES,
  TASK_MM,
  TASK_WAIT_KEY_HI,
  TASK_WAIT_KEY_LO,
  VM_SHARED,
  VMA_FLAGS,
  VMA_START,
} from "../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../memory/rcu.ts";
import { getUser32 } from "../mm/uaccess.ts";
import { TASK_BYTES_USER } from "../mm/uapi.ts";
import { vmaFind } from "../mm/vma-map.ts";
import type { Hart } from "../policy/hart.ts";

const KEY_PRIVATE = 0;
const KEY_MM_SHARED = 1;
const KEY_FRAME = 2;
const KEY_BYTES = 8;

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
  for (;;) {
    if (!isSharedMapping(hart, mm, va)) {
      if (getUser32(hart, va) < 0) return -EFAULT;
      storeKey(hart, which, va | 0 | KEY_MM_SHARED, high);
      return 0;
    }
    const pa = hart.core.userAddress(va, ACCESS_LOAD);
    if (pa !== 0) {
      storeKey(hart, which, pa | KEY_FRAME, 0);
      return 0;
    }
    if (getUser32(hart, va) < 0) return -EFAULT;
  }
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

function isSharedMapping(hart: Hart, mm: number, va: number): boolean {
  const vpn = Math.floor(va / PAGE_BYTES);
  rcuReadLock(hart);
  const vma = vmaFind(hart, mm, vpn);
  const hit = vma !== 0 && hart.shared.get(vma + VMA_START) <= vpn;
  const isShared = hit && (hart.shared.get(vma + VMA_FLAGS) & VM_SHARED) !== 0;
  rcuReadUnlock(hart);
  return isShared;
}
