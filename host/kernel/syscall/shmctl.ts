// shmctl: what there is of segments, and what their owners change. (Linux: ksys_shmctl in ipc/shm.c)

import {
  FILE_INODE,
  HART_BUFFER,
  HART_KERNEL_SCRATCH,
  INODE_MAPPING,
  MAPPING_FLAGS,
  MAPPING_PAGES,
  MAPPING_UNEVICTABLE,
  PAGE_BYTES,
  SHM_ATIME,
  SHM_CGID,
  SHM_COUNT_MAX,
  SHM_CPID,
  SHM_CTIME,
  SHM_CUID,
  SHM_DTIME,
  SHM_FILE,
  SHM_GID,
  SHM_KEY,
  SHM_LPID,
  SHM_MODE,
  SHM_SEGSZ,
  SHM_SEQ,
  SHM_UID,
} from "../../../assembly/layout.ts";
import { EACCES, EFAULT, EINVAL, EPERM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { fput } from "../file/files.ts";
import * as shm from "../memory/shm.ts";
import { argAddress, argInt, storeU64 } from "../registers.ts";

// linux/ipc.h, linux/shm.h
const IPC_RMID = 0;
const IPC_SET = 1;
const IPC_STAT = 2;
const IPC_INFO = 3;
const SHM_LOCK = 11;
const SHM_UNLOCK = 12;
const SHM_STAT = 13;
const SHM_INFO = 14;
const SHM_STAT_ANY = 15;
const SHMMAX = 2n ** 64n - 2n ** 24n; // SHMALL is the same

export function sysShmctl(hart: Hart): number {
  const [id, command, va] = [argInt(hart, 0), argInt(hart, 1), argAddress(hart, 2)];
  if (command < 0 || id < 0) return -EINVAL;
  switch (command) {
    case IPC_INFO:
      return writeLimits(hart, va);
    case SHM_INFO:
      return writeUsage(hart, va);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
      return writeStatus(hart, id, command, va);
    case IPC_SET:
      return setOwner(hart, id, va);
    case IPC_RMID:
      return remove(hart, id);
    case SHM_LOCK:
    case SHM_UNLOCK:
      return setLocked(hart, id, command === SHM_LOCK);
    default:
      return -EINVAL;
  }
}

/** struct shminfo64. */
function writeLimits(hart: Hart, va: number): number {
  const buffer = hart.base + HART_BUFFER;
  hart.core.zeroBytes(buffer, 72);
  hart.shared.u64[buffer >>> 3] = SHMMAX; // shmmax, then shmmin, shmmni, shmseg, shmall
  storeU64(hart, buffer + 8, 1);
  storeU64(hart, buffer + 16, SHM_COUNT_MAX);
  storeU64(hart, buffer + 24, SHM_COUNT_MAX);
  hart.shared.u64[(buffer + 32) >>> 3] = SHMMAX;
  const highest = usage(hart).highest;
  return copyToUser(hart, va, buffer, 72) < 0 ? -EFAULT : highest;
}

/** struct shm_info: used_ids, shm_tot, shm_rss, shm_swp, two unused. */
function writeUsage(hart: Hart, va: number): number {
  const { used, pages, resident, highest } = usage(hart);
  const buffer = hart.base + HART_BUFFER;
  hart.core.zeroBytes(buffer, 48);
  hart.shared.set(buffer, used);
  storeU64(hart, buffer + 8, pages);
  storeU64(hart, buffer + 16, resident);
  return copyToUser(hart, va, buffer, 48) < 0 ? -EFAULT : highest;
}

function usage(hart: Hart): { used: number; pages: number; resident: number; highest: number } {
  const { shared } = hart;
  const sum = { used: 0, pages: 0, resident: 0, highest: 0 };
  spinLock(hart, shm.SHM_LOCK);
  for (let index = 0; index < SHM_COUNT_MAX; index++) {
    const segment = shm.segmentAt(index);
    const file = shared.get(segment + SHM_FILE);
    if (file === 0) continue;
    sum.used++;
    sum.pages += Math.ceil(shared.getF64(segment + SHM_SEGSZ) / PAGE_BYTES);
    sum.resident += shared.loadOnce(mappingOf(hart, segment) + MAPPING_PAGES);
    sum.highest = index;
  }
  spinUnlock(hart, shm.SHM_LOCK);
  return sum;
}

function mappingOf(hart: Hart, segment: number): number {
  const { shared } = hart;
  return shared.get(shared.get(shared.get(segment + SHM_FILE) + FILE_INODE) + INODE_MAPPING);
}

/** struct shmid64_ds. SHM_STAT and SHM_STAT_ANY take a number of the table and return the identifier. */
function writeStatus(hart: Hart, id: number, command: number, va: number): number {
  const byId = command === IPC_STAT;
  const buffer = hart.base + HART_BUFFER;
  spinLock(hart, shm.SHM_LOCK);
  const segment = byId ? shm.findByIdLocked(hart, id) : segmentNumber(hart, id);
  let result = -EINVAL;
  if (segment !== 0) {
    const mayRead = command === SHM_STAT_ANY || shm.isAllowed(hart, segment, 4);
    result = mayRead ? shm.segmentId(hart, segment) : -EACCES;
    if (mayRead) fillStatusLocked(hart, segment, buffer);
  }
  spinUnlock(hart, shm.SHM_LOCK);
  if (result < 0) return result;
  if (copyToUser(hart, va, buffer, 112) < 0) return -EFAULT;
  return byId ? 0 : result;
}

function segmentNumber(hart: Hart, index: number): number {
  const segment = index < SHM_COUNT_MAX ? shm.segmentAt(index) : 0;
  return segment !== 0 && hart.shared.get(segment + SHM_FILE) !== 0 ? segment : 0;
}

const STATUS_WORDS: readonly (readonly [number, number])[] = [
  [0, SHM_KEY],
  [4, SHM_UID],
  [8, SHM_GID],
  [12, SHM_CUID],
  [16, SHM_CGID],
  [20, SHM_MODE],
  [80, SHM_CPID],
  [84, SHM_LPID],
];
const STATUS_NUMBERS: readonly (readonly [number, number])[] = [
  [48, SHM_SEGSZ],
  [56, SHM_ATIME],
  [64, SHM_DTIME],
  [72, SHM_CTIME],
];

function fillStatusLocked(hart: Hart, segment: number, buffer: number): void {
  const { shared } = hart;
  hart.core.zeroBytes(buffer, 112);
  for (const [at, field] of STATUS_WORDS) shared.set(buffer + at, shared.get(segment + field));
  for (const [at, field] of STATUS_NUMBERS) storeU64(hart, buffer + at, shared.getF64(segment + field));
  shared.set(buffer + 24, shared.get(segment + SHM_SEQ));
  storeU64(hart, buffer + 88, shm.attachmentsLocked(hart, segment));
}

function setOwner(hart: Hart, id: number, va: number): number {
  const { shared } = hart;
  const buffer = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, buffer, va, 24) < 0) return -EFAULT;
  return withSegment(hart, id, (segment) => {
    shared.set(segment + SHM_UID, shared.get(buffer + 4));
    shared.set(segment + SHM_GID, shared.get(buffer + 8));
    shared.set(segment + SHM_MODE, (shared.get(segment + SHM_MODE) & ~0o777) | (shared.get(buffer + 20) & 0o777));
    shared.setF64(segment + SHM_CTIME, shm.nowSeconds(hart));
  });
}

