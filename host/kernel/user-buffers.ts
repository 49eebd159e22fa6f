// The buffers of read and write calls: one range, or the ranges of an iovec array. Bytes go through the hart's bounce
// buffer, because a ring or file must not be touched while user memory may fault.

import { HART_BUFFER, HART_BUFFER_BYTES, HART_KERNEL_SCRATCH } from "../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../memory/errno.ts";
import { UserFaultWait } from "../memory/errors.ts";
import { isUserRange } from "../mm/call/range.ts";
import { copyFromUser, copyPartFromUser, copyPartToUser, faultInWriteable } from "../mm/uaccess.ts";
import type { Hart } from "../policy/hart.ts";
import { loadU64 } from "./registers.ts";
import { keepProgress } from "./sched/wait.ts";

export const IOV_COUNT_MAX = 1024; // UIO_MAXIOV
const IOVEC_BYTES = 16; // {void *base; size_t length}
/** A call never transfers more (MAX_RW_COUNT): INT_MAX rounded down to a page. */
export const TRANSFER_BYTES_MAX = 0x7ffff000;
/** A length that is negative as a signed long. */
const LENGTH_NEGATIVE = 2 ** 63;

/**
 * One call's buffers: `count` iovecs at `va`, or (count SINGLE) the one range of `bytes` bytes at `va`. With count
 * KERNEL `va` is an address of the kernel's, outside HART_BUFFER.
 */
export interface UserBuffers {
  readonly va: number;
  readonly count: number;
  readonly bytes: number;
}

/** No number that a guest can pass. */
export const SINGLE = Number.NEGATIVE_INFINITY;
export const KERNEL = Number.POSITIVE_INFINITY;

/** Sum of the lengths, cut at TRANSFER_BYTES_MAX; -EINVAL or -EFAULT. */
export function totalBytes(hart: Hart, buffers: UserBuffers): number {
  if (buffers.count === SINGLE)
    return buffers.bytes >= LENGTH_NEGATIVE ? -EINVAL : Math.min(buffers.bytes, TRANSFER_BYTES_MAX);
  if (buffers.count === KERNEL) return buffers.bytes;
  if (buffers.count < 0 || buffers.count > IOV_COUNT_MAX) return -EINVAL;
  let total = 0;
  for (let i = 0; i < buffers.count; i++) {
    if (!loadIovec(hart, buffers.va, i)) return -EFAULT;
    const length = loadU64(hart, hart.base + HART_KERNEL_SCRATCH + 8);
    if (length >= LENGTH_NEGATIVE) return -EINVAL;
    total = Math.min(total + length, TRANSFER_BYTES_MAX);
  }
  return total;
}

/** Moves bytes [skip, skip + bytes) of user memory to HART_BUFFER; how many before a fault, -EFAULT if none. */
export function gather(hart: Hart, buffers: UserBuffers, skip: number, bytes: number): number {
  const piece = Math.min(bytes, HART_BUFFER_BYTES);
  if (buffers.count !== KERNEL) return transfer(hart, buffers, skip, piece, copyFromUserTo);
  hart.core.copyBytes(hart.base + HART_BUFFER, buffers.va + skip, piece);
  return piece;
}

/** gather for a call whose progress is `skip`, kept at TASK_RESTART if the copy must wait for a page. */
export function gatherOn(hart: Hart, buffers: UserBuffers, skip: number, bytes: number): number {
  try {
    return gather(hart, buffers, skip, bytes);
  } catch (error) {
    if (error === UserFaultWait.thrown) keepProgress(hart, skip);
    throw error;
  }
}

/**
 * gatherOn where a bad address spoils the whole unit of `unitBytes` bytes that it is in, counted from the call's first
 * byte: at least one byte, or -EFAULT.
 */
export function gatherUnits(hart: Hart, buffers: UserBuffers, skip: number, bytes: number, unitBytes: number): number {
  const got = gatherOn(hart, buffers, skip, bytes);
  // Less without a fault: another thread has shortened the iovecs meanwhile.
  const whole = got < Math.min(bytes, HART_BUFFER_BYTES) ? got - ((skip + got) % unitBytes) : got;
  return whole > 0 ? whole : -EFAULT;
}

