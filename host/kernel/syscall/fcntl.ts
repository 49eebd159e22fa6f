// fcntl. (Linux: fs/fcntl.c)

import {
  FILE_FLAGS,
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_PATH,
  FILE_KIND_PIPE,
  FILE_KIND_REGULAR,
  FILE_OWNER,
  FILE_PRIVATE,
  HART_KERNEL_SCRATCH,
  INODE_MAPPING,
  INODE_MODE,
  INODE_SUPER,
  MACHINE_BASE,
  MACHINE_SHM_SUPER,
  PAGE_BYTES,
  PIPE_LOCK,
  PIPE_PAGES,
  PIPE_PAGES_MAX,
  PIPE_WRITE_QUEUE,
} from "../../../assembly/layout.ts";
import { EXECUTE_BITS } from "../../fs/uapi.ts";
import { EBADF, EBUSY, EFAULT, EINVAL, ENOMEM, EPERM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { addSeals, getSeals } from "../../mm/mapping/seals.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import { F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_WRITE } from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { isWritable } from "../file/file.ts";
import { duplicateFd, fdFlags, fileLimit, setFdFlags } from "../file/files.ts";
import { pipeResize, pipeUsed } from "../file/pipe-buffer.ts";
import { wakeQueueLocked } from "../file/pipe-end.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { FD_CLOEXEC, O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME, O_NONBLOCK } from "../uapi.ts";
import { withFile } from "./at-path.ts";
import { getLock, setLock } from "./flock.ts";
import { call, type SystemCall } from "./types.ts";

export const fcntlCalls: readonly (readonly [number, SystemCall])[] = [
  [25, call("fcntl", ["fd", "int", "hex"], sysFcntl)],
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
/** What F_SEAL_EXEC brings along for a file that may be executed. */
const FROZEN = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
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
      return setLock(hart, file, false, command === F_SETLKW);
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return setLock(hart, file, true, command === F_OFD_SETLKW);
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

/** Seals of a memfd; other files have none. (memfd_fcntl) */
function controlSeals(hart: Hart, file: number, command: number, wanted: number): number {
  const { shared } = hart;
  const inode = shared.get(file + FILE_INODE);
  const isMemfd = shared.get(inode + INODE_SUPER) === shared.get(MACHINE_BASE + MACHINE_SHM_SUPER);
  if (!isMemfd || shared.get(file + FILE_KIND) !== FILE_KIND_REGULAR) return -EINVAL;
  const mapping = shared.get(inode + INODE_MAPPING);
  if (command === F_GET_SEALS) return getSeals(hart, mapping);
  if (!isWritable(hart, file)) return -EPERM;
  // What may be executed and must stay so must not be changed either.
  const isFrozen = (wanted & F_SEAL_EXEC) !== 0 && (shared.get(inode + INODE_MODE) & EXECUTE_BITS) !== 0;
  return addSeals(hart, mapping, isFrozen ? wanted | FROZEN : wanted);
}
