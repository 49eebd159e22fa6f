// process_vm_readv and process_vm_writev: bytes from one address space to another, through the hart's buffer. (Linux:
// mm/process_vm_access.c)

import { HART_BUFFER, HART_BUFFER_BYTES, HART_KERNEL_SCRATCH, TASK_PROCESS } from "../../../assembly/layout.ts";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { mmput } from "../../mm/mm.ts";
import { readRemote, writeRemote } from "../../mm/remote.ts";
import { copyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmOf, targetOf } from "../proc/target.ts";
import { currentId, ID_REAL, isCapable, USERS } from "../process/cred.ts";
import { findTask } from "../process/task.ts";
import { argAddress, argInt, loadU64 } from "../registers.ts";
import { gather, IOV_COUNT_MAX, scatterAt, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { call, type SystemCall } from "./types.ts";

export const processVmCalls: readonly (readonly [number, SystemCall])[] = [
  [
    270,
    call("process_vm_readv", ["int", "pointer", "size", "pointer", "size", "hex"], (hart) => transfer(hart, false)),
  ],
  [
    271,
    call("process_vm_writev", ["int", "pointer", "size", "pointer", "size", "hex"], (hart) => transfer(hart, true)),
  ],
];

const IOVEC_BYTES = 16;
const LENGTH_NEGATIVE = 2 ** 63;

function transfer(hart: Hart, writes: boolean): number {
  const [localCount, remoteCount] = [argAddress(hart, 2), argAddress(hart, 4)];
  if (argAddress(hart, 5) !== 0) return -EINVAL;
  if (localCount > IOV_COUNT_MAX) return -EINVAL;
  const local = { va: argAddress(hart, 1), count: localCount, bytes: 0 };
  const total = totalBytes(hart, local);
  if (total <= 0) return total;
  if (remoteCount > IOV_COUNT_MAX) return -EINVAL;
  const error = checkRemote(hart, argAddress(hart, 3), remoteCount);
  if (error !== 0) return error;
  const mm = openMm(hart, argInt(hart, 0));
  if (mm < 0) return mm;
  try {
    return copyAll(hart, mm, local, total, argAddress(hart, 3), remoteCount, writes);
  } finally {
    mmput(hart, mm);
  }
}

/** The address space of process `pid` with a reference, or -errno. (mm_access) */
function openMm(hart: Hart, pid: number): number {
  const { shared } = hart;
  const target = targetOf(hart, pid);
  const task = target === undefined ? 0 : findTask(shared, pid);
  if (target === undefined || task === 0) return -ESRCH;
  const process = shared.get(task + TASK_PROCESS);
  const owner = process === 0 ? -1 : shared.loadOnce(process + USERS + ID_REAL) >>> 0;
  if (!isCapable(hart) && owner !== currentId(hart, USERS, ID_REAL)) return -EPERM;
  const mm = mmOf(hart, target);
  return mm === 0 ? -ESRCH : mm;
}

function checkRemote(hart: Hart, va: number, count: number): number {
  for (let i = 0; i < count; i++) {
    if (!loadIovec(hart, va, i)) return -EFAULT;
    if (loadU64(hart, hart.base + HART_KERNEL_SCRATCH + 8) >= LENGTH_NEGATIVE) return -EINVAL;
  }
  return 0;
}

/** Bytes until one side ends or can not be reached; -EFAULT if there are none. */
function copyAll(
  hart: Hart,
  mm: number,
  local: UserBuffers,
  total: number,
  remoteVa: number,
  remoteCount: number,
  writes: boolean,
): number {
  let done = 0;
  for (let i = 0; i < remoteCount && done < total; i++) {
    if (!loadIovec(hart, remoteVa, i)) return done > 0 ? done : -EFAULT;
    const start = loadU64(hart, hart.base + HART_KERNEL_SCRATCH);
    const length = loadU64(hart, hart.base + HART_KERNEL_SCRATCH + 8);
    for (let at = 0; at < length && done < total; ) {
      const wanted = Math.min(length - at, total - done, HART_BUFFER_BYTES);
      const moved = copyPiece(hart, mm, start + at, local, done, wanted, writes);
      done += Math.max(moved, 0);
      at += Math.max(moved, 0);
      if (moved < wanted) return done > 0 ? done : -EFAULT;
    }
  }
  return done;
}

function copyPiece(
  hart: Hart,
  mm: number,
  va: number,
  local: UserBuffers,
  skip: number,
  bytes: number,
  writes: boolean,
): number {
  const buffer = hart.base + HART_BUFFER;
  if (writes) {
    const got = gather(hart, local, skip, bytes);
    return got <= 0 ? got : writeRemote(hart, mm, va, buffer, got);
  }
  const got = readRemote(hart, mm, va, buffer, bytes);
  return got <= 0 ? got : scatterAt(hart, local, skip, got);
}

function loadIovec(hart: Hart, va: number, index: number): boolean {
  return copyFromUser(hart, hart.base + HART_KERNEL_SCRATCH, va + index * IOVEC_BYTES, IOVEC_BYTES) === 0;
}