/** Moves `bytes` bytes of HART_BUFFER to the buffers; how many before a fault, -EFAULT if none. */
export function scatter(hart: Hart, buffers: UserBuffers, bytes: number): number {
  return transfer(hart, buffers, 0, bytes, copyToUserFrom);
}

/** Like scatter, from byte `skip` of the buffers on. */
export function scatterAt(hart: Hart, buffers: UserBuffers, skip: number, bytes: number): number {
  return transfer(hart, buffers, skip, bytes, copyToUserFrom);
}

/**
 * Like scatter, but nothing is copied yet: how many bytes from the start can now be written without a fault, -EFAULT if
 * none. Before bytes are taken that could not be given back.
 */
export function prepareScatter(hart: Hart, buffers: UserBuffers, bytes: number): number {
  return transfer(hart, buffers, 0, bytes, faultInPiece);
}

/**
 * Like scatter, but faults are not resolved: false where there is one, and nothing may be taken as copied. So it may be
 * called with a lock held. (Linux: a copy with page faults disabled)
 */
export function scatterAtomic(hart: Hart, buffers: UserBuffers, bytes: number): boolean {
  const { core, base } = hart;
  const buffer = base + HART_BUFFER;
  if (buffers.count === SINGLE) return writeAtomic(hart, buffers.va, buffer, bytes);
  let done = 0;
  for (let i = 0; i < buffers.count && done < bytes; i++) {
    const iovec = buffers.va + i * IOVEC_BYTES;
    if (core.copyFromUser(base + HART_KERNEL_SCRATCH, iovec, IOVEC_BYTES) !== 0) return false;
    const piece = Math.min(loadU64(hart, base + HART_KERNEL_SCRATCH + 8), bytes - done);
    if (!writeAtomic(hart, loadU64(hart, base + HART_KERNEL_SCRATCH), buffer + done, piece)) return false;
    done += piece;
  }
  return done === bytes;
}

function writeAtomic(hart: Hart, va: number, address: number, bytes: number): boolean {
  return bytes === 0 || (isUserRange(va, bytes) && hart.core.copyToUser(va, address, bytes) === 0);
}

/** How many bytes it did before a bad address. */
type CopyPiece = (hart: Hart, va: number, address: number, bytes: number) => number;

function copyFromUserTo(hart: Hart, va: number, address: number, bytes: number): number {
  return copyPartFromUser(hart, address, va, bytes);
}

function faultInPiece(hart: Hart, va: number, _address: number, bytes: number): number {
  return faultInWriteable(hart, va, bytes);
}

function copyToUserFrom(hart: Hart, va: number, address: number, bytes: number): number {
  return copyPartToUser(hart, va, address, bytes);
}

function transfer(hart: Hart, buffers: UserBuffers, skip: number, bytes: number, copy: CopyPiece): number {
  const buffer = hart.base + HART_BUFFER;
  let done = 0;
  if (buffers.count === SINGLE) {
    done = copy(hart, buffers.va + skip, buffer, bytes);
    return done === 0 && bytes > 0 ? -EFAULT : done;
  }
  let toSkip = skip;
  for (let i = 0; i < buffers.count && done < bytes; i++) {
    if (!loadIovec(hart, buffers.va, i)) return done > 0 ? done : -EFAULT;
    const va = loadU64(hart, hart.base + HART_KERNEL_SCRATCH);
    const length = loadU64(hart, hart.base + HART_KERNEL_SCRATCH + 8);
    const piece = Math.min(Math.max(length - toSkip, 0), bytes - done);
    const copied = piece > 0 ? copy(hart, va + toSkip, buffer + done, piece) : 0;
    toSkip = Math.max(toSkip - length, 0);
    done += copied;
    if (copied < piece) return done > 0 ? done : -EFAULT;
  }
  return done;
}

function loadIovec(hart: Hart, va: number, index: number): boolean {
  return copyFromUser(hart, hart.base + HART_KERNEL_SCRATCH, va + index * IOVEC_BYTES, IOVEC_BYTES) === 0;
}
