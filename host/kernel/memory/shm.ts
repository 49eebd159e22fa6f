// System V shared memory: segments. Each has one open file in memory, which its vmas map and count: so the number of
// attachments is the file's count, without the one that the segment itself holds until IPC_RMID. The last vma of a
// removed segment takes it along. (Linux: ipc/shm.c, ipc/util.c)

import {
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_SHM,
  FILE_PRIVATE,
  FILE_REFCOUNT,
  HART_BUFFER,
  INODE_MAPPING,
  MACHINE_BASE,
  MACHINE_BOOT_REALTIME_NS,
  MACHINE_SHM_LOCK,
  PAGE_BYTES,
  PROCESS_TGID,
  SHM_ATIME,
  SHM_BASE,
  SHM_BYTES,
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
  TASK_MM,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { contentTruncate } from "../../fs/content.ts";
import { dput } from "../../fs/dentry.ts";
import { ENFILE, ENOMEM, ENOSPC } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { mappingCommit } from "../../mm/mapping/mapping.ts";
import { enoughMemory } from "../../mm/overcommit.ts";
import type { Hart } from "../../policy/hart.ts";
import { allocFile, getFileNotZero } from "../file/file.ts";
import { defaultOps, type FileOps } from "../file/file-ops.ts";
import { fput } from "../file/files.ts";
import { memoryDentry } from "../file/memory-dentry.ts";
import { currentId, GROUPS, ID_EFFECTIVE, isCapable, USERS } from "../process/cred.ts";
import { O_RDWR } from "../uapi.ts";

export const SHM_LOCK = MACHINE_BASE + MACHINE_SHM_LOCK;
export const IPC_PRIVATE = 0;
export const SHM_DEST = 0o1000; // in SHM_MODE: goes with its last attachment
export const SHM_LOCKED = 0o2000;
/** Identifiers: lives of the record, then its number. (IPCMNI_SHIFT) */
const ID_SHIFT = 15;
const SEQ_MAX = 2 ** 16 - 1;

export const shmOps: FileOps = {
  ...defaultOps,
  mapping: (hart, file) => hart.shared.get(hart.shared.get(file + FILE_INODE) + INODE_MAPPING),
  release: releaseSegment,
};

export function segmentAt(index: number): number {
  return SHM_BASE + index * SHM_BYTES;
}

export function segmentId(hart: Hart, segment: number): number {
  return hart.shared.get(segment + SHM_SEQ) * 2 ** ID_SHIFT + (segment - SHM_BASE) / SHM_BYTES;
}

/** The segment, or 0. Requires: SHM_LOCK. */
export function findByIdLocked(hart: Hart, id: number): number {
  const index = id & ((1 << ID_SHIFT) - 1);
  if (id < 0 || index >= SHM_COUNT_MAX) return 0;
  const segment = segmentAt(index);
  const isThere = hart.shared.get(segment + SHM_FILE) !== 0;
  return isThere && segmentId(hart, segment) === id ? segment : 0;
}

/** The segment of an open file of kind SHM. */
export function segmentOf(hart: Hart, file: number): number {
  return hart.shared.get(file + FILE_PRIVATE);
}

/** The segment, or 0. Requires: SHM_LOCK. */
export function findByKeyLocked(hart: Hart, key: number): number {
  const { shared } = hart;
  for (let index = 0; index < SHM_COUNT_MAX; index++) {
    const segment = segmentAt(index);
    if (shared.get(segment + SHM_FILE) !== 0 && shared.get(segment + SHM_KEY) === key) return segment;
  }
  return 0;
}

/** Vmas that map the segment. Requires: SHM_LOCK. */
export function attachmentsLocked(hart: Hart, segment: number): number {
  const references = hart.shared.loadAcquire(hart.shared.get(segment + SHM_FILE) + FILE_REFCOUNT);
  return (hart.shared.get(segment + SHM_MODE) & SHM_DEST) !== 0 ? references : references - 1;
}

/** May the current process do with the segment what `wanted` (bits of a mode's last digit) says? (ipcperms) */
export function isAllowed(hart: Hart, segment: number, wanted: number): boolean {
  if (isCapable(hart)) return true;
  const { shared } = hart;
  const user = currentId(hart, USERS, ID_EFFECTIVE) | 0;
  const group = currentId(hart, GROUPS, ID_EFFECTIVE) | 0;
  let shift = 0;
  if (user === shared.get(segment + SHM_UID) || user === shared.get(segment + SHM_CUID)) shift = 6;
  else if (group === shared.get(segment + SHM_GID) || group === shared.get(segment + SHM_CGID)) shift = 3;
  return (wanted & ~(shared.get(segment + SHM_MODE) >> shift)) === 0;
}

/** Is it the current process's to change and to remove? (ipcctl_obtain_check) */
export function isOwner(hart: Hart, segment: number): boolean {
  const user = currentId(hart, USERS, ID_EFFECTIVE) | 0;
  const { shared } = hart;
  return user === shared.get(segment + SHM_UID) || user === shared.get(segment + SHM_CUID) || isCapable(hart);
}

/** An open file of `bytes` bytes for a new segment, or -errno. No lock held. */
export function createSegmentFile(hart: Hart, key: number, bytes: number): number {
  const { shared } = hart;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  if (!enoughMemory(hart, shared.get(hart.current + TASK_MM), pages)) return -ENOMEM;
  const name = `SYSV${(key >>> 0).toString(16).padStart(8, "0")}`;
  const buffer = hart.base + HART_BUFFER;
  for (let i = 0; i < name.length; i++) hart.shared.u8[buffer + i] = name.charCodeAt(i);
  const dentry = memoryDentry(hart, buffer, name.length, 0o777);
  if (dentry < 0) return dentry;
  const file = allocFile(hart, FILE_KIND_SHM, O_RDWR, dentry);
  if (file === 0) {
    dput(hart, dentry);
    return -ENFILE;
  }
  const inode = shared.get(file + FILE_INODE);
  const error = contentTruncate(hart, inode, bytes);
  if (error === 0) {
    mappingCommit(hart, shared.get(inode + INODE_MAPPING), pages);
    return file;
  }
  fput(hart, file);
  return error;
}

/** Makes a segment of `file`, whose reference it takes over: its identifier or -ENOSPC. Requires: SHM_LOCK. */
export function addSegmentLocked(hart: Hart, file: number, key: number, bytes: number, mode: number): number {
  const { shared } = hart;
  let index = 0;
  while (index < SHM_COUNT_MAX && shared.get(segmentAt(index) + SHM_FILE) !== 0) index++;
  if (index === SHM_COUNT_MAX) return -ENOSPC;
  const segment = segmentAt(index);
  const [user, group] = [currentId(hart, USERS, ID_EFFECTIVE), currentId(hart, GROUPS, ID_EFFECTIVE)];
  shared.set(segment + SHM_KEY, key);
  shared.set(segment + SHM_UID, user);
  shared.set(segment + SHM_GID, group);
  shared.set(segment + SHM_CUID, user);
  shared.set(segment + SHM_CGID, group);
  shared.set(segment + SHM_MODE, mode & 0o777);
  shared.set(segment + SHM_CPID, currentTgid(hart));
  shared.set(segment + SHM_LPID, 0);
  shared.setF64(segment + SHM_SEGSZ, bytes);
  shared.setF64(segment + SHM_ATIME, 0);
  shared.setF64(segment + SHM_DTIME, 0);
  shared.setF64(segment + SHM_CTIME, nowSeconds(hart));
  shared.set(file + FILE_PRIVATE, segment);
  shared.set(segment + SHM_FILE, file);
  return segmentId(hart, segment);
}

/**
 * IPC_RMID: nobody finds it by its key any more. Returns the file, whose reference is the caller's to drop without the
 * lock, or 0 if it had been removed before. Requires: SHM_LOCK.
 */
export function removeSegmentLocked(hart: Hart, segment: number): number {
  const { shared } = hart;
  const mode = shared.get(segment + SHM_MODE);
  if ((mode & SHM_DEST) !== 0) return 0;
  shared.set(segment + SHM_MODE, mode | SHM_DEST);
  shared.set(segment + SHM_KEY, IPC_PRIVATE);
  return shared.get(segment + SHM_FILE);
}

/** A reference on the file of a segment, or 0: its last attachment is just going. Requires: SHM_LOCK. */
export function getSegmentFileLocked(hart: Hart, segment: number): number {
  const file = hart.shared.get(segment + SHM_FILE);
  return getFileNotZero(hart, file) ? file : 0;
}

/** A vma of `file` comes (SHM_ATIME) or goes (SHM_DTIME); nothing if it is no segment's. (shm_open, shm_close) */
export function noteShmUse(hart: Hart, file: number, field: number): void {
  const { shared } = hart;
  if (shared.get(file + FILE_KIND) !== FILE_KIND_SHM) return;
  const segment = shared.get(file + FILE_PRIVATE);
  spinLock(hart, SHM_LOCK);
  shared.set(segment + SHM_LPID, currentTgid(hart));
  shared.setF64(segment + field, nowSeconds(hart));
  spinUnlock(hart, SHM_LOCK);
}

/** FileOps.release: no segment was made of it, or the last attachment of a removed one has gone. */
function releaseSegment(hart: Hart, file: number): void {
  const { shared } = hart;
  const segment = shared.get(file + FILE_PRIVATE);
  if (segment === 0) return;
  spinLock(hart, SHM_LOCK);
  const seq = shared.get(segment + SHM_SEQ);
  shared.set(segment + SHM_SEQ, seq === SEQ_MAX ? 0 : seq + 1);
  shared.set(segment + SHM_FILE, 0);
  spinUnlock(hart, SHM_LOCK);
}

/** The machine ends: no process is left. */
export function removeAllSegments(hart: Hart): void {
  for (let index = 0; index < SHM_COUNT_MAX; index++) {
    const segment = segmentAt(index);
    if (hart.shared.get(segment + SHM_FILE) !== 0) fput(hart, removeSegmentLocked(hart, segment));
  }
}

export function nowSeconds(hart: Hart): number {
  return Math.floor((hart.clock.now() + hart.shared.getF64(MACHINE_BASE + MACHINE_BOOT_REALTIME_NS)) / 1e9);
}

function currentTgid(hart: Hart): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  return process === 0 ? 0 : hart.shared.get(process + PROCESS_TGID);
}
