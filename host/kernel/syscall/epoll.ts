// epoll_create1, epoll_ctl, epoll_pwait, epoll_pwait2. (Linux: fs/eventpoll.c)

import { FILE_KIND, FILE_KIND_EPOLL, HART_BUFFER, HART_BUFFER_BYTES } from "../../../assembly/layout.ts";
import { EFAULT, EINTR, EINVAL, ENFILE, ERESTARTNOHAND } from "../../memory/errno.ts";
import { copyFromUser, copyToUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { anonymousFile } from "../file/anonymous-file.ts";
import {
  collect,
  controlEpoll,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_EVENT_BYTES,
} from "../file/epoll.ts";
import { millisecondDeadline, pollUntil, replaceMask, timespecDeadline } from "../file/poll-until.ts";
import { argAddress, argInt } from "../registers.ts";
import { O_CLOEXEC, O_RDWR } from "../uapi.ts";
import { withFile } from "./at-path.ts";
import { installOrDrop } from "./open.ts";
import { call, type SystemCall } from "./types.ts";

export const epollCalls: readonly (readonly [number, SystemCall])[] = [
  [20, call("epoll_create1", ["octal"], sysEpollCreate, "fd")],
  [21, call("epoll_ctl", ["fd", "int", "fd", "pointer"], sysEpollCtl)],
  [22, call("epoll_pwait", ["fd", "pointer", "int", "int", "pointer", "size"], sysEpollPwait)],
  [441, call("epoll_pwait2", ["fd", "pointer", "int", "timespec", "pointer", "size"], sysEpollPwait2)],
];

const EVENTS_MAX = HART_BUFFER_BYTES / EPOLL_EVENT_BYTES;

function sysEpollCreate(hart: Hart): number {
  const flags = argInt(hart, 0);
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  const file = anonymousFile(hart, FILE_KIND_EPOLL, 0o600, O_RDWR, "anon_inode:[eventpoll]");
  return file === 0 ? -ENFILE : installOrDrop(hart, file, flags);
}

function sysEpollCtl(hart: Hart): number {
  const [operation, fd] = [argInt(hart, 1), argInt(hart, 2)];
  const event = hart.base + HART_BUFFER;
  if (operation !== EPOLL_CTL_DEL && copyFromUser(hart, event, argAddress(hart, 3), EPOLL_EVENT_BYTES) < 0)
    return -EFAULT;
  return withFile(hart, argInt(hart, 0), (epoll) =>
    withFile(hart, fd, (file) => {
      if (hart.shared.get(epoll + FILE_KIND) !== FILE_KIND_EPOLL || file === epoll) return -EINVAL;
      if (operation < EPOLL_CTL_ADD || operation > EPOLL_CTL_MOD) return -EINVAL;
      return controlEpoll(hart, epoll, operation, fd, file);
    }),
  );
}

function sysEpollPwait(hart: Hart): number {
  return wait(hart, () => millisecondDeadline(hart, argInt(hart, 3)));
}

function sysEpollPwait2(hart: Hart): number {
  return wait(hart, () => timespecDeadline(hart, argAddress(hart, 3)));
}

function wait(hart: Hart, deadlineOf: () => number): number {
  const [va, countMax] = [argAddress(hart, 1), argInt(hart, 2)];
  const deadline = deadlineOf();
  if (deadline < 0) return deadline;
  if (countMax <= 0) return -EINVAL;
  return withFile(hart, argInt(hart, 0), (epoll) => {
    if (hart.shared.get(epoll + FILE_KIND) !== FILE_KIND_EPOLL) return -EINVAL;
    const mask = replaceMask(hart, argAddress(hart, 4), argAddress(hart, 5));
    if (mask < 0) return mask;
    const count = Math.min(countMax, EVENTS_MAX);
    prepareResult(hart, va, count * EPOLL_EVENT_BYTES);
    const ready = pollUntil(hart, deadline, (waits) => collect(hart, epoll, count, waits, true));
    // Not made again even if no handler runs: whoever was stopped and goes on sees EINTR, too. (ep_poll)
    if (ready === -ERESTARTNOHAND) return -EINTR;
    if (ready <= 0) return ready;
    return copyToUser(hart, va, hart.base + HART_BUFFER, ready * EPOLL_EVENT_BYTES) < 0 ? -EFAULT : ready;
  });
}
