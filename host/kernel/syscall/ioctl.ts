// ioctl: what every descriptor knows, and what its kind of file does.

import { FILE_FLAGS } from "../../../assembly/layout.ts";
import { consoleReadable } from "../../devices/console.ts";
import { EBADF, EFAULT, ENOTTY } from "../../memory/errno.ts";
import { getUser32, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { fget, fput, setFdFlags } from "../files.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { isTerminal } from "../stat.ts";
import { controlTty } from "../tty-ioctl.ts";
import { FD_CLOEXEC, O_NONBLOCK } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const ioctlCalls: readonly (readonly [number, SystemCall])[] = [
  [29, call("ioctl", ["fd", "hex", "pointer"], sysIoctl)],
];

// asm-generic/ioctls.h
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;

function sysIoctl(hart: Hart): number {
  const fd = argInt(hart, 0);
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const result = control(hart, fd, file, argUint(hart, 1), argAddress(hart, 2));
  fput(hart, file);
  return result;
}

function control(hart: Hart, fd: number, file: number, request: number, va: number): number {
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      setFdFlags(hart, fd, request === FIOCLEX ? FD_CLOEXEC : 0);
      return 0;
    case FIONBIO:
      return setNonblocking(hart, file, getUser32(hart, va));
    default:
      if (isTerminal(hart)) return controlTty(hart, request, va);
      return request === FIONREAD ? putUser32(hart, va, consoleReadable(hart)) : -ENOTTY;
  }
}

function setNonblocking(hart: Hart, file: number, on: number): number {
  if (on < 0) return -EFAULT;
  if (on !== 0) hart.shared.fetchOr(file + FILE_FLAGS, O_NONBLOCK);
  else hart.shared.fetchAnd(file + FILE_FLAGS, ~O_NONBLOCK);
  return 0;
}
