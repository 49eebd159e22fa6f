// Locks of files: those of fcntl, which have a range (struct flock), and flock. (Linux: fs/locks.c)

import {
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_PATH,
  FILE_POSITION,
  HART_KERNEL_SCRATCH,
  PROCESS_TGID,
  TASK_FILES,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { contentBytes } from "../../fs/content.ts";
import { EBADF, EFAULT, EINVAL, EOVERFLOW } from "../../memory/errno.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { isReadable, isWritable } from "../file/file.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK, type FileLock, LOCK_END, setFileLock, testFileLock } from "../file/file-locks.ts";
import { argAddress, argInt, loadI64, storeU64 } from "../registers.ts";
import { SEEK_CUR, SEEK_END } from "../uapi.ts";
import { withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const flockCalls: readonly (readonly [number, SystemCall])[] = [[32, call("flock", ["fd", "int"], sysFlock)]];

const FLOCK_BYTES = 32; // struct flock {short type, whence; off_t start, len; pid_t pid}

/** The struct flock at the call's third argument, or -errno. (flock64_to_posix_lock) */
function loadLock(hart: Hart, file: number, isOfd: boolean): FileLock | number {
  const { shared, current } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, argAddress(hart, 2), FLOCK_BYTES) < 0) return -EFAULT;
  const type = shared.get(scratch) & 0xffff;
  const whence = shared.get(scratch) >>> 16;
  const [offset, length] = [loadI64(hart, scratch + 8), loadI64(hart, scratch + 16)];
  if (type > F_UNLCK || whence > SEEK_END) return -EINVAL;
  if (isOfd && shared.get(scratch + 24) !== 0) return -EINVAL;
  let start = offset;
  if (whence === SEEK_CUR) start += shared.getF64(file + FILE_POSITION);
  if (whence === SEEK_END) start += contentBytes(hart, shared.get(file + FILE_INODE));
  const end = length === 0 ? LOCK_END : start + length;
  const from = Math.min(start, end);
  if (from < 0) return -EINVAL;
  if (from > 2 ** 63 - 1) return -EOVERFLOW;
  return {
    type,
    isFlock: false,
    owner: isOfd ? file : shared.get(current + TASK_FILES),
    pid: isOfd ? -1 : shared.get(shared.get(current + TASK_PROCESS) + PROCESS_TGID),
    start: from,
    end: Math.max(start, end),
  };
}

/** F_GETLK, F_OFD_GETLK. */
export function getLock(hart: Hart, file: number, isOfd: boolean): number {
  const lock = loadLock(hart, file, isOfd);
  if (typeof lock === "number") return lock;
  if (lock.type === F_UNLCK) return -EINVAL;
  testFileLock(hart, hart.shared.get(file + FILE_INODE), lock);
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  hart.shared.set(scratch, (hart.shared.get(scratch) & ~0xffff) | lock.type);
  if (lock.type !== F_UNLCK) {
    hart.shared.set(scratch, lock.type);
    storeU64(hart, scratch + 8, lock.start);
    storeU64(hart, scratch + 16, lock.end === LOCK_END ? 0 : lock.end - lock.start);
    hart.shared.set(scratch + 24, lock.pid);
  }
  return copyToUser(hart, argAddress(hart, 2), scratch, FLOCK_BYTES);
}

/** F_SETLK and its kin. */
export function setLock(hart: Hart, file: number, isOfd: boolean, waits: boolean): number {
  const lock = loadLock(hart, file, isOfd);
  if (typeof lock === "number") return lock;
  if (lock.type === F_RDLCK && !isReadable(hart, file)) return -EBADF;
  if (lock.type === F_WRLCK && !isWritable(hart, file)) return -EBADF;
  return setFileLock(hart, hart.shared.get(file + FILE_INODE), lock, waits);
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

function sysFlock(hart: Hart): number {
  const operation = argInt(hart, 1) & ~LOCK_NB;
  const type = operation === LOCK_SH ? F_RDLCK : operation === LOCK_EX ? F_WRLCK : F_UNLCK;
  if (type === F_UNLCK && operation !== LOCK_UN) return -EINVAL;
  return withFile(hart, argInt(hart, 0), (file) => {
    if (hart.shared.get(file + FILE_KIND) === FILE_KIND_PATH) return -EBADF;
    const lock = { type, isFlock: true, owner: file, pid: 0, start: 0, end: LOCK_END };
    return setFileLock(hart, hart.shared.get(file + FILE_INODE), lock, (argInt(hart, 1) & LOCK_NB) === 0);
  });
}
