// pidfd: a descriptor that stands for a process, also when its number has become another's: the number and the time at
// which the process began are what it is known by. It can be polled for the end. (Linux: fs/pidfs.c, kernel/pid.c)

import {
  FILE_FLAGS,
  FILE_KIND,
  FILE_KIND_PIDFD,
  FILE_PIDFD_START,
  FILE_PRIVATE,
  PROCESS_LEADER,
  PROCESS_LIVE,
  PROCESS_START_NS,
  PROCESS_STATE,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EBADF } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { anonymousFile } from "../file/anonymous-file.ts";
import { defaultOps, type FileOps } from "../file/file-ops.ts";
import { fget, fput } from "../file/files.ts";
import type { ProcTarget } from "../proc/node.ts";
import { O_NONBLOCK, O_RDWR, POLLHUP, POLLIN, POLLRDNORM } from "../uapi.ts";
import { findTask, TASKLIST_LOCK } from "./task.ts";

export const pidfdOps: FileOps = { ...defaultOps, poll: pollPidfd };

/** One that stands for nobody yet, or 0. */
export function allocPidfd(hart: Hart, flags: number): number {
  return anonymousFile(hart, FILE_KIND_PIDFD, 0o600, O_RDWR | (flags & O_NONBLOCK), "anon_inode:[pidfd]");
}

/** Before anybody knows the process. */
export function namePidfd(hart: Hart, file: number, pid: number, startNs: number): void {
  hart.shared.setF64(file + FILE_PIDFD_START, startNs);
  hart.shared.storeRelease(file + FILE_PRIVATE, pid);
}

/** The process behind descriptor `fd` and the file's O_*, or -EBADF: it is no pidfd. */
export function pidfdTarget(hart: Hart, fd: number): (ProcTarget & { flags: number }) | number {
  const { shared } = hart;
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const isPidfd = shared.get(file + FILE_KIND) === FILE_KIND_PIDFD;
  const target = { ...targetOfPidfd(hart, file), flags: shared.loadOnce(file + FILE_FLAGS) };
  fput(hart, file);
  return isPidfd ? target : -EBADF;
}

function targetOfPidfd(hart: Hart, file: number): ProcTarget {
  const pid = hart.shared.loadAcquire(file + FILE_PRIVATE);
  return { pid, startNs: hart.shared.getF64(file + FILE_PIDFD_START), fd: 0 };
}

/** The process, alive or a zombie, or 0: it has been waited for. Requires: TASKLIST_LOCK. */
export function processOfLocked(hart: Hart, { pid, startNs }: ProcTarget): number {
  const { shared } = hart;
  const task = findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  if (process === 0 || shared.get(process + PROCESS_LEADER) !== task) return 0;
  return shared.getF64(process + PROCESS_START_NS) === startNs ? process : 0;
}

/** Readable once all its threads have ended, hung up once somebody has waited for it. (pidfd_poll) */
function pollPidfd(hart: Hart, file: number): number {
  spinLock(hart, TASKLIST_LOCK);
  const process = processOfLocked(hart, targetOfPidfd(hart, file));
  const isLive = process !== 0 && hart.shared.get(process + PROCESS_STATE) === PROCESS_LIVE;
  spinUnlock(hart, TASKLIST_LOCK);
  if (process === 0) return POLLIN | POLLRDNORM | POLLHUP;
  return isLive ? 0 : POLLIN | POLLRDNORM;
}
