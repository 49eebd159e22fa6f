// ppoll: a scan over the files, and a sleep on the queue of pollers between scans (poll-until.ts). The file's own
// operations say what is ready. (Linux: fs/select.c)

import { HART_KERNEL_SCRATCH } from "../../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../../memory/errno.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { pollUntil, readiness, replaceMask, storeTimeLeft, timespecDeadline } from "../file/poll-until.ts";
import { argAddress, argUint } from "../registers.ts";
import { POLLERR, POLLHUP, POLLNVAL } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const pollCalls: readonly (readonly [number, SystemCall])[] = [
  [73, call("ppoll", ["pointer", "uint", "timespec", "pointer", "size"], sysPpoll)],
];

const POLLFD_BYTES = 8; // {int fd; short events, revents}
const COUNT_MAX = 1024; // RLIMIT_NOFILE

function sysPpoll(hart: Hart): number {
  const [fds, count, timeout] = [argAddress(hart, 0), argUint(hart, 1), argAddress(hart, 2)];
  if (count > COUNT_MAX) return -EINVAL;
  const deadline = timespecDeadline(hart, timeout);
  if (deadline < 0) return deadline;
  const mask = replaceMask(hart, argAddress(hart, 3), argAddress(hart, 4));
  if (mask < 0) return mask;
  const result = pollUntil(hart, deadline, (waits) => scan(hart, fds, count, waits));
  if (result >= 0) storeTimeLeft(hart, timeout, deadline);
  return result;
}

/** Writes revents of every descriptor; how many are not 0, or -EFAULT. */
function scan(hart: Hart, va: number, count: number, waits: boolean): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  let ready = 0;
  for (let i = 0; i < count; i++) {
    if (copyFromUser(hart, scratch, va + i * POLLFD_BYTES, POLLFD_BYTES) < 0) return -EFAULT;
    const fd = hart.shared.get(scratch);
    const events = hart.shared.get(scratch + 4) & 0xffff;
    const revents = fd < 0 ? 0 : readiness(hart, fd, waits ? events : 0) & (events | POLLERR | POLLHUP | POLLNVAL);
    hart.shared.set(scratch, fd);
    hart.shared.set(scratch + 4, events | (revents << 16));
    if (copyToUser(hart, va + i * POLLFD_BYTES, scratch, POLLFD_BYTES) < 0) return -EFAULT;
    if (revents !== 0) ready++;
  }
  return ready;
}
