// The calls that name a process by descriptor: pidfd_open, pidfd_send_signal, pidfd_getfd and process_madvise. (Linux:
// kernel/pid.c, kernel/signal.c, mm/madvise.c)

import {
  FD_COUNT_MAX,
  FD_RECORD_BYTES,
  FILE_INODE,
  FILE_KIND,
  FILE_KIND_DIRECTORY,
  FILES_TABLE,
  HART_KERNEL_SCRATCH,
  PROCESS_GROUP_EXIT,
  PROCESS_START_NS,
  PROCESS_TGID,
  TASK_MM,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { fsTypeOf } from "../../fs/inode.ts";
import { EBADF, EFAULT, EINVAL, EMFILE, ENFILE, EPERM, ESRCH } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { doMadvise } from "../../mm/call/madvise.ts";
import { mmput } from "../../mm/mm.ts";
import { oomReap } from "../../mm/reclaim/oom-reap.ts";
import { copyFromUser } from "../../mm/uaccess.ts";
import { MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED } from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { getFileNotZero } from "../file/file.ts";
import { fget, fileLimit, fput, installFd } from "../file/files.ts";
import { withFiles } from "../proc/members.ts";
import type { ProcTarget } from "../proc/node.ts";
import { procType } from "../proc/proc-type.ts";
import { mmOf } from "../proc/target.ts";
import { isProcessDirectory, targetOfInode } from "../proc/tree.ts";
import { currentId, ID_REAL, isCapable, USERS } from "../process/cred.ts";
import { allocPidfd, namePidfd, pidfdTarget, processOfLocked } from "../process/pidfd.ts";
import { findTask, TASKLIST_LOCK } from "../process/task.ts";
import { argAddress, argInt, argUint, loadU64 } from "../registers.ts";
import { SI_TKILL, SI_USER, siginfoFromCurrent } from "../signal/siginfo.ts";
import { forgetSiginfo, sendSignalLocked, sendSignalToGroup, sendToTaskLocked } from "../signal/signal-send.ts";
import { FD_CLOEXEC, O_CLOEXEC, O_NONBLOCK } from "../uapi.ts";
import { IOV_COUNT_MAX, totalBytes } from "../user-buffers.ts";
import { installOrDrop } from "./open.ts";
import { isSignal, loadSiginfo } from "./signal.ts";
import { call, type SystemCall } from "./types.ts";

export const pidfdCalls: readonly (readonly [number, SystemCall])[] = [
  [424, call("pidfd_send_signal", ["fd", "signal", "pointer", "hex"], sysPidfdSendSignal)],
  [434, call("pidfd_open", ["int", "octal"], sysPidfdOpen, "fd")],
  [438, call("pidfd_getfd", ["fd", "int", "hex"], sysPidfdGetfd, "fd")],
  [448, call("process_mrelease", ["fd", "hex"], sysProcessMrelease)],
  [440, call("process_madvise", ["fd", "pointer", "size", "int", "hex"], sysProcessMadvise)],
];

function sysPidfdOpen(hart: Hart): number {
  const { shared } = hart;
  const [pid, flags] = [argInt(hart, 0), argUint(hart, 1)];
  if ((flags & ~O_NONBLOCK) !== 0 || pid <= 0) return -EINVAL;
  spinLock(hart, TASKLIST_LOCK);
  const task = findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  const isLeader = process !== 0 && shared.get(process + PROCESS_TGID) === pid;
  const startNs = isLeader ? shared.getF64(process + PROCESS_START_NS) : 0;
  spinUnlock(hart, TASKLIST_LOCK);
  if (task === 0) return -ESRCH;
  // A thread, or the kernel's.
  if (!isLeader) return -EINVAL;
  const file = allocPidfd(hart, flags);
  if (file === 0) return -ENFILE;
  namePidfd(hart, file, pid, startNs);
  return installOrDrop(hart, file, O_CLOEXEC);
}

const SIGNAL_THREAD = 1; // PIDFD_SIGNAL_*
const SIGNAL_THREAD_GROUP = 2;
const SIGNAL_PROCESS_GROUP = 4;

/** Who gets a signal: /proc/PID, opened as a directory, will do too. (pidfd_to_pid, tgid_pidfd_to_pid) */
function signalTarget(hart: Hart, fd: number): ProcTarget | number {
  const { shared } = hart;
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const inode = shared.get(file + FILE_INODE);
  const isDirectory = shared.get(file + FILE_KIND) === FILE_KIND_DIRECTORY && fsTypeOf(hart, inode) === procType;
  const target = isDirectory && isProcessDirectory(hart, inode) ? targetOfInode(hart, inode) : null;
  fput(hart, file);
  return target ?? pidfdTarget(hart, fd);
}

function sysPidfdSendSignal(hart: Hart): number {
  const [signal, infoVa, flags] = [argInt(hart, 1), argAddress(hart, 2), argUint(hart, 3)];
  const isOne = flags === 0 || flags === SIGNAL_THREAD || flags === SIGNAL_THREAD_GROUP;
  if (!isOne && flags !== SIGNAL_PROCESS_GROUP) return -EINVAL;
  const target = signalTarget(hart, argInt(hart, 0));
  if (typeof target === "number") return target;
  if (infoVa === 0) siginfoFromCurrent(hart, signal, flags === SIGNAL_THREAD ? SI_TKILL : SI_USER);
  else {
    const own = hart.shared.get(hart.shared.get(hart.current + TASK_PROCESS) + PROCESS_TGID);
    const error = loadSiginfo(hart, infoVa, signal, target.pid === own && flags !== SIGNAL_PROCESS_GROUP, true);
    if (error !== 0) return error;
  }
  if (!isSignal(signal)) return -EINVAL;
  if (flags === SIGNAL_PROCESS_GROUP) return sendSignalToGroup(hart, target.pid, signal);
  return sendTo(hart, target, signal, flags === SIGNAL_THREAD);
}

function sendTo(hart: Hart, target: ProcTarget, signal: number, isPrivate: boolean): number {
  spinLock(hart, TASKLIST_LOCK);
  const process = processOfLocked(hart, target);
  const leader = findTask(hart.shared, target.pid);
  let result = process === 0 ? -ESRCH : 0;
  if (process !== 0 && signal !== 0) {
    const sent = isPrivate ? sendToTaskLocked(hart, leader, signal) : sendSignalLocked(hart, process, signal);
    result = Math.min(sent, 0);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  forgetSiginfo(hart);
  return result;
}

function sysPidfdGetfd(hart: Hart): number {
  const wanted = argInt(hart, 1);
  if (argUint(hart, 2) !== 0) return -EINVAL;
  const target = pidfdTarget(hart, argInt(hart, 0));
  if (typeof target === "number") return target;
  const error = checkAccess(hart, target);
  if (error !== 0) return error;
  const file = withFiles(hart, target, -ESRCH, (files) => {
    if (wanted < 0 || wanted >= FD_COUNT_MAX) return -EBADF;
    // The slot's reference keeps the file while the table is locked.
    const found = hart.shared.get(files + FILES_TABLE + wanted * FD_RECORD_BYTES);
    return found !== 0 && getFileNotZero(hart, found) ? found : -EBADF;
  });
  if (file < 0) return file;
  const fd = installFd(hart, file, 0, fileLimit(hart), FD_CLOEXEC);
  if (fd < 0) fput(hart, file);
  return fd < 0 ? -EMFILE : fd;
}

/** 0, -ESRCH, or -EPERM: it is another user's. (ptrace_may_access, as far as users go) */
function checkAccess(hart: Hart, target: ProcTarget): number {
  spinLock(hart, TASKLIST_LOCK);
  const process = processOfLocked(hart, target);
  const owner = process === 0 ? 0 : hart.shared.loadOnce(process + USERS + ID_REAL) >>> 0;
  spinUnlock(hart, TASKLIST_LOCK);
  if (process === 0) return -ESRCH;
  return isCapable(hart) || owner === currentId(hart, USERS, ID_REAL) ? 0 : -EPERM;
}

/** The memory of a process that is dying goes at once, even if its threads do not get round to that. */
function sysProcessMrelease(hart: Hart): number {
  if (argUint(hart, 1) !== 0) return -EINVAL;
  const target = pidfdTarget(hart, argInt(hart, 0));
  if (typeof target === "number") return target;
  spinLock(hart, TASKLIST_LOCK);
  const process = processOfLocked(hart, target);
  const isDying = process !== 0 && hart.shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0;
  spinUnlock(hart, TASKLIST_LOCK);
  const mm = process === 0 ? 0 : mmOf(hart, target);
  if (mm === 0) return -ESRCH;
  try {
    // Who shares the memory would have to die too. (task_will_free_mem)
    if (!isDying || mm === hart.shared.get(hart.current + TASK_MM)) return -EINVAL;
    oomReap(hart, mm);
    return 0;
  } finally {
    mmput(hart, mm);
  }
}

/** What one process may advise another. (process_madvise_remote_valid) */
const REMOTE_ADVICE: readonly number[] = [MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE];

function sysProcessMadvise(hart: Hart): number {
  const [vectorVa, count, behavior] = [argAddress(hart, 1), argAddress(hart, 2), argInt(hart, 3)];
  if (argUint(hart, 4) !== 0 || count > IOV_COUNT_MAX) return -EINVAL;
  const total = totalBytes(hart, { va: vectorVa, count, bytes: 0 });
  if (total < 0) return total;
  const target = pidfdTarget(hart, argInt(hart, 0));
  if (typeof target === "number") return target;
  const error = checkAccess(hart, target);
  if (error === -ESRCH) return error;
  if (!REMOTE_ADVICE.includes(behavior)) return -EINVAL;
  const mm = error === 0 ? mmOf(hart, target) : error;
  if (mm <= 0) return mm === 0 ? -ESRCH : mm;
  try {
    if (mm !== hart.shared.get(hart.current + TASK_MM) && !isCapable(hart)) return -EPERM;
    return adviseAll(hart, mm, vectorVa, count, behavior);
  } finally {
    mmput(hart, mm);
  }
}

const IOVEC_BYTES = 16;

/** Bytes that were advised before an error, or that error. */
function adviseAll(hart: Hart, mm: number, vectorVa: number, count: number, behavior: number): number {
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  let done = 0;
  for (let i = 0; i < count; i++) {
    if (copyFromUser(hart, scratch, vectorVa + i * IOVEC_BYTES, IOVEC_BYTES) < 0) return done > 0 ? done : -EFAULT;
    const [start, bytes] = [loadU64(hart, scratch), loadU64(hart, scratch + 8)];
    const error = doMadvise(hart, mm, start, bytes, behavior);
    if (error < 0) return done > 0 ? done : error;
    done += bytes;
  }
  return done;
}
