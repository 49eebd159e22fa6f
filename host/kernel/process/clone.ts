// clone: from the caller's flags to a new task, thread or process, on a run queue. What the child copies and what it
// shares is in copy-process.ts. The order of checks is that of kernel_clone and copy_process in Linux's kernel/fork.c.

import {
  CPUMASK_WORDS,
  HART_PC,
  MACHINE_BASE,
  MACHINE_INIT_ENDED,
  MACHINE_PROCESS_COUNT,
  PF_FORKED,
  POOL_TASK,
  PROCESS_EXEC_TASK,
  PROCESS_EXIT_SIGNAL,
  PROCESS_GROUP_EXIT,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_START_NS,
  TASK_ALTSTACK_BYTES,
  TASK_ALTSTACK_FLAGS,
  TASK_ALTSTACK_SP,
  TASK_CLEAR_CHILD_TID,
  TASK_COMM,
  TASK_CPUS_ALLOWED,
  TASK_FLAGS,
  TASK_NICE,
  TASK_PC,
  TASK_PID,
  TASK_POLICY,
  TASK_PROCESS,
  TASK_SET_CHILD_TID,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
} from "../../../assembly/layout.ts";
import { EAGAIN, EBADF, EFAULT, EINVAL, ENFILE, ENOMEM, ERESTARTNOINTR } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_SCHED_PROCESS_FORK, traceTask } from "../../memory/trace.ts";
import { prepareResult, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { closeFd, fget, fileLimit, fput, installFd } from "../file/files.ts";
import { loadU64, registerOffset, storeU64 } from "../registers.ts";
import { wakeTask } from "../sched/wake.ts";
import { inheritStopLocked } from "../signal/group-stop.ts";
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_DETACHED,
  CLONE_FS,
  CLONE_NAMESPACES,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  FD_CLOEXEC,
  RLIMIT_NPROC,
} from "../uapi.ts";
import { copyResources, dropResources } from "./copy-process.ts";
import { currentId, ID_REAL, isCapable, USERS } from "./cred.ts";
import { allocPidfd, namePidfd } from "./pidfd.ts";
import { addThreadLocked, nameProcess, softLimit } from "./process.ts";
import { linkChildLocked } from "./process-tree.ts";
import { copyRseq } from "./rseq.ts";
import { allocTask, attachPidLocked, COMM_BYTES, forEachProcessLocked, TASKLIST_LOCK } from "./task.ts";
import { joinVforkLocked } from "./vfork.ts";

const SP = 2;
const TP = 4;
const A0 = 10;
const ECALL_BYTES = 4;

/** What clone and clone3 ask for. (Linux: struct kernel_clone_args) */
export interface CloneArguments {
  /** CLONE_*, the low 32 bits, without the signal. */
  readonly flags: number;
  /** CLONE_CLEAR_SIGHAND, which lies above them. */
  readonly clearsHandlers: boolean;
  /** Stack pointer of the child; 0 keeps the caller's. */
  readonly stack: number;
  readonly parentTid: number;
  /** Where CLONE_PIDFD's descriptor goes. */
  readonly pidfd: number;
  readonly childTid: number;
  readonly tls: number;
  /** What the parent gets at the end of the child. */
  readonly exitSignal: number;
}

/** The new task's number, or -errno. It runs already, unless a vfork's caller still has to wait for it. */
export function cloneTask(hart: Hart, args: CloneArguments): number {
  const { flags } = args;
  const error = checkFlags(hart, args);
  if (error !== 0) return error;
  // What was sent before the fork is for the parent alone: it is delivered first. (copy_process)
  if (signalPending(hart)) return -ERESTARTNOINTR;
  if ((flags & CLONE_PARENT_SETTID) !== 0) prepareResult(hart, args.parentTid, 4);
  if ((flags & CLONE_PIDFD) !== 0) prepareResult(hart, args.pidfd, 4);
  const { shared } = hart;
  const child = allocTask(hart);
  if (child === 0) return -EAGAIN;
  copyContext(hart, child, args);
  copyTask(hart, child, flags);
  if ((flags & CLONE_CHILD_CLEARTID) !== 0) shared.setF64(child + TASK_CLEAR_CHILD_TID, args.childTid);
  if ((flags & (CLONE_CHILD_SETTID | CLONE_VM)) === CLONE_CHILD_SETTID) setChildTidLater(hart, child, args.childTid);
  const copied = copyResources(hart, child, flags, args.clearsHandlers);
  // After the child has got its descriptors: this one is not among them.
  const pidfd = copied === 0 && (flags & CLONE_PIDFD) !== 0 ? installPidfd(hart, args.pidfd) : null;
  const ready = typeof pidfd === "number" ? pidfd : copied;
  const pid = ready < 0 ? ready : publish(hart, child, args);
  if (pidfd !== null && typeof pidfd !== "number") pointPidfd(hart, pidfd, pid < 0 ? 0 : child);
  if (pid < 0) {
    if (copied === 0) dropResources(hart, child, flags);
    kmemCacheFree(hart, POOL_TASK, child);
    return pid;
  }
  // Before the child runs; a bad address is ignored, as by put_user in Linux.
  if ((flags & CLONE_PARENT_SETTID) !== 0) putUser32(hart, args.parentTid, pid);
  if ((flags & CLONE_CHILD_SETTID) !== 0 && (flags & CLONE_VM) !== 0) putUser32(hart, args.childTid, pid);
  traceTask(hart, TRACE_SCHED_PROCESS_FORK, child, flags);
  wakeTask(hart, child);
  return pid;
}

