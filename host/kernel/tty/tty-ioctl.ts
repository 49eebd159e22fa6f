// ioctl on the terminal: modes, window size, process groups. (Linux: drivers/tty/tty_ioctl.c, tty_io.c)

import {
  HART_KERNEL_SCRATCH,
  TERMIOS_BYTES,
  TERMIOS2_BYTES,
  TTY_BASE,
  TTY_COLUMNS,
  TTY_OUTPUT_STOPPED,
  TTY_ROWS,
} from "../../../assembly/layout.ts";
import { consoleUnsent } from "../../devices/console.ts";
import { ttyFlushInput, ttyGetModes, ttyReadable, ttySetModes } from "../../devices/tty/tty.ts";
import { EFAULT, EINVAL, ENOTTY } from "../../memory/errno.ts";
import { copyFromUser, copyToUser, getUser32, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { SIGTTOU } from "../signal/signal-numbers.ts";
import { receiveTyped, resizeTerminal } from "./tty-events.ts";
import {
  acquireTerminal,
  checkForeground,
  foregroundGroup,
  hasTerminal,
  releaseTerminal,
  setForegroundGroup,
  terminalSession,
} from "./tty-job-control.ts";

// asm-generic/ioctls.h
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCSETSW = 0x5403;
const TCSETSF = 0x5404;
const TCSBRK = 0x5409;
const TCXONC = 0x540a;
const TCFLSH = 0x540b;
const TIOCEXCL = 0x540c;
const TIOCNXCL = 0x540d;
const TIOCSCTTY = 0x540e;
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const TIOCOUTQ = 0x5411;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const FIONREAD = 0x541b;
const TIOCNOTTY = 0x5422;
const TIOCGETD = 0x5424;
const TCSBRKP = 0x5425;
const TIOCGSID = 0x5429;
const TCGETS2 = 0x802c542a;
const TCSETS2 = 0x402c542b;
const TCSETSW2 = 0x402c542c;
const TCSETSF2 = 0x402c542d;

const N_TTY = 0;
const TCIFLUSH = 0;
const TCOFLUSH = 1;
const TCIOFLUSH = 2;
const TCOOFF = 0;
const TCOON = 1;
const TCIOFF = 2;
const TCION = 3;
const WINSIZE_BYTES = 8; // {unsigned short rows, columns, xpixel, ypixel}
/** The user-space structs end with fewer bytes than the kernel's could: reserved bytes are read and ignored. */
const MODES_BYTES: ReadonlyMap<number, number> = new Map([
  [TCGETS, TERMIOS_BYTES],
  [TCSETS, TERMIOS_BYTES],
  [TCSETSW, TERMIOS_BYTES],
  [TCSETSF, TERMIOS_BYTES],
  [TCGETS2, TERMIOS2_BYTES],
  [TCSETS2, TERMIOS2_BYTES],
  [TCSETSW2, TERMIOS2_BYTES],
  [TCSETSF2, TERMIOS2_BYTES],
]);

/** Result or -errno; `argument` is a number or an address. Output is never held back, so there is nothing to drain. */
export function controlTty(hart: Hart, request: number, argument: number): number {
  switch (request) {
    case TCGETS:
    case TCGETS2:
      return getModes(hart, argument, MODES_BYTES.get(request) ?? 0);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
      return setModes(hart, request, argument, MODES_BYTES.get(request) ?? 0);
    case TCSBRK:
    case TCSBRKP:
      return checkForeground(hart, SIGTTOU);
    case TCXONC:
      return holdOutput(hart, argument);
    case TCFLSH:
      return flush(hart, argument);
    case TIOCEXCL:
    case TIOCNXCL:
      return 0;
    case TIOCSCTTY:
      return acquireTerminal(hart, argument === 1);
    case TIOCNOTTY:
      return giveUp(hart);
    case TIOCGPGRP:
      return hasTerminal(hart) ? putUser32(hart, argument, foregroundGroup(hart)) : -ENOTTY;
    case TIOCSPGRP:
      return moveToForeground(hart, argument);
    case TIOCGSID:
      return hasTerminal(hart) ? putUser32(hart, argument, terminalSession(hart)) : -ENOTTY;
    case TIOCOUTQ:
      return putUser32(hart, argument, consoleUnsent(hart));
    case FIONREAD:
      receiveTyped(hart);
      return putUser32(hart, argument, ttyReadable(hart));
    case TIOCGWINSZ:
      return getSize(hart, argument);
    case TIOCSWINSZ:
      return setSize(hart, argument);
    case TIOCGETD:
      return putUser32(hart, argument, N_TTY);
    default:
      return -ENOTTY;
  }
}

function getModes(hart: Hart, va: number, bytes: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  ttyGetModes(hart, scratch, bytes);
  return copyToUser(hart, va, scratch, bytes);
}

function setModes(hart: Hart, request: number, va: number, bytes: number): number {
  const refusal = checkForeground(hart, SIGTTOU);
  if (refusal !== 0) return refusal;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, bytes) < 0) return -EFAULT;
  receiveTyped(hart); // under the modes of the time it was typed
  if (request === TCSETSF || request === TCSETSF2) ttyFlushInput(hart);
  ttySetModes(hart, scratch, bytes);
  return 0;
}

function holdOutput(hart: Hart, action: number): number {
  const refusal = checkForeground(hart, SIGTTOU);
  if (refusal !== 0) return refusal;
  if (action === TCOOFF || action === TCOON) {
    hart.shared.storeOnce(TTY_BASE + TTY_OUTPUT_STOPPED, action === TCOOFF ? 1 : 0);
    receiveTyped(hart);
    return 0;
  }
  return action === TCIOFF || action === TCION ? 0 : -EINVAL;
}

function flush(hart: Hart, what: number): number {
  const refusal = checkForeground(hart, SIGTTOU);
  if (refusal !== 0) return refusal;
  if (what !== TCIFLUSH && what !== TCOFLUSH && what !== TCIOFLUSH) return -EINVAL;
  if (what !== TCOFLUSH) {
    receiveTyped(hart);
    ttyFlushInput(hart);
  }
  return 0;
}

/** Only the leader gives it up for its session; for anybody else it would be a private matter that nothing looks at. */
function giveUp(hart: Hart): number {
  if (!hasTerminal(hart)) return -ENOTTY;
  releaseTerminal(hart);
  return 0;
}

function moveToForeground(hart: Hart, va: number): number {
  const refusal = checkForeground(hart, SIGTTOU);
  if (refusal !== 0) return refusal;
  const group = getUser32(hart, va);
  if (group === -EFAULT) return -EFAULT;
  return setForegroundGroup(hart, group | 0);
}

function getSize(hart: Hart, va: number): number {
  const { shared } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  shared.set(scratch, shared.get(TTY_BASE + TTY_ROWS) | (shared.get(TTY_BASE + TTY_COLUMNS) << 16));
  shared.set(scratch + 4, 0);
  return copyToUser(hart, va, scratch, WINSIZE_BYTES);
}

function setSize(hart: Hart, va: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, WINSIZE_BYTES) < 0) return -EFAULT;
  const size = hart.shared.get(scratch);
  resizeTerminal(hart, size >>> 16, size & 0xffff);
  return 0;
}
