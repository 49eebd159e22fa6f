// ioctl on the console. It is a terminal only if the host's is; else every request is ENOTTY but those that any
// descriptor knows. There is no line discipline: the terminal keeps the mode that the host gave it.

import {
  FILE_FLAGS,
  HART_BUFFER,
  HART_KERNEL_SCRATCH,
  MACHINE_BASE,
  MACHINE_CONSOLE_COLUMNS,
  MACHINE_CONSOLE_ROWS,
  PROCESS_PGID,
  PROCESS_SID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { consoleReadable } from "../../devices/console.ts";
import { EBADF, EFAULT, ENOTTY } from "../../memory/errno.ts";
import { copyToUser, getUser32, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { fget, fput, setFdFlags } from "../files.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { isTerminal } from "../stat.ts";
import { FD_CLOEXEC, O_NONBLOCK } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const ioctlCalls: readonly (readonly [number, SystemCall])[] = [
  [29, call("ioctl", ["fd", "hex", "pointer"], sysIoctl)],
];

// asm-generic/ioctls.h
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCSETSF = 0x5404;
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const TIOCGWINSZ = 0x5413;
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const TIOCGSID = 0x5429;
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
    case FIONREAD:
      return putUser32(hart, va, consoleReadable(hart));
    default:
      return isTerminal(hart) ? controlTerminal(hart, request, va) : -ENOTTY;
  }
}

function setNonblocking(hart: Hart, file: number, on: number): number {
  if (on < 0) return -EFAULT;
  if (on !== 0) hart.shared.fetchOr(file + FILE_FLAGS, O_NONBLOCK);
  else hart.shared.fetchAnd(file + FILE_FLAGS, ~O_NONBLOCK);
  return 0;
}

function controlTerminal(hart: Hart, request: number, va: number): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  switch (request) {
    case TCGETS:
      return getTermios(hart, va);
    case TIOCGWINSZ:
      return getWindowSize(hart, va);
    case TIOCGPGRP:
      return putUser32(hart, va, hart.shared.get(process + PROCESS_PGID));
    case TIOCGSID:
      return putUser32(hart, va, hart.shared.get(process + PROCESS_SID));
    case TIOCSPGRP:
      return getUser32(hart, va) < 0 ? -EFAULT : 0;
    default:
      // Accepted without effect: see the head of this file.
      return request >= TCSETS && request <= TCSETSF ? acceptTermios(hart, va) : -ENOTTY;
  }
}

const TERMIOS_BYTES = 36; // {u32 iflag, oflag, cflag, lflag; u8 line, cc[19]}
const OPOST_ONLCR = 0o5;
const B38400_CS8_CREAD = 0o17 | 0o60 | 0o200;
const CC_OFFSET = 17;
const VMIN = 6;

/** Raw input, no echo; output as a terminal shows it. */
function getTermios(hart: Hart, va: number): number {
  const { shared, base } = hart;
  const termios = base + HART_BUFFER;
  hart.core.zeroBytes(termios, TERMIOS_BYTES);
  shared.set(termios + 4, OPOST_ONLCR);
  shared.set(termios + 8, B38400_CS8_CREAD);
  shared.u8[termios + CC_OFFSET + VMIN] = 1;
  return copyToUser(hart, va, termios, TERMIOS_BYTES);
}

function acceptTermios(hart: Hart, va: number): number {
  return getUser32(hart, va) < 0 ? -EFAULT : 0;
}

/** struct winsize {u16 rows, columns, x pixels, y pixels}. */
function getWindowSize(hart: Hart, va: number): number {
  const { shared } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const rows = shared.loadOnce(MACHINE_BASE + MACHINE_CONSOLE_ROWS) & 0xffff;
  const columns = shared.loadOnce(MACHINE_BASE + MACHINE_CONSOLE_COLUMNS) & 0xffff;
  shared.set(scratch, rows | (columns << 16));
  shared.set(scratch + 4, 0);
  return copyToUser(hart, va, scratch, 8);
}
