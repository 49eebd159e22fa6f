// Opening a FIFO: each end waits until the other one has been opened, too. It is counted in before it waits, so that
// the two find each other; meanwhile the task keeps the file in TASK_RESTART_FILE. (Linux: fifo_open in fs/pipe.c)

import {
  FILE_FLAGS,
  FILE_INODE,
  FILE_PRIVATE,
  INODE_LOCK,
  PIPE_LOCK,
  PIPE_READ_QUEUE,
  PIPE_READERS,
  PIPE_READERS_EVER,
  PIPE_WRITE_QUEUE,
  PIPE_WRITERS,
  PIPE_WRITERS_EVER,
  TASK_RESTART,
  TASK_RESTART_CALL,
  TASK_RESTART_FILE,
  TASK_SYSCALL,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { ENFILE, ENXIO, ERESTARTSYS } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { finishWait, WAIT, waitqAdd } from "../sched/wait.ts";
import { O_ACCMODE, O_NONBLOCK, O_RDONLY, O_RDWR } from "../uapi.ts";
import { openPipeEndLocked } from "./pipe-end.ts";
import { wakePollers } from "./poll-wait.ts";

const RESTART_EVER = TASK_RESTART; // how often the other end had been opened when the wait began

/** 0, -errno or WAIT: then the task keeps `file`, and resumeFifo goes on. */
export function openFifo(hart: Hart, file: number): number {
  const inodeLock = hart.shared.get(file + FILE_INODE) + INODE_LOCK;
  // In one piece: an end that came and went between the counting and the look would be waited for in vain.
  spinLock(hart, inodeLock);
  const result = openPipeEndLocked(hart, file) ? meetLocked(hart, file) : -ENFILE;
  spinUnlock(hart, inodeLock);
  if (result !== -ENFILE) wakePollers(hart);
  return result;
}

/** Requires: INODE_LOCK. */
function meetLocked(hart: Hart, file: number): number {
  const { shared, current } = hart;
  const flags = shared.loadOnce(file + FILE_FLAGS);
  if ((flags & O_ACCMODE) === O_RDWR) return 0;
  const reads = (flags & O_ACCMODE) === O_RDONLY;
  const pipe = shared.get(file + FILE_PRIVATE);
  spinLock(hart, pipe + PIPE_LOCK);
  const others = shared.get(pipe + (reads ? PIPE_WRITERS : PIPE_READERS));
  let result = 0;
  if (others === 0 && (flags & O_NONBLOCK) !== 0) result = reads ? 0 : -ENXIO;
  else if (others === 0) {
    shared.setF64(current + RESTART_EVER, shared.get(pipe + otherEver(reads)));
    shared.set(current + TASK_RESTART_FILE, file);
    waitLocked(hart, pipe, reads);
    result = WAIT;
  }
  spinUnlock(hart, pipe + PIPE_LOCK);
  return result;
}

/** The open that waited is entered again: its file, -errno or WAIT. */
export function resumeFifo(hart: Hart): number {
  const { shared, current } = hart;
  finishWait(hart);
  const file = shared.get(current + TASK_RESTART_FILE);
  const reads = (shared.loadOnce(file + FILE_FLAGS) & O_ACCMODE) === O_RDONLY;
  const pipe = shared.get(file + FILE_PRIVATE);
  spinLock(hart, pipe + PIPE_LOCK);
  const came = shared.get(pipe + otherEver(reads)) !== shared.getF64(current + RESTART_EVER);
  const waits = !came && !signalPending(hart);
  if (waits) waitLocked(hart, pipe, reads);
  spinUnlock(hart, pipe + PIPE_LOCK);
  if (waits) return WAIT;
  if (!came) return -ERESTARTSYS;
  shared.set(current + TASK_RESTART_FILE, 0);
  return file;
}

function otherEver(reads: boolean): number {
  return reads ? PIPE_WRITERS_EVER : PIPE_READERS_EVER;
}

/** Requires: PIPE_LOCK. */
function waitLocked(hart: Hart, pipe: number, reads: boolean): void {
  const { shared, current } = hart;
  const queue = pipe + (reads ? PIPE_READ_QUEUE : PIPE_WRITE_QUEUE);
  shared.set(current + TASK_RESTART_CALL, shared.get(current + TASK_SYSCALL));
  spinLock(hart, queue + WAITQ_LOCK);
  waitqAdd(hart, queue);
  spinUnlock(hart, queue + WAITQ_LOCK);
}
