// execve behind its point of no return: the process gives up its memory and whatever else the old program had, and gets
// the new one. (Linux: begin_new_exec and setup_new_exec in fs/exec.c, the second half of load_elf_binary)

import {
  CONTEXT_BYTES,
  FILES_REFCOUNT,
  HART_PC,
  PROCESS_DID_EXEC,
  PROCESS_EXIT_SIGNAL,
  PROCESS_FLAGS,
  PROCESS_NOT_DUMPABLE,
  SIGHAND_REFCOUNT,
  TASK_ALTSTACK_BYTES,
  TASK_ALTSTACK_FLAGS,
  TASK_ALTSTACK_SP,
  TASK_CLEAR_CHILD_TID,
  TASK_FILES,
  TASK_PROCESS,
  TASK_ROBUST_LIST,
  TASK_RSEQ_BYTES,
  TASK_SIGHAND,
  TASK_SYSCALL,
} from "../../../assembly/layout.ts";
import { loadProgram } from "../../loader/exec.ts";
import { ENOMEM } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { traceRename } from "../../memory/trace.ts";
import { mmAlloc, mmput } from "../../mm/mm.ts";
import type { Hart } from "../../policy/hart.ts";
import { closeOnExec, dupFiles, putFiles } from "../file/files.ts";
import { groupExit, noteMaxRss, releaseUserState } from "../process/exit.ts";
import { setExeBytes } from "../process/process.ts";
import { setCommBytes, TASKLIST_LOCK } from "../process/task.ts";
import { leaveVfork } from "../process/vfork.ts";
import { random32 } from "../random.ts";
import { registerOffset, storeU64 } from "../registers.ts";
import { execMmap } from "../sched/switch.ts";
import { endRestart, NO_RETURN } from "../sched/wait.ts";
import { forgetRestart } from "../signal/restart.ts";
import { clearHandlers, copySighand, putSighand } from "../signal/sighand.ts";
import { SIGCHLD, SIGKILL } from "../signal/signal-numbers.ts";
import { exitTimersLocked } from "../time/posix-timer.ts";
import type { ExecArguments } from "./exec-arguments.ts";
import { execFilePath } from "./exec-file.ts";
import type { ExecProgram } from "./exec-program.ts";

const SP = 2;
const SLASH = 0x2f;

/** Runs `program` in place of the current one, which is down to one thread. NO_RETURN, or -ENOMEM: nothing happened. */
export function execProgram(hart: Hart, program: ExecProgram, name: Uint8Array, args: ExecArguments): number {
  const { shared, current } = hart;
  const mm = mmAlloc(hart);
  if (mm === 0) return -ENOMEM;
  if (!unshare(hart)) {
    mmput(hart, mm);
    return -ENOMEM;
  }
  // From here on there is no way back.
  enterMm(hart, mm);
  forgetOldProgram(hart);
  setCommBytes(shared, current, name.subarray(name.lastIndexOf(SLASH) + 1));
  traceRename(hart);
  setExeBytes(shared, shared.get(current + TASK_PROCESS), execFilePath(hart, program.file));
  endRestart(hart);
  shared.set(current + TASK_SYSCALL, -1);
  const image = {
    file: program.main,
    interpreter: program.interpreter,
    path: name,
    argv: program.argv,
    envp: args.envp,
  };
  const loaded = loadProgram(hart, mm, image, () => random32(hart));
  if ("error" in loaded) groupExit(hart, SIGKILL);
  else startThread(hart, loaded.entry, loaded.sp);
  return NO_RETURN;
}

/** Descriptors and signal actions become the process's own, if it shares them with another. False: no memory. */
function unshare(hart: Hart): boolean {
  const { shared, current } = hart;
  const files = shared.get(current + TASK_FILES);
  if (shared.loadAcquire(files + FILES_REFCOUNT) > 1) {
    const own = dupFiles(hart, files);
    if (own === 0) return false;
    spinLock(hart, TASKLIST_LOCK); // /proc/PID/fd looks the table up under it
    shared.set(current + TASK_FILES, own);
    spinUnlock(hart, TASKLIST_LOCK);
    putFiles(hart, files);
  }
  const sighand = shared.get(current + TASK_SIGHAND);
  if (shared.loadAcquire(sighand + SIGHAND_REFCOUNT) === 1) return true;
  const own = copySighand(hart, sighand);
  if (own === 0) return false;
  spinLock(hart, TASKLIST_LOCK); // whoever sends a signal looks the record up under it
  shared.set(current + TASK_SIGHAND, own);
  spinUnlock(hart, TASKLIST_LOCK);
  putSighand(hart, sighand);
  return true;
}

/** (exec_mmap) */
function enterMm(hart: Hart, mm: number): void {
  releaseUserState(hart);
  leaveVfork(hart);
  const old = execMmap(hart, mm);
  noteMaxRss(hart, old);
  mmput(hart, old);
}

/** What the old program had set up in memory that is gone, and what a new one begins without. */
function forgetOldProgram(hart: Hart): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  for (const field of [TASK_CLEAR_CHILD_TID, TASK_ROBUST_LIST, TASK_ALTSTACK_SP, TASK_ALTSTACK_BYTES]) {
    shared.setF64(current + field, 0);
  }
  shared.set(current + TASK_ALTSTACK_FLAGS, 0);
  shared.set(current + TASK_RSEQ_BYTES, 0);
  forgetRestart(hart);
  clearHandlers(hart, shared.get(current + TASK_SIGHAND));
  closeOnExec(hart, shared.get(current + TASK_FILES));
  spinLock(hart, TASKLIST_LOCK);
  const flags = shared.get(process + PROCESS_FLAGS);
  shared.set(process + PROCESS_FLAGS, (flags | PROCESS_DID_EXEC) & ~PROCESS_NOT_DUMPABLE);
  shared.set(process + PROCESS_EXIT_SIGNAL, SIGCHLD);
  exitTimersLocked(hart, process); // interval timers go on
  spinUnlock(hart, TASKLIST_LOCK);
}

/** Registers as a program finds them: all zero but pc and sp. */
function startThread(hart: Hart, entry: number, sp: number): void {
  hart.core.zeroBytes(hart.base, CONTEXT_BYTES);
  hart.core.clearReservation();
  storeU64(hart, hart.base + HART_PC, entry);
  storeU64(hart, hart.base + registerOffset(SP), sp);
}
