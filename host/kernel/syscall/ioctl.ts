// ioctl. What any descriptor knows is done here; the rest is the file's own.

import { FILE_FLAGS, FILE_KIND, FILE_KIND_PATH } from "../../../assembly/layout.ts";
import { EBADF, EFAULT } from "../../memory/errno.ts";
import { getUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { opsOf } from "../file/file-kinds.ts";
import { fget, fput, setFdFlags } from "../file/files.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { FD_CLOEXEC, O_NONBLOCK } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const ioctlCalls: readonly (readonly [number, SystemCall])[] = [
  [29, call("ioctl", ["fd", "hex", "pointer"], sysIoctl)],
];

// asm-generic/ioctls.h
const FIONBIO = 0x5421;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;

function sysIoctl(hart: Hart): number {
  const fd = argInt(hart, 0);
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  try {
    return control(hart, fd, file, argUint(hart, 1), argAddress(hart, 2));
  } finally {
    fput(hart, file);
  }
}

function control(hart: Hart, fd: number, file: number, request: number, va: number): number {
  if (hart.shared.get(file + FILE_KIND) === FILE_KIND_PATH) return -EBADF;
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      setFdFlags(hart, fd, request === FIOCLEX ? FD_CLOEXEC : 0);
      return 0;
    case FIONBIO:
      return setNonblocking(hart, file, getUser32(hart, va));
    default:
      return opsOf(hart, file).ioctl(hart, file, request, va);
  }
}

function setNonblocking(hart: Hart, file: number, on: number): number {
  if (on < 0) return -EFAULT;
  if (on !== 0) hart.shared.fetchOr(file + FILE_FLAGS, O_NONBLOCK);
  else hart.shared.fetchAnd(file + FILE_FLAGS, ~O_NONBLOCK);
  return 0;
}
