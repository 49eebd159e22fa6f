// The operations of each kind of file. A switch and not a table, because the modules of the kinds need files.ts, which
// needs this one.

import {
  FILE_KIND,
  FILE_KIND_CONSOLE,
  FILE_KIND_DIRECTORY,
  FILE_KIND_EPOLL,
  FILE_KIND_EVENTFD,
  FILE_KIND_FULL,
  FILE_KIND_NULL,
  FILE_KIND_PATH,
  FILE_KIND_PIDFD,
  FILE_KIND_PIPE,
  FILE_KIND_PROC,
  FILE_KIND_RANDOM,
  FILE_KIND_REGULAR,
  FILE_KIND_SHM,
  FILE_KIND_SIGNALFD,
  FILE_KIND_TIMERFD,
  FILE_KIND_USERFAULTFD,
  FILE_KIND_ZERO,
} from "../../../assembly/layout.ts";
import { EBADF } from "../../memory/errno.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { Hart } from "../../policy/hart.ts";
import { shmOps } from "../memory/shm.ts";
import { userfaultfdOps } from "../memory/userfaultfd.ts";
import { procOps } from "../proc/proc-file.ts";
import { pidfdOps } from "../process/pidfd.ts";
import { signalfdOps } from "../signal/signalfd.ts";
import { timerfdOps } from "../time/timerfd.ts";
import { consoleOps } from "../tty/console-file.ts";
import { directoryOps } from "./directory.ts";
import { epollOps } from "./epoll.ts";
import { eventOps } from "./eventfd.ts";
import { defaultOps, type FileOps } from "./file-ops.ts";
import { fullOps, nullOps, randomOps, zeroOps } from "./memory-devices.ts";
import { pipeOps } from "./pipe.ts";
import { regularOps } from "./regular-file.ts";

export function opsOf(hart: Hart, file: number): FileOps {
  const kind = hart.shared.get(file + FILE_KIND);
  switch (kind) {
    case FILE_KIND_PATH:
      return pathOps;
    case FILE_KIND_CONSOLE:
      return consoleOps;
    case FILE_KIND_REGULAR:
      return regularOps;
    case FILE_KIND_DIRECTORY:
      return directoryOps;
    case FILE_KIND_PIPE:
      return pipeOps;
    case FILE_KIND_EPOLL:
      return epollOps;
    case FILE_KIND_EVENTFD:
      return eventOps;
    case FILE_KIND_NULL:
      return nullOps;
    case FILE_KIND_ZERO:
      return zeroOps;
    case FILE_KIND_FULL:
      return fullOps;
    case FILE_KIND_RANDOM:
      return randomOps;
    case FILE_KIND_PROC:
      return procOps;
    case FILE_KIND_SHM:
      return shmOps;
    case FILE_KIND_SIGNALFD:
      return signalfdOps;
    case FILE_KIND_TIMERFD:
      return timerfdOps;
    case FILE_KIND_PIDFD:
      return pidfdOps;
    case FILE_KIND_USERFAULTFD:
      return userfaultfdOps;
    default:
      throw new KernelBug("file of no known kind", { file, kind });
  }
}

/** O_PATH: the descriptor calls refuse it before they come here. */
const pathOps: FileOps = {
  ...defaultOps,
  seek: () => -EBADF,
  ioctl: () => -EBADF,
  mapping: () => -EBADF,
  poll: () => 0,
};
