// pselect6: sets of descriptors as bits. The sets are read anew at each look, and written when the call ends. (Linux:
// core_sys_select in fs/select.c)

import { HART_BUFFER, HART_KERNEL_SCRATCH } from "../../../assembly/layout.ts";
import { EBADF, EFAULT, EINVAL } from "../../memory/errno.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { pollUntil, readiness, replaceMask, storeTimeLeft, timespecDeadline } from "../file/poll-until.ts";
import { argAddress, argInt, loadU64 } from "../registers.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const selectCalls: readonly (readonly [number, SystemCall])[] = [
  [72, call("pselect6", ["int", "pointer", "pointer", "pointer", "timespec", "pointer"], sysPselect6)],
];

const FD_MAX = 1024;
const SET_BYTES = 128;
/** What makes a descriptor ready in the set for reading, writing, exceptions. */
const READY: readonly number[] = [
  POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
  POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
  POLLPRI,
];
/** The sets of the caller, and what is ready of them. */
const WANTED = HART_BUFFER + 32768;
const FOUND = WANTED + READY.length * SET_BYTES;

function sysPselect6(hart: Hart): number {
  if (argInt(hart, 0) < 0) return -EINVAL;
  const count = Math.min(argInt(hart, 0), FD_MAX);
  const timeout = argAddress(hart, 4);
  const deadline = timespecDeadline(hart, timeout);
  if (deadline < 0) return deadline;
  const mask = loadMask(hart, argAddress(hart, 5));
  if (mask < 0) return mask;
  const result = pollUntil(hart, deadline, (waits) => scan(hart, count, waits));
  if (result < 0) return result;
  storeTimeLeft(hart, timeout, deadline);
  return storeSets(hart, count) ? result : -EFAULT;
}

/** The last argument points to {const sigset_t *mask; size_t bytes}. */
function loadMask(hart: Hart, va: number): number {
  if (va === 0) return 0;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (copyFromUser(hart, scratch, va, 16) < 0) return -EFAULT;
  return replaceMask(hart, loadU64(hart, scratch), loadU64(hart, scratch + 8));
}

/** How many bits are ready, in the sets at FOUND; or -errno. */
function scan(hart: Hart, count: number, waits: boolean): number {
  if (!loadSets(hart, count)) return -EFAULT;
  let ready = 0;
  for (let fd = 0; fd < count; fd++) {
    const wanted = wantedOf(hart, fd);
    if (wanted === 0) continue;
    const events = readiness(hart, fd, waits ? wanted : 0);
    if ((events & POLLNVAL) !== 0) return -EBADF;
    for (let set = 0; set < READY.length; set++) {
      if (!hasBit(hart, WANTED + set * SET_BYTES, fd) || (events & READY[set]) === 0) continue;
      setBit(hart, FOUND + set * SET_BYTES, fd);
      ready++;
    }
  }
  return ready;
}

function wantedOf(hart: Hart, fd: number): number {
  let wanted = 0;
  for (let set = 0; set < READY.length; set++) if (hasBit(hart, WANTED + set * SET_BYTES, fd)) wanted |= READY[set];
  return wanted;
}

function loadSets(hart: Hart, count: number): boolean {
  hart.core.zeroBytes(hart.base + WANTED, 2 * READY.length * SET_BYTES);
  for (let set = 0; set < READY.length; set++) {
    const va = argAddress(hart, 1 + set);
    if (va !== 0 && copyFromUser(hart, hart.base + WANTED + set * SET_BYTES, va, bytesOf(count)) < 0) return false;
  }
  return true;
}

function storeSets(hart: Hart, count: number): boolean {
  for (let set = 0; set < READY.length; set++) {
    const va = argAddress(hart, 1 + set);
    if (va !== 0 && copyToUser(hart, va, hart.base + FOUND + set * SET_BYTES, bytesOf(count)) < 0) return false;
  }
  return true;
}

/** fd_set is made of longs. */
function bytesOf(count: number): number {
  return Math.ceil(count / 64) * 8;
}

function hasBit(hart: Hart, set: number, fd: number): boolean {
  return (hart.shared.u8[hart.base + set + (fd >>> 3)] & (1 << (fd & 7))) !== 0;
}

function setBit(hart: Hart, set: number, fd: number): void {
  hart.shared.u8[hart.base + set + (fd >>> 3)] |= 1 << (fd & 7);
}
