// fcntl and flock. (Linux: fs/fcntl.c, fs/locks.c)

import {
  FILE_FLAGS,
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_PATH,
  FILE_KIND_PIPE,
  FILE_KIND_REGULAR,
  FILE_OWNER,
  FILE_POSITION,
  FILE_PRIVATE,
  HART_KERNEL_SCRATCH,
  INODE_MAPPING,
  INODE_SUPER,
  MACHINE_BASE,
  MACHINE_SHM_SUPER,
  MAPPING_FLAGS,
  PAGE_BYTES,
  PIPE_LOCK,
  PIPE_PAGES,
  PIPE_PAGES_MAX,
  PIPE_WRITE_QUEUE,
  PROCESS_TGID,
  TASK_FILES,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { contentBytes } from "../../fs/content.ts";
import { EBADF, EBUSY, EFAULT, EINVAL, ENOMEM, EOVERFLOW, EPERM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import {
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
} from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { isReadable, isWritable } from "../file/file.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK, type FileLock, LOCK_END, setFileLock, testFileLock } from "../file/file-locks.ts";
import { duplicateFd, fdFlags, fileLimit, setFdFlags } from "../file/files.ts";
import { pipeResize, pipeUsed } from "../file/pipe-buffer.ts";
import { wakeQueueLocked } from "../file/pipe-end.ts";
import { argAddress, argInt, argUint, loadI64, storeU64 } from "../registers.ts";
import { FD_CLOEXEC, O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME, O_NONBLOCK, SEEK_CUR, SEEK_END } from "../uapi.ts";
import { withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const fcntlCalls: readonly (readonly [number, SystemCall])[] = [
  [25, call("fcntl", ["fd", "int", "hex"], sysFcntl)],
  [32, call("flock", ["fd", "int"], sysFlock)],
];

const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_GETLK = 5;
const F_SETLK = 6;
const F_SETLKW = 7;
const F_SETOWN = 8;
const F_GETOWN = 9;
const F_SETOWN_EX = 15;
const F_GETOWN_EX = 16;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_OFD_SETLKW = 38;
const F_DUPFD_CLOEXEC = 1030;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC;
/** What an O_PATH descriptor knows. */
const PATH_COMMANDS: readonly number[] = [F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL];

function sysFcntl(hart: Hart): number {
  const [fd, command, argument] = [argInt(hart, 0), argInt(hart, 1), argUint(hart, 2)];
  return withFile(hart, fd, (file) => {
    const isPath = hart.shared.get(file + FILE_KIND) === FILE_KIND_PATH;
    if (isPath && !PATH_COMMANDS.includes(command)) return -EBADF;
    return control(hart, fd, file, command, argument);
  });
}

function control(hart: Hart, fd: number, file: number, command: number, argument: number): number {
  const { shared } = hart;
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (argument >= fileLimit(hart)) return -EINVAL;
      return duplicateFd(hart, fd, argument, command === F_DUPFD_CLOEXEC ? FD_CLOEXEC : 0);
    case F_GETFD:
      return fdFlags(hart, fd);
    case F_SETFD:
      setFdFlags(hart, fd, argument & FD_CLOEXEC);
      return 0;
    case F_GETFL:
      return shared.loadOnce(file + FILE_FLAGS);
    case F_SETFL:
      shared.storeOnce(file + FILE_FLAGS, (shared.loadOnce(file + FILE_FLAGS) & ~SETFL_MASK) | (argument & SETFL_MASK));
      return 0;
    case F_GETLK:
    case F_OFD_GETLK:
      return getLock(hart, file, command === F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return setLock(hart, file, command);
    case F_SETOWN:
      shared.storeOnce(file + FILE_OWNER, argument);
      return 0;
    case F_GETOWN:
      return shared.loadOnce(file + FILE_OWNER);
    case F_SETOWN_EX:
    case F_GETOWN_EX:
      return controlOwner(hart, file, command === F_SETOWN_EX);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
      return controlPipe(hart, file, command, argument);
    case F_ADD_SEALS:
    case F_GET_SEALS:
      return controlSeals(hart, file, command, argument);
    default:
      return -EINVAL;
  }
}

// struct f_owner_ex {int type; pid_t pid}
const F_OWNER_PID = 1;
const F_OWNER_PGRP = 2;

/** With the kind of owner beside its number, so that no group looks like an error: what glibc's F_GETOWN asks for. */
function controlOwner(hart: Hart, file: number, sets: boolean): number {
  const { shared } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (sets) {
    if (copyFromUser(hart, scratch, argAddress(hart, 2), 8) < 0) return -EFAULT;
    const [type, pid] = [shared.get(scratch), shared.get(scratch + 4)];
    if (type < 0 || type > F_OWNER_PGRP) return -EINVAL;
    shared.storeOnce(file + FILE_OWNER, type === F_OWNER_PGRP ? -pid : pid);
    return 0;
  }
  const owner = shared.loadOnce(file + FILE_OWNER);
  shared.set(scratch, owner < 0 ? F_OWNER_PGRP : F_OWNER_PID);
  shared.set(scratch + 4, Math.abs(owner));
  return copyToUser(hart, argAddress(hart, 2), scratch, 8) < 0 ? -EFAULT : 0;
}

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

function getLock(hart: Hart, file: number, isOfd: boolean): number {
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

function setLock(hart: Hart, file: number, command: number): number {
  const isOfd = command === F_OFD_SETLK || command === F_OFD_SETLKW;
  const lock = loadLock(hart, file, isOfd);
  if (typeof lock === "number") return lock;
  if (lock.type === F_RDLCK && !isReadable(hart, file)) return -EBADF;
  if (lock.type === F_WRLCK && !isWritable(hart, file)) return -EBADF;
  const waits = command === F_SETLKW || command === F_OFD_SETLKW;
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

/** Bytes of capacity, which are always a power of two of pages; or -errno. (pipe_fcntl) */
function controlPipe(hart: Hart, file: number, command: number, bytes: number): number {
  const { shared } = hart;
  if (shared.get(file + FILE_KIND) !== FILE_KIND_PIPE) return -EBADF;
  const pipe = shared.get(file + FILE_PRIVATE);
  if (command === F_GETPIPE_SZ) return shared.loadOnce(pipe + PIPE_PAGES) * PAGE_BYTES;
  if (bytes > 2 ** 31) return -EINVAL;
  if (bytes > PIPE_PAGES_MAX * PAGE_BYTES) return -EPERM;
  let pages = 1;
  while (pages * PAGE_BYTES < bytes) pages *= 2;
  spinLock(hart, pipe + PIPE_LOCK);
  // What is in the pipe may begin in the middle of a page.
  const fits = pipeUsed(hart, pipe) <= (pages - 1) * PAGE_BYTES || pages >= shared.get(pipe + PIPE_PAGES);
  const done = fits && pipeResize(hart, pipe, pages);
  wakeQueueLocked(hart, pipe + PIPE_WRITE_QUEUE);
  spinUnlock(hart, pipe + PIPE_LOCK);
  if (!fits) return -EBUSY;
  return done ? pages * PAGE_BYTES : -ENOMEM;
}

const SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;

/** Seals of a memfd; other files have none. (memfd_fcntl) */
function controlSeals(hart: Hart, file: number, command: number, seals: number): number {
  const { shared } = hart;
  const inode = shared.get(file + FILE_INODE);
  const isMemfd = shared.get(inode + INODE_SUPER) === shared.get(MACHINE_BASE + MACHINE_SHM_SUPER);
  if (!isMemfd || shared.get(file + FILE_KIND) !== FILE_KIND_REGULAR) return -EINVAL;
  const flags = shared.get(inode + INODE_MAPPING) + MAPPING_FLAGS;
  if (command === F_GET_SEALS) return shared.loadOnce(flags) & SEALS;
  if (!isWritable(hart, file)) return -EPERM;
  if ((seals & ~SEALS) !== 0) return -EINVAL;
  if ((shared.loadOnce(flags) & F_SEAL_SEAL) !== 0) return -EPERM;
  shared.fetchOr(flags, seals);
  return 0;
}