interface Pidfd {
  readonly file: number; // with a reference
  readonly fd: number;
}

/** A descriptor that stands for nobody yet, its number in the guest's hands; or -errno. */
function installPidfd(hart: Hart, va: number): Pidfd | number {
  const file = allocPidfd(hart, 0);
  if (file === 0) return -ENFILE;
  const fd = installFd(hart, file, 0, fileLimit(hart), FD_CLOEXEC);
  if (fd < 0) {
    fput(hart, file);
    return fd;
  }
  // Held besides the descriptor, which another thread may close at once.
  const pidfd = { file: fget(hart, fd), fd };
  if (pidfd.file === 0) return -EBADF;
  if (putUser32(hart, va, fd) === 0) return pidfd;
  pointPidfd(hart, pidfd, 0);
  return -EFAULT;
}

/** It stands for the process of `child` from now on; 0: there is none, and the descriptor goes. */
function pointPidfd(hart: Hart, { file, fd }: Pidfd, child: number): void {
  const { shared } = hart;
  if (child === 0) closeFd(hart, fd);
  else {
    const startNs = shared.getF64(shared.get(child + TASK_PROCESS) + PROCESS_START_NS);
    namePidfd(hart, file, shared.get(child + TASK_PID), startNs);
  }
  fput(hart, file);
}

/** schedule_tail: a new task's first act, in its own memory. */
export function finishFork(hart: Hart): void {
  const { shared, current } = hart;
  shared.set(current + TASK_FLAGS, shared.get(current + TASK_FLAGS) & ~PF_FORKED);
  putUser32(hart, shared.getF64(current + TASK_SET_CHILD_TID), shared.get(current + TASK_PID));
}

function checkFlags(hart: Hart, args: CloneArguments): number {
  const { flags } = args;
  const both = (pair: number) => (flags & pair) === pair;
  if (both(CLONE_NEWNS | CLONE_FS) || both(CLONE_NEWUSER | CLONE_FS)) return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & CLONE_SIGHAND) === 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flags & CLONE_VM) === 0) return -EINVAL;
  const { shared, current } = hart;
  // Init's siblings would have no parent.
  if ((flags & CLONE_PARENT) !== 0 && shared.get(shared.get(current + TASK_PROCESS) + PROCESS_PARENT) === 0)
    return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & (CLONE_NEWUSER | CLONE_NEWPID)) !== 0) return -EINVAL;
  if ((flags & CLONE_PIDFD) !== 0) {
    if ((flags & CLONE_DETACHED) !== 0) return -EINVAL;
    if ((flags & CLONE_PARENT_SETTID) !== 0 && args.pidfd === args.parentTid) return -EINVAL;
    if ((flags & CLONE_THREAD) !== 0) return -EINVAL; // threads have no pidfds
  }
  return (flags & CLONE_NAMESPACES) !== 0 ? -EINVAL : 0;
}

/** The child's registers: the caller's, but a0 = 0, behind the ecall, on its own stack and with its own tp. */
function copyContext(hart: Hart, child: number, args: CloneArguments): void {
  hart.core.saveContext(child);
  storeU64(hart, child + TASK_PC, loadU64(hart, hart.base + HART_PC) + ECALL_BYTES);
  storeU64(hart, child + registerOffset(A0), 0);
  if (args.stack !== 0) storeU64(hart, child + registerOffset(SP), args.stack);
  if ((args.flags & CLONE_SETTLS) !== 0) storeU64(hart, child + registerOffset(TP), args.tls);
}

