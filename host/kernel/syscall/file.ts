// Descriptors. The only files are the three host streams behind the console, so paths lead nowhere yet.

import { FD_COUNT_MAX, FILE_FLAGS, TASK_PROCESS } from "../../../assembly/layout.ts";
import { EBADF, EINVAL, ESPIPE } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { readConsole, writeConsole } from "../console-io.ts";
import { fdFlags, fget, fput, installFd, replaceFd, setFdFlags } from "../files.ts";
import { softLimit } from "../process.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { FD_CLOEXEC, O_ACCMODE, O_APPEND, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_WRONLY, RLIMIT_NOFILE } from "../uapi.ts";
import { SINGLE, type UserBuffers } from "../user-buffers.ts";
import { call, type SystemCall } from "./types.ts";

export const fileCalls: readonly (readonly [number, SystemCall])[] = [
  [23, call("dup", ["fd"], sysDup, "fd")],
  [24, call("dup3", ["fd", "fd", "octal"], sysDup3, "fd")],
  [25, call("fcntl", ["fd", "int", "hex"], sysFcntl)],
  [57, call("close", ["fd"], sysClose)],
  [62, call("lseek", ["fd", "long", "int"], sysLseek)],
  [63, call("read", ["fd", "pointer", "size"], sysRead)],
  [64, call("write", ["fd", "text", "size"], sysWrite)],
  [65, call("readv", ["fd", "pointer", "int"], sysReadv)],
  [66, call("writev", ["fd", "pointer", "int"], sysWritev)],
  [67, call("pread64", ["fd", "pointer", "size", "long"], sysPread)],
  [68, call("pwrite64", ["fd", "text", "size", "long"], sysPwrite)],
  [69, call("preadv", ["fd", "pointer", "int", "long"], sysPread)],
  [70, call("pwritev", ["fd", "pointer", "int", "long"], sysPwrite)],
  [82, call("fsync", ["fd"], sysFsync)],
  [83, call("fdatasync", ["fd"], sysFsync)],
];

function sysRead(hart: Hart): number {
  return readFile(hart, { va: argAddress(hart, 1), count: SINGLE, bytes: argAddress(hart, 2) });
}

function sysReadv(hart: Hart): number {
  return readFile(hart, { va: argAddress(hart, 1), count: argInt(hart, 2), bytes: 0 });
}

function sysWrite(hart: Hart): number {
  return writeFile(hart, { va: argAddress(hart, 1), count: SINGLE, bytes: argAddress(hart, 2) });
}

function sysWritev(hart: Hart): number {
  return writeFile(hart, { va: argAddress(hart, 1), count: argInt(hart, 2), bytes: 0 });
}

/** A call that waited looks its descriptor up anew: one closed meanwhile is -EBADF, where Linux still has the file. */
function readFile(hart: Hart, buffers: UserBuffers): number {
  const file = fget(hart, argInt(hart, 0));
  if (file === 0) return -EBADF;
  const isReadable = (hart.shared.loadOnce(file + FILE_FLAGS) & O_ACCMODE) !== O_WRONLY;
  const result = isReadable ? readConsole(hart, file, buffers) : -EBADF;
  fput(hart, file);
  return result;
}

function writeFile(hart: Hart, buffers: UserBuffers): number {
  const file = fget(hart, argInt(hart, 0));
  if (file === 0) return -EBADF;
  const isWritable = (hart.shared.loadOnce(file + FILE_FLAGS) & O_ACCMODE) !== O_RDONLY;
  const result = isWritable ? writeConsole(hart, file, buffers) : -EBADF;
  fput(hart, file);
  return result;
}

/** No file has a position: terminals and pipes. */
function sysLseek(hart: Hart): number {
  return -(isOpen(hart) ? ESPIPE : EBADF);
}

function sysPread(hart: Hart): number {
  return -(isOpen(hart) ? ESPIPE : EBADF);
}

function sysPwrite(hart: Hart): number {
  return -(isOpen(hart) ? ESPIPE : EBADF);
}

function sysFsync(hart: Hart): number {
  return -(isOpen(hart) ? EINVAL : EBADF);
}

function isOpen(hart: Hart): boolean {
  const file = fget(hart, argInt(hart, 0));
  if (file !== 0) fput(hart, file);
  return file !== 0;
}

function sysClose(hart: Hart): number {
  const fd = argInt(hart, 0);
  if (fd < 0 || fd >= FD_COUNT_MAX) return -EBADF;
  const file = replaceFd(hart, fd, 0, 0);
  if (file === 0) return -EBADF;
  fput(hart, file);
  return 0;
}

function sysDup(hart: Hart): number {
  return duplicate(hart, argInt(hart, 0), 0, 0);
}

function sysDup3(hart: Hart): number {
  const [oldFd, newFd, flags] = [argInt(hart, 0), argInt(hart, 1), argInt(hart, 2)];
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  if (oldFd === newFd) return -EINVAL;
  if (newFd < 0 || newFd >= fileLimit(hart)) return -EBADF;
  const file = fget(hart, oldFd);
  if (file === 0) return -EBADF;
  const old = replaceFd(hart, newFd, file, (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
  if (old !== 0) fput(hart, old);
  return newFd;
}

function duplicate(hart: Hart, fd: number, from: number, flags: number): number {
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const result = installFd(hart, file, from, fileLimit(hart), flags);
  if (result < 0) fput(hart, file);
  return result;
}

function fileLimit(hart: Hart): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  return Math.min(softLimit(hart.shared, process, RLIMIT_NOFILE), FD_COUNT_MAX);
}

const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const SETFL_MASK = O_APPEND | O_NONBLOCK;

function sysFcntl(hart: Hart): number {
  const [fd, command, argument] = [argInt(hart, 0), argInt(hart, 1), argUint(hart, 2)];
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const result = control(hart, fd, file, command, argument);
  fput(hart, file);
  return result;
}

function control(hart: Hart, fd: number, file: number, command: number, argument: number): number {
  const { shared } = hart;
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (argument >= fileLimit(hart)) return -EINVAL;
      return duplicate(hart, fd, argument, command === F_DUPFD_CLOEXEC ? FD_CLOEXEC : 0);
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
    default:
      return -EINVAL;
  }
}
