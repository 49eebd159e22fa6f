// The ends of pipes: open files that read or write one. pipe(2) opens both at once; a FIFO has a pipe while it is open,
// and who opens one end waits for the other. The pipe goes with its last open file. (Linux: fifo_open, pipe_release)

import {
  FILE_INODE,
  FILE_PRIVATE,
  INODE_LOCK,
  INODE_PIPE,
  PIPE_BYTES,
  PIPE_LOCK,
  PIPE_PAGES,
  PIPE_PAGES_DEFAULT,
  PIPE_READ_QUEUE,
  PIPE_READERS,
  PIPE_READERS_EVER,
  PIPE_WRITE_QUEUE,
  PIPE_WRITERS,
  PIPE_WRITERS_EVER,
  POOL_PIPE,
  WAITQ_HEAD,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakeUpAll } from "../sched/wait.ts";
import { isReadable, isWritable } from "./file.ts";
import { pipeEmpty } from "./pipe-buffer.ts";
import { wakePollers } from "./poll-wait.ts";

/** `file` becomes an end of its inode's pipe, which is made if this is the first; false: no pipe left. */
export function openPipeEnd(hart: Hart, file: number): boolean {
  const lock = hart.shared.get(file + FILE_INODE) + INODE_LOCK;
  spinLock(hart, lock);
  const isOpen = openPipeEndLocked(hart, file);
  spinUnlock(hart, lock);
  if (isOpen) wakePollers(hart);
  return isOpen;
}

/** Requires: INODE_LOCK of its inode, under which no end of the pipe comes or goes. The caller wakes the pollers. */
export function openPipeEndLocked(hart: Hart, file: number): boolean {
  const { shared } = hart;
  const inode = shared.get(file + FILE_INODE);
  let pipe = shared.get(inode + INODE_PIPE);
  if (pipe === 0) {
    pipe = allocPipe(hart);
    shared.set(inode + INODE_PIPE, pipe);
  }
  if (pipe === 0) return false;
  countEnd(hart, file, pipe, 1);
  shared.set(file + FILE_PRIVATE, pipe);
  return true;
}

/** FileOps.release. */
export function releasePipe(hart: Hart, file: number): void {
  const { shared } = hart;
  const inode = shared.get(file + FILE_INODE);
  const pipe = shared.get(file + FILE_PRIVATE);
  if (pipe === 0) return; // there was none left when it was opened
  spinLock(hart, inode + INODE_LOCK);
  const isLast = countEnd(hart, file, pipe, -1);
  if (isLast) shared.set(inode + INODE_PIPE, 0);
  spinUnlock(hart, inode + INODE_LOCK);
  if (!isLast) {
    wakePollers(hart);
    return;
  }
  pipeEmpty(hart, pipe);
  kmemCacheFree(hart, POOL_PIPE, pipe);
}

function allocPipe(hart: Hart): number {
  const pipe = kmemCacheAlloc(hart, POOL_PIPE);
  if (pipe === 0) return 0;
  hart.core.zeroBytes(pipe, PIPE_BYTES);
  hart.shared.set(pipe + PIPE_PAGES, PIPE_PAGES_DEFAULT);
  return pipe;
}

/** True if no end is open any more. Wakes who waits for this end to come or go. */
function countEnd(hart: Hart, file: number, pipe: number, delta: number): boolean {
  const { shared } = hart;
  spinLock(hart, pipe + PIPE_LOCK);
  if (isReadable(hart, file)) {
    shared.set(pipe + PIPE_READERS, shared.get(pipe + PIPE_READERS) + delta);
    if (delta > 0) shared.set(pipe + PIPE_READERS_EVER, shared.get(pipe + PIPE_READERS_EVER) + 1);
  }
  if (isWritable(hart, file)) {
    shared.set(pipe + PIPE_WRITERS, shared.get(pipe + PIPE_WRITERS) + delta);
    if (delta > 0) shared.set(pipe + PIPE_WRITERS_EVER, shared.get(pipe + PIPE_WRITERS_EVER) + 1);
  }
  const isLast = shared.get(pipe + PIPE_READERS) === 0 && shared.get(pipe + PIPE_WRITERS) === 0;
  wakeQueueLocked(hart, pipe + PIPE_READ_QUEUE);
  wakeQueueLocked(hart, pipe + PIPE_WRITE_QUEUE);
  spinUnlock(hart, pipe + PIPE_LOCK);
  return isLast;
}

/** Wakes all that wait on a queue of a pipe. Requires: its PIPE_LOCK, under which waiters join. */
export function wakeQueueLocked(hart: Hart, queue: number): void {
  if (hart.shared.loadOnce(queue + WAITQ_HEAD) === 0) return;
  wakeUpAll(hart, queue);
}
