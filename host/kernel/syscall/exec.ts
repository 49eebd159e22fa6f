// execve and execveat. Until other threads have ended, the call waits and is entered again from the start: what was
// copied and opened before is then copied and opened anew, by the only thread left.

import { FILE_DENTRY, HART_BUFFER, PROCESS_EXEC_TASK, TASK_PROCESS } from "../../../assembly/layout.ts";
import { dget } from "../../fs/dentry.ts";
import { PATH_FIRST } from "../../fs/path-lock.ts";
import { WALK_FOLLOW } from "../../fs/path-walk.ts";
import { EBADF, EINVAL, ENOENT } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { execProgram } from "../exec/exec.ts";
import { copyArguments } from "../exec/exec-arguments.ts";
import { openExec, openExecDentry } from "../exec/exec-file.ts";
import { findProgram } from "../exec/exec-program.ts";
import { fget, fput } from "../file/files.ts";
import { deThread } from "../process/de-thread.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { argAddress, argInt } from "../registers.ts";
import { WAIT } from "../sched/wait.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../uapi.ts";
import { loadPath, startDentry, startFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

const SLASH = 0x2f;
const NR_EXECVE = 221;
const NR_EXECVEAT = 281;

export const execCalls: readonly (readonly [number, SystemCall])[] = [
  [NR_EXECVE, call("execve", ["path", "pointer", "pointer"], sysExecve)],
  [NR_EXECVEAT, call("execveat", ["dirfd", "path", "pointer", "pointer", "hex"], sysExecveat)],
];

function sysExecve(hart: Hart): number {
  return execute(hart, NR_EXECVE, AT_FDCWD, 0, 0);
}

function sysExecveat(hart: Hart): number {
  const flags = argInt(hart, 4);
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  return execute(hart, NR_EXECVEAT, argInt(hart, 0), 1, flags);
}

/** `first`: number of the argument that is the path; argv and envp follow. */
function execute(hart: Hart, number: number, dirfd: number, first: number, flags: number): number {
  const held: number[] = [];
  try {
    const result = tryExecute(hart, number, dirfd, first, flags, held);
    if (result < 0 && result !== WAIT) giveUpAlone(hart);
    return result;
  } finally {
    for (const file of held) fput(hart, file);
  }
}

function tryExecute(hart: Hart, number: number, dirfd: number, first: number, flags: number, held: number[]): number {
  const bytes = loadPath(hart, argAddress(hart, first), PATH_FIRST);
  if (bytes < 0) return bytes;
  if (bytes === 0 && (flags & AT_EMPTY_PATH) === 0) return -ENOENT;
  const path = hart.base + HART_BUFFER;
  const name = hart.shared.u8.slice(path, path + bytes);
  const file = openProgram(hart, dirfd, bytes, flags);
  if (file < 0) return file;
  held.push(file);
  const args = copyArguments(hart, argAddress(hart, first + 1), argAddress(hart, first + 2));
  if (typeof args === "number") return args;
  const called = nameOf(name, dirfd);
  const program = findProgram(hart, file, called, args, held);
  if (typeof program === "number") return program;
  const alone = deThread(hart, number);
  return alone !== 0 ? alone : execProgram(hart, program, called, args);
}

function openProgram(hart: Hart, dirfd: number, bytes: number, flags: number): number {
  if (bytes === 0) return reopen(hart, dirfd);
  const start = startFile(hart, dirfd, PATH_FIRST);
  if (start < 0) return start;
  const result = openExec(hart, startDentry(hart, start), bytes, (flags & AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : WALK_FOLLOW);
  if (start !== 0) fput(hart, start);
  return result;
}

/** AT_EMPTY_PATH: the file behind a descriptor, whatever it was opened for. */
function reopen(hart: Hart, fd: number): number {
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const dentry = dget(hart, hart.shared.get(file + FILE_DENTRY));
  fput(hart, file);
  return openExecDentry(hart, dentry);
}

/** What a script's interpreter can open again: the path, or the descriptor in /dev/fd. (alloc_bprm) */
function nameOf(name: Uint8Array, dirfd: number): Uint8Array {
  if (dirfd === AT_FDCWD || name[0] === SLASH) return name;
  const prefix = new TextEncoder().encode(name.length === 0 ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/`);
  const joined = new Uint8Array(prefix.length + name.length);
  joined.set(prefix);
  joined.set(name, prefix.length);
  return joined;
}

/** An error after other threads were told to end: those that are left may make new ones again. */
function giveUpAlone(hart: Hart): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  if (shared.loadOnce(process + PROCESS_EXEC_TASK) !== current) return;
  spinLock(hart, TASKLIST_LOCK);
  shared.set(process + PROCESS_EXEC_TASK, 0);
  spinUnlock(hart, TASKLIST_LOCK);
}
