// Files that execve runs, out of the file system. (Linux: do_open_execat in fs/exec.c)

import {
  DENTRY_INODE,
  FILE_DENTRY,
  FILE_INODE,
  FS_ROOT,
  HART_BUFFER,
  INODE_MODE,
  TASK_FS,
} from "../../../assembly/layout.ts";
import { contentBytes, contentRead } from "../../fs/content.ts";
import { dget, dput } from "../../fs/dentry.ts";
import { fullPath } from "../../fs/full-path.ts";
import { fileType } from "../../fs/inode.ts";
import { fsReadLock, fsReadUnlock } from "../../fs/lock.ts";
import { PATH_FIRST, pathLock, pathUnlock } from "../../fs/path-lock.ts";
import { WALK_FOLLOW } from "../../fs/path-walk.ts";
import { EXECUTE_BITS, PATH_MAX, S_IFLNK, S_IFREG } from "../../fs/uapi.ts";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { openDentry } from "../file/open.ts";
import { O_RDONLY } from "../uapi.ts";

/** Opens the path of `bytes` bytes at PATH_FIRST of the hart, from dentry `start`: a file (fput), or -errno. */
export function openExec(hart: Hart, start: number, bytes: number, walkFlags = WALK_FOLLOW): number {
  const error = pathLock(hart, start, hart.base + PATH_FIRST, bytes, walkFlags);
  if (error !== 0) return error;
  const dentry = dget(hart, hart.walk.dentry);
  pathUnlock(hart, walkFlags);
  return openExecDentry(hart, dentry);
}

/** Opens `dentry`, whose reference it takes over. */
export function openExecDentry(hart: Hart, dentry: number): number {
  const refusal = mayExecute(hart, hart.shared.get(dentry + DENTRY_INODE));
  const file = refusal !== 0 ? refusal : openDentry(hart, dentry, O_RDONLY);
  if (file < 0) dput(hart, dentry);
  return file;
}

/** The same for a path that the kernel itself has found: of an interpreter. */
export function openExecPath(hart: Hart, path: Uint8Array): number {
  if (path.length === 0) return -ENOENT;
  if (path.length >= PATH_MAX) return -ENAMETOOLONG;
  const place = hart.base + PATH_FIRST;
  hart.shared.u8.set(path, place);
  hart.shared.u8[place + path.length] = 0;
  return openExec(hart, 0, path.length);
}

/** Root may run what anybody may run. */
function mayExecute(hart: Hart, inode: number): number {
  const type = fileType(hart, inode);
  if (type === S_IFLNK) return -ELOOP;
  return type === S_IFREG && (hart.shared.get(inode + INODE_MODE) & EXECUTE_BITS) !== 0 ? 0 : -EACCES;
}

export function execFileBytes(hart: Hart, file: number): number {
  return contentBytes(hart, hart.shared.get(file + FILE_INODE));
}

/** Copies bytes of the file to `address`: how many there were. */
export function execFileRead(hart: Hart, file: number, position: number, address: number, bytes: number): number {
  return contentRead(hart, hart.shared.get(file + FILE_INODE), position, address, bytes);
}

/** Where the file is, for /proc/self/exe. */
export function execFilePath(hart: Hart, file: number): Uint8Array {
  const { shared } = hart;
  const root = shared.get(shared.get(hart.current + TASK_FS) + FS_ROOT);
  const end = hart.base + HART_BUFFER + PATH_MAX;
  fsReadLock(hart);
  const bytes = fullPath(hart, shared.get(file + FILE_DENTRY), root, end, PATH_MAX);
  fsReadUnlock(hart);
  return bytes < 0 ? new Uint8Array(0) : shared.u8.slice(end - bytes, end);
}