function remove(hart: Hart, id: number): number {
  let file = 0;
  const error = withSegment(hart, id, (segment) => {
    file = shm.removeSegmentLocked(hart, segment);
  });
  if (file !== 0) fput(hart, file);
  return error;
}

function setLocked(hart: Hart, id: number, isLocked: boolean): number {
  const { shared } = hart;
  return withSegment(hart, id, (segment) => {
    const mode = shared.get(segment + SHM_MODE);
    shared.set(segment + SHM_MODE, isLocked ? mode | shm.SHM_LOCKED : mode & ~shm.SHM_LOCKED);
    const flags = mappingOf(hart, segment) + MAPPING_FLAGS;
    if (isLocked) shared.fetchOr(flags, MAPPING_UNEVICTABLE);
    else shared.fetchAnd(flags, ~MAPPING_UNEVICTABLE);
  });
}

/** Does `work` under SHM_LOCK with a segment of the caller's own: 0 or -errno. */
function withSegment(hart: Hart, id: number, work: (segment: number) => void): number {
  spinLock(hart, shm.SHM_LOCK);
  const segment = shm.findByIdLocked(hart, id);
  const error = segment === 0 ? -EINVAL : shm.isOwner(hart, segment) ? 0 : -EPERM;
  if (error === 0) work(segment);
  spinUnlock(hart, shm.SHM_LOCK);
  return error;
}
