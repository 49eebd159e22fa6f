// Paths as arguments: from user memory into the hart's buffer, and from where they start. The checks come in Linux's
// order: first the path itself (EFAULT, ENAMETOOLONG, ENOENT if it is empty), then the descriptor.

import { FILE_DENTRY } from "../../../assembly/layout.ts";
import { dget, dput } from "../../fs/dentry.ts";
import { PATH_FIRST, pathLock, pathUnlock } from "../../fs/path-lock.ts";
import { WALK_FOLLOW } from "../../fs/path-walk.ts";
import { PATH_MAX } from "../../fs/uapi.ts";
import { EBADF, EFAULT, ENAMETOOLONG, ENOENT } from "../../memory/errno.ts";
import { strncpyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { fget, fput } from "../file/files.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../uapi.ts";

const SLASH = 0x2f;

/** The path at `va` to `place` (PATH_FIRST or PATH_SECOND) of the hart: its length, 0 if it is empty, or -errno. */
export function loadPath(hart: Hart, va: number, place: number): number {
  const length = strncpyFromUser(hart, hart.base + place, va, PATH_MAX);
  if (length < 0) return -EFAULT;
  return length >= PATH_MAX ? -ENAMETOOLONG : length;
}

/** Where the path at `place` starts: 0 (a walk knows what to do), or a file with a reference (fput), or -EBADF. */
export function startFile(hart: Hart, dirfd: number, place: number): number {
  if (dirfd === AT_FDCWD || hart.shared.u8[hart.base + place] === SLASH) return 0;
  const file = fget(hart, dirfd);
  return file === 0 ? -EBADF : file;
}

/** The dentry of what startFile has found, 0 for 0. */
export function startDentry(hart: Hart, file: number): number {
  return file === 0 ? 0 : hart.shared.get(file + FILE_DENTRY);
}

/** `use` with the path at `va`, in PATH_FIRST, and the dentry it starts from; its result, or -errno. */
export function withPath(hart: Hart, dirfd: number, va: number, use: (start: number, bytes: number) => number): number {
  const bytes = loadPath(hart, va, PATH_FIRST);
  if (bytes <= 0) return bytes === 0 ? -ENOENT : bytes;
  const file = startFile(hart, dirfd, PATH_FIRST);
  if (file < 0) return file;
  const result = use(startDentry(hart, file), bytes);
  if (file !== 0) fput(hart, file);
  return result;
}

/**
 * `use` with the dentry that `dirfd`, the path at `va` and `atFlags` (AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW) name, held by
 * a reference; no lock is held. Its result, or -errno. A path at 0 counts as empty if `nullIsEmpty`.
 */
export function withDentry(
  hart: Hart,
  dirfd: number,
  va: number,
  atFlags: number,
  use: (dentry: number) => number,
  nullIsEmpty = false,
): number {
  const bytes = va === 0 && nullIsEmpty ? 0 : loadPath(hart, va, PATH_FIRST);
  if (bytes < 0) return bytes;
  if (bytes === 0 && (atFlags & AT_EMPTY_PATH) === 0) return -ENOENT;
  if (bytes === 0 && dirfd !== AT_FDCWD) return withFile(hart, dirfd, (file) => use(startDentry(hart, file)));
  const file = bytes === 0 ? 0 : startFile(hart, dirfd, PATH_FIRST);
  if (file < 0) return file;
  const flags = (atFlags & AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : WALK_FOLLOW;
  const error = pathLock(hart, startDentry(hart, file), hart.base + PATH_FIRST, bytes, flags);
  const dentry = error === 0 ? dget(hart, hart.walk.dentry) : 0;
  if (error === 0) pathUnlock(hart, flags);
  if (file !== 0) fput(hart, file);
  if (error !== 0) return error;
  try {
    return use(dentry);
  } finally {
    dput(hart, dentry);
  }
}

/** `use` with the file behind descriptor `fd`; its result, or -EBADF. */
export function withFile(hart: Hart, fd: number, use: (file: number) => number): number {
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  try {
    return use(file);
  } finally {
    fput(hart, file);
  }
}
