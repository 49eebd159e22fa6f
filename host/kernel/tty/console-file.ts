// The host streams behind descriptors 0, 1 and 2, and /dev/console, as files.

import { FILE_FLAGS } from "../../../assembly/layout.ts";
import {
  CONSOLE_IN,
  consoleInputEnded,
  consoleReadable,
  consoleReadReady,
  requestInput,
} from "../../devices/console.ts";
import { ringTail } from "../../devices/ring.ts";
import { ttyReadable } from "../../devices/tty/tty.ts";
import { ENOTTY } from "../../memory/errno.ts";
import { putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { defaultOps, type FileOps } from "../file/file-ops.ts";
import { isTerminal } from "../file/stat.ts";
import { FIONREAD, O_ACCMODE, O_RDONLY, O_WRONLY, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../uapi.ts";
import { readConsole, writeConsole } from "./console-io.ts";
import { receiveTyped } from "./tty-events.ts";
import { controlTty } from "./tty-ioctl.ts";

export const consoleOps: FileOps = {
  ...defaultOps,
  read: (hart, file, buffers) => readConsole(hart, file, buffers),
  write: (hart, file, buffers) => writeConsole(hart, file, buffers),
  poll: pollConsole,
  // Bytes that came from the host, ever.
  edges: (hart) => ringTail(hart.shared, CONSOLE_IN),
  ioctl: (hart, _file, request, va) => {
    if (isTerminal(hart)) return controlTty(hart, request, va);
    return request === FIONREAD ? putUser32(hart, va, consoleReadable(hart)) : -ENOTTY;
  },
};

/** Output is always ready; input is ready when a read would return. The host must be asked for it. */
function pollConsole(hart: Hart, file: number, wanted: number): number {
  const wantsInput = (wanted & (POLLIN | POLLRDNORM)) !== 0;
  if (wantsInput && !isInputReady(hart)) requestInput(hart);
  const mode = hart.shared.loadOnce(file + FILE_FLAGS) & O_ACCMODE;
  const input = mode !== O_WRONLY && isInputReady(hart) ? POLLIN | POLLRDNORM : 0;
  return input | (mode !== O_RDONLY ? POLLOUT | POLLWRNORM : 0);
}

function isInputReady(hart: Hart): boolean {
  if (!isTerminal(hart)) return consoleReadReady(hart);
  receiveTyped(hart);
  return ttyReadable(hart) > 0 || consoleInputEnded(hart);
}
