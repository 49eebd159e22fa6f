// User memory as the kernel reaches it: the core copies through the hart's own TLB and walker; where it stops at a
// fault, the fault is resolved as if the guest had made the access, and the copy goes on from there. Between
// translation and copy there is no poll, so a translated address is never used after another hart could have flushed
// it.

import {
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_MISALIGNED,
  CAUSE_STORE_PAGE_FAULT,
  HART_CAUSE,
  HART_KERNEL_SCRATCH,
  HART_PC,
  HART_TVAL,
  PAGE_BYTES,
  TASK_MM,
} from "../../assembly/layout.ts";
import { EFAULT } from "../memory/errno.ts";
import { UserFaultWait } from "../memory/errors.ts";
import { isTraced, TRACE_PAGE_FAULT_KERNEL, trace } from "../memory/trace.ts";
import type { Hart } from "../policy/hart.ts";
import { isUserRange } from "./call/range.ts";
import { handleMmFault } from "./fault/fault.ts";
import { FAULT_OK, FAULT_USERFAULT } from "./fault/fault-outcome.ts";

/** Most bytes that one call of the core copies between two polls: 64 pages. */
const PIECE_BYTES_MAX = 64 * 4096;

/** 0 or -EFAULT: `bytes` bytes from user `va` to the shared memory at `destination`. */
export function copyFromUser(hart: Hart, destination: number, va: number, bytes: number): number {
  return isUserRange(va, bytes) && copyPartFromUser(hart, destination, va, bytes) === bytes ? 0 : -EFAULT;
}

/** 0 or -EFAULT: `bytes` bytes of the shared memory at `source` to user `va`. */
export function copyToUser(hart: Hart, va: number, source: number, bytes: number): number {
  return isUserRange(va, bytes) && copyPartToUser(hart, va, source, bytes) === bytes ? 0 : -EFAULT;
}

/** How many bytes were copied before a bad address; none if the range is not the user's. */
export function copyPartFromUser(hart: Hart, destination: number, va: number, bytes: number): number {
  if (!isUserRange(va, bytes)) return 0;
  let done = 0;
  while (done < bytes) {
    const piece = Math.min(bytes - done, PIECE_BYTES_MAX);
    const left = hart.core.copyFromUser(destination + done, va + done, piece);
    done += piece - left;
    if (left !== 0 && !resolveFault(hart)) break;
    hart.pollIrq();
  }
  return done;
}

/** How many bytes were copied before a bad address; none if the range is not the user's. */
export function copyPartToUser(hart: Hart, va: number, source: number, bytes: number): number {
  if (!isUserRange(va, bytes)) return 0;
  let done = 0;
  while (done < bytes) {
    const piece = Math.min(bytes - done, PIECE_BYTES_MAX);
    const left = hart.core.copyToUser(va + done, source + done, piece);
    done += piece - left;
    if (left !== 0 && !resolveFault(hart)) break;
    hart.pollIrq();
  }
  return done;
}

/** 0 or -EFAULT. */
export function clearUser(hart: Hart, va: number, bytes: number): number {
  if (!isUserRange(va, bytes)) return -EFAULT;
  for (let done = 0; done < bytes; ) {
    const piece = Math.min(bytes - done, PIECE_BYTES_MAX);
    const left = hart.core.clearUser(va + done, piece);
    done += piece - left;
    if (left !== 0 && !resolveFault(hart)) return -EFAULT;
    hart.pollIrq();
  }
  return 0;
}

/**
 * How many bytes the kernel could write afterwards without a fault, unless somebody unmaps them meanwhile. For what
 * must not be taken before it can be delivered. (Linux: fault_in_writeable)
 */
export function faultInWriteable(hart: Hart, va: number, bytes: number): number {
  if (!isUserRange(va, bytes)) return 0;
  for (let at = va; at < va + bytes; at += PAGE_BYTES - (at % PAGE_BYTES)) {
    while (hart.core.userAddress(at, ACCESS_STORE) === 0) if (!resolveFault(hart)) return at - va;
    hart.pollIrq();
  }
  return bytes;
}

/**
 * Before a call does what it can not do twice: what it is going to write at `va` (0: nothing) is there, or the task
 * waits for it now. A bad address is found later, where Linux finds it.
 */
export function prepareResult(hart: Hart, va: number, bytes: number): void {
  if (va !== 0) faultInWriteable(hart, va, bytes);
}

/** Length without the NUL, `bytesMax` if there is none in so many bytes, or -EFAULT. */
export function strncpyFromUser(hart: Hart, destination: number, va: number, bytesMax: number): number {
  if (!isUserRange(va, 1)) return -EFAULT;
  for (;;) {
    const length = hart.core.strncpyFromUser(destination, va, bytesMax);
    if (length >= 0) return length;
    if (!resolveFault(hart)) return -EFAULT;
  }
}

/** The unsigned word, or -EFAULT (which no word is). */
export function getUser32(hart: Hart, va: number): number {
  if (!isUserRange(va, 4)) return -EFAULT;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const error = copyFromUser(hart, scratch, va, 4);
  return error === 0 ? hart.shared.get(scratch) >>> 0 : error;
}

/** 0 or -EFAULT. */
export function putUser32(hart: Hart, va: number, value: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  hart.shared.set(scratch, value);
  return copyToUser(hart, va, scratch, 4);
}

/** The old word if it was swapped or differed, or -EFAULT. */
export function cmpxchgUser32(hart: Hart, va: number, expected: number, desired: number): number {
  if (!isUserRange(va, 4)) return -EFAULT;
  for (;;) {
    const old = hart.core.userCmpxchg32(va, expected, desired);
    if (old >= 0n) return Number(old);
    if (!resolveFault(hart)) return -EFAULT;
  }
}

/**
 * Does for the access that the core just could not make what a trap would do. False: the guest's address is bad. Throws
 * UserFaultWait if the task must wait for the page.
 */
function resolveFault(hart: Hart): boolean {
  const mm = hart.shared.get(hart.current + TASK_MM);
  const cause = hart.get(HART_CAUSE);
  const isStore = cause === CAUSE_STORE_PAGE_FAULT || cause === CAUSE_STORE_ACCESS || cause === CAUSE_STORE_MISALIGNED;
  const u32 = hart.shared.u32;
  const index = (hart.base + HART_TVAL) >>> 2;
  const va = u32[index] + u32[index + 1] * 2 ** 32;
  if (mm === 0) return false;
  if (isTraced(hart, TRACE_PAGE_FAULT_KERNEL)) {
    const pc = (hart.base + HART_PC) >>> 2;
    trace(hart, TRACE_PAGE_FAULT_KERNEL, u32[index], u32[index + 1], u32[pc], u32[pc + 1], isStore ? 1 : 0);
  }
  const fault = handleMmFault(hart, mm, va, isStore ? ACCESS_STORE : ACCESS_LOAD);
  if (fault === FAULT_USERFAULT) throw UserFaultWait.thrown;
  return fault === FAULT_OK;
}
