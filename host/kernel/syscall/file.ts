// Descriptors: duplicating, closing, flags.

import { FD_COUNT_MAX, FILE_FLAGS } from "../../../assembly/layout.ts";
import { EBADF, EINVAL } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { fdFlags, fget, fileLimit, fput, installFd, replaceFd, setFdFlags } from "../files.ts";
import { argInt, argUint } from "../registers.ts";
import { FD_CLOEXEC, O_APPEND, O_CLOEXEC, O_DIRECT, O_NOATIME, O_NONBLOCK } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const fileCalls: readonly (readonly [number, SystemCall])[] = [
  [23, call("dup", ["fd"], sysDup, "fd")],
  [24, call("dup3", ["fd", "fd", "octal"], sysDup3, "fd")],
  [25, call("fcntl", ["fd", "int", "hex"], sysFcntl)],
  [57, call("close", ["fd"], sysClose)],
  [436, call("close_range", ["uint", "uint", "hex"], sysCloseRange)],
];

function sysClose(hart: Hart): number {
  const fd = argInt(hart, 0);
  if (fd < 0 || fd >= FD_COUNT_MAX) return -EBADF;
  const file = replaceFd(hart, fd, 0, 0);
  if (file === 0) return -EBADF;
  fput(hart, file);
  return 0;
}

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

function sysCloseRange(hart: Hart): number {
  const [first, last, flags] = [argUint(hart, 0), argUint(hart, 1), argUint(hart, 2)];
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0) return -EINVAL;
  if (first > last) return -EINVAL;
  for (let fd = first; fd <= Math.min(last, FD_COUNT_MAX - 1); fd++) {
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) {
      setFdFlags(hart, fd, FD_CLOEXEC);
      continue;
    }
    const file = replaceFd(hart, fd, 0, 0);
    if (file !== 0) fput(hart, file);
  }
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

const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

function sysFcntl(hart: Hart): number {
  const [fd, command, argument] = [argInt(hart, 0), argInt(hart, 1), argUint(hart, 2)];
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  try {
    return control(hart, fd, file, command, argument);
  } finally {
    fput(hart, file);
  }
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
