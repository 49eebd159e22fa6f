// Links of /proc. Those that lead to an open file or a directory do not go along a path: it may have none any more.
// (fs/proc/base.c, proc_pid_get_link; nd_jump_link in fs/namei.c)

import {
  FD_RECORD_BYTES,
  FILE_DENTRY,
  FILES_TABLE,
  FS_CWD,
  FS_ROOT,
  PROCESS_EXE,
  PROCESS_EXE_BYTES,
  PROCESS_TGID,
  TASK_FS,
  TASK_PID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { dget } from "../../fs/dentry.ts";
import { ENOENT } from "../../memory/errno.ts";
import { LINK_JUMP } from "../../memory/fs-type.ts";
import type { PathWalk } from "../../memory/path-walk.ts";
import type { Hart } from "../../policy/hart.ts";
import { withFiles } from "./members.ts";
import type { ProcTarget } from "./node.ts";
import { withTask } from "./target.ts";

/** /proc/self */
export function linkSelf(hart: Hart): string {
  const { shared, current } = hart;
  return `${shared.get(shared.get(current + TASK_PROCESS) + PROCESS_TGID)}`;
}

/** /proc/thread-self */
export function linkThreadSelf(hart: Hart): string {
  return `${linkSelf(hart)}/task/${hart.shared.get(hart.current + TASK_PID)}`;
}

export function linkCwd(hart: Hart, target: ProcTarget, walk: PathWalk): number {
  return jumpToDirectory(hart, target, walk, FS_CWD);
}

export function linkRoot(hart: Hart, target: ProcTarget, walk: PathWalk): number {
  return jumpToDirectory(hart, target, walk, FS_ROOT);
}

/** The task keeps its fs_struct while TASKLIST_LOCK is held, and that its directories while FS_LOCK is. */
function jumpToDirectory(hart: Hart, target: ProcTarget, walk: PathWalk, field: number): number {
  const { shared } = hart;
  return withTask(hart, target, -ENOENT, (task) => {
    const fs = shared.loadAcquire(task + TASK_FS);
    if (fs === 0) return -ENOENT;
    walk.jumpTo(dget(hart, shared.get(fs + field)));
    return LINK_JUMP;
  });
}

export function linkDescriptor(hart: Hart, target: ProcTarget, walk: PathWalk): number {
  const { shared } = hart;
  return withFiles(hart, target, -ENOENT, (files) => {
    const file = shared.get(files + FILES_TABLE + target.fd * FD_RECORD_BYTES);
    const dentry = file === 0 ? 0 : shared.get(file + FILE_DENTRY);
    if (dentry === 0) return -ENOENT;
    walk.jumpTo(dget(hart, dentry));
    return LINK_JUMP;
  });
}

/** The program's path when it was started. */
export function linkExe(hart: Hart, target: ProcTarget): string | number {
  const { shared } = hart;
  return withTask<string | number>(hart, target, -ENOENT, (_task, process) => {
    const bytes = process === 0 ? 0 : shared.get(process + PROCESS_EXE_BYTES);
    if (bytes === 0) return -ENOENT;
    let path = "";
    for (let i = 0; i < bytes; i++) path += String.fromCharCode(shared.u8[process + PROCESS_EXE + i]);
    return path;
  });
}