function copyTask(hart: Hart, child: number, flags: number): void {
  const { shared, current } = hart;
  for (const field of [TASK_SIGMASK_LO, TASK_SIGMASK_HI, TASK_NICE, TASK_POLICY]) {
    shared.set(child + field, shared.get(current + field));
  }
  for (let i = 0; i < COMM_BYTES; i += 4) shared.set(child + TASK_COMM + i, shared.get(current + TASK_COMM + i));
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    shared.set(child + TASK_CPUS_ALLOWED + word * 4, shared.get(current + TASK_CPUS_ALLOWED + word * 4));
  }
  // A thread registers a struct rseq of its own.
  if ((flags & CLONE_VM) === 0) copyRseq(hart, child);
  // A thread must not run its handlers on another's stack; after vfork the parent does not run meanwhile.
  if ((flags & (CLONE_VM | CLONE_VFORK)) === CLONE_VM) return;
  shared.setF64(child + TASK_ALTSTACK_SP, shared.getF64(current + TASK_ALTSTACK_SP));
  shared.setF64(child + TASK_ALTSTACK_BYTES, shared.getF64(current + TASK_ALTSTACK_BYTES));
  shared.set(child + TASK_ALTSTACK_FLAGS, shared.get(current + TASK_ALTSTACK_FLAGS));
}

/** The number belongs into the child's memory, which is not loaded here: the child writes it when it first runs. */
function setChildTidLater(hart: Hart, child: number, va: number): void {
  hart.shared.setF64(child + TASK_SET_CHILD_TID, va);
  hart.shared.set(child + TASK_FLAGS, PF_FORKED);
}

/** The child gets its number and its place among the others: from here on signals find it. */
function publish(hart: Hart, child: number, args: CloneArguments): number {
  const { shared, current } = hart;
  const own = shared.get(current + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  // A group that is ending takes nobody in; the caller dies before it sees this result.
  const ending = (shared.loadAcquire(own + PROCESS_GROUP_EXIT) | shared.get(own + PROCESS_EXEC_TASK)) !== 0;
  const isTooMany = (args.flags & CLONE_THREAD) === 0 && exceedsLimit(hart, own);
  const isOver = shared.get(MACHINE_BASE + MACHINE_INIT_ENDED) !== 0;
  const error = isOver ? -ENOMEM : ending || isTooMany ? -EAGAIN : attachPidLocked(hart, child);
  if (error === 0) {
    if ((args.flags & CLONE_THREAD) !== 0) {
      addThreadLocked(shared, own, child);
      inheritStopLocked(hart, own, child);
    } else publishProcessLocked(hart, own, child, args);
    if ((args.flags & CLONE_VFORK) !== 0) joinVforkLocked(hart, child);
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return error === 0 ? shared.get(child + TASK_PID) : error;
}

/** RLIMIT_NPROC: processes of the same user, unless that is root. */
function exceedsLimit(hart: Hart, process: number): boolean {
  const user = currentId(hart, USERS, ID_REAL);
  if (user === 0 || isCapable(hart)) return false;
  let count = 0;
  forEachProcessLocked(hart, (other) => {
    if (hart.shared.get(other + USERS + ID_REAL) >>> 0 === user) count++;
  });
  return count >= softLimit(hart.shared, process, RLIMIT_NPROC);
}

function publishProcessLocked(hart: Hart, own: number, child: number, args: CloneArguments): void {
  const { shared } = hart;
  const process = shared.get(child + TASK_PROCESS);
  const isSibling = (args.flags & CLONE_PARENT) !== 0;
  nameProcess(shared, process);
  shared.set(process + PROCESS_PGID, shared.get(own + PROCESS_PGID));
  shared.set(process + PROCESS_SID, shared.get(own + PROCESS_SID));
  shared.set(process + PROCESS_EXIT_SIGNAL, isSibling ? shared.get(own + PROCESS_EXIT_SIGNAL) : args.exitSignal);
  linkChildLocked(shared, isSibling ? shared.get(own + PROCESS_PARENT) : own, process);
  addThreadLocked(shared, process, child);
  shared.set(MACHINE_BASE + MACHINE_PROCESS_COUNT, shared.get(MACHINE_BASE + MACHINE_PROCESS_COUNT) + 1);
}
