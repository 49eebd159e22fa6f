// clone(2) for threads. A new process (no CLONE_VM or no CLONE_THREAD) is not supported yet: -ENOSYS. The order of
// checks is that of copy_process in Linux's kernel/fork.c.

import {
  CPUMASK_WORDS,
  HART_PC,
  POOL_TASK,
  PROCESS_GROUP_EXIT,
  TASK_CLEAR_CHILD_TID,
  TASK_COMM,
  TASK_CPUS_ALLOWED,
  TASK_FILES,
  TASK_MM,
  TASK_NICE,
  TASK_PC,
  TASK_PID,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
} from "../../assembly/layout.ts";
import { EAGAIN, EINVAL, ENOSYS } from "../memory/errno.ts";
import { poolFree } from "../memory/pool.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { mmget } from "../mm/mm.ts";
import { putUser32 } from "../mm/uaccess.ts";
import type { Hart } from "../policy/hart.ts";
import { getFiles } from "./files.ts";
import { addThreadLocked } from "./process.ts";
import { loadU64, registerOffset, storeU64 } from "./registers.ts";
import { getSighand } from "./sighand.ts";
import { allocTask, attachPidLocked, COMM_BYTES, TASKLIST_LOCK } from "./task.ts";
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_DETACHED,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VM,
} from "./uapi.ts";
import { wakeTask } from "./wake.ts";

const SP = 2;
const TP = 4;
const A0 = 10;
const ECALL_BYTES = 4;

/** The new thread's number, or -errno. `stack` 0 keeps the caller's stack pointer. */
export function cloneThread(
  hart: Hart,
  flags: number,
  stack: number,
  parentTid: number,
  tls: number,
  childTid: number,
): number {
  const error = checkFlags(flags);
  if (error !== 0) return error;
  const { shared } = hart;
  const child = allocTask(hart);
  if (child === 0) return -EAGAIN;
  copyContext(hart, child, flags, stack, tls);
  copyTask(hart, child);
  if ((flags & CLONE_CHILD_CLEARTID) !== 0) shared.setF64(child + TASK_CLEAR_CHILD_TID, childTid);
  const pid = publish(hart, child);
  if (pid < 0) {
    poolFree(hart, POOL_TASK, child);
    return pid;
  }
  // Both words before the child runs, so that it finds its number; a bad address is ignored, as by put_user in Linux.
  if ((flags & CLONE_PARENT_SETTID) !== 0) putUser32(hart, parentTid, pid);
  if ((flags & CLONE_CHILD_SETTID) !== 0) putUser32(hart, childTid, pid);
  wakeTask(hart, child);
  return pid;
}

function checkFlags(flags: number): number {
  if ((flags & (CLONE_NEWNS | CLONE_FS)) === (CLONE_NEWNS | CLONE_FS)) return -EINVAL;
  if ((flags & (CLONE_NEWUSER | CLONE_FS)) === (CLONE_NEWUSER | CLONE_FS)) return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & CLONE_SIGHAND) === 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flags & CLONE_VM) === 0) return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & (CLONE_NEWUSER | CLONE_NEWPID)) !== 0) return -EINVAL;
  if ((flags & CLONE_PIDFD) !== 0 && (flags & (CLONE_DETACHED | CLONE_THREAD | CLONE_PARENT_SETTID)) !== 0)
    return -EINVAL;
  // A thread with a descriptor table of its own would be legal; nobody makes one, so it waits for fork.
  const needed = CLONE_VM | CLONE_THREAD | CLONE_FILES;
  return (flags & needed) === needed ? 0 : -ENOSYS;
}

/** The child's registers: the caller's, but a0 = 0, behind the ecall, on its own stack and with its own tp. */
function copyContext(hart: Hart, child: number, flags: number, stack: number, tls: number): void {
  hart.core.saveContext(child);
  storeU64(hart, child + TASK_PC, loadU64(hart, hart.base + HART_PC) + ECALL_BYTES);
  storeU64(hart, child + registerOffset(A0), 0);
  if (stack !== 0) storeU64(hart, child + registerOffset(SP), stack);
  if ((flags & CLONE_SETTLS) !== 0) storeU64(hart, child + registerOffset(TP), tls);
}

function copyTask(hart: Hart, child: number): void {
  const { shared, current } = hart;
  shared.set(child + TASK_SIGMASK_LO, shared.get(current + TASK_SIGMASK_LO));
  shared.set(child + TASK_SIGMASK_HI, shared.get(current + TASK_SIGMASK_HI));
  shared.set(child + TASK_NICE, shared.get(current + TASK_NICE));
  for (let i = 0; i < COMM_BYTES; i += 4) shared.set(child + TASK_COMM + i, shared.get(current + TASK_COMM + i));
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    shared.set(child + TASK_CPUS_ALLOWED + word * 4, shared.get(current + TASK_CPUS_ALLOWED + word * 4));
  }
}

/** The child gets its references, its number and its place in the group: from here on signals find it. */
function publish(hart: Hart, child: number): number {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  // A group that is ending takes nobody in; the caller dies before it sees this result.
  const ending = shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0;
  const error = ending ? -EAGAIN : attachPidLocked(hart, child);
  if (error === 0) {
    shared.set(child + TASK_MM, shared.get(current + TASK_MM));
    mmget(hart, shared.get(current + TASK_MM));
    shared.set(child + TASK_FILES, getFiles(hart, shared.get(current + TASK_FILES)));
    shared.set(child + TASK_SIGHAND, getSighand(hart, shared.get(current + TASK_SIGHAND)));
    addThreadLocked(shared, process, child);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return error === 0 ? shared.get(child + TASK_PID) : error;
}
