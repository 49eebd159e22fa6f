// Descriptors: duplicating and closing them.

import { FD_COUNT_MAX, TASK_FILES } from "../../../assembly/layout.ts";
import { EBADF, EINVAL } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { closeFd, dropDescriptor, duplicateFd, fget, fileLimit, replaceFd, setFdFlags } from "../file/files.ts";
import { argInt, argUint } from "../registers.ts";
import { FD_CLOEXEC, O_CLOEXEC } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const descriptorCalls: readonly (readonly [number, SystemCall])[] = [
  [23, call("dup", ["fd"], sysDup, "fd")],
  [24, call("dup3", ["fd", "fd", "octal"], sysDup3, "fd")],
  [57, call("close", ["fd"], sysClose)],
  [436, call("close_range", ["uint", "uint", "hex"], sysCloseRange)],
];

function sysClose(hart: Hart): number {
  return closeFd(hart, argInt(hart, 0)) ? 0 : -EBADF;
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
    closeFd(hart, fd);
  }
  return 0;
}

function sysDup(hart: Hart): number {
  return duplicateFd(hart, argInt(hart, 0), 0, 0);
}

function sysDup3(hart: Hart): number {
  const [oldFd, newFd, flags] = [argInt(hart, 0), argInt(hart, 1), argInt(hart, 2)];
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  if (oldFd === newFd) return -EINVAL;
  if (newFd < 0 || newFd >= fileLimit(hart)) return -EBADF;
  const file = fget(hart, oldFd);
  if (file === 0) return -EBADF;
  const old = replaceFd(hart, newFd, file, (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
  if (old !== 0) dropDescriptor(hart, hart.shared.get(hart.current + TASK_FILES), old);
  return newFd;
}
