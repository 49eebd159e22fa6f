// openat: from a path to an open file. The order of checks is that of path_openat and do_open in Linux's fs/namei.c.
// What waits (a FIFO without its other end) has its file already, and keeps it in the restart block.

import {
  DENTRY_INODE,
  FILE_KIND_DIRECTORY,
  FILE_KIND_PATH,
  FILE_KIND_PIPE,
  FILE_KIND_REGULAR,
  INODE_RDEV,
} from "../../../assembly/layout.ts";
import { contentTruncate } from "../../fs/content.ts";
import { dget, dput } from "../../fs/dentry.ts";
import { fileType, fsTypeOf } from "../../fs/inode.ts";
import { createNode, createUnnamed, isReadOnly, mayCreate } from "../../fs/namei.ts";
import { pathLock, pathUnlock } from "../../fs/path-lock.ts";
import { WALK_CREATE, WALK_DIRECTORY, WALK_FOLLOW, WALK_WRITE } from "../../fs/path-walk.ts";
import { PERMISSION_BITS, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../fs/uapi.ts";
import { EEXIST, EINVAL, EISDIR, ELOOP, ENFILE, ENOTDIR, ENXIO, EROFS } from "../../memory/errno.ts";
import { LAST_JUMP, LAST_NORMAL } from "../../memory/path-walk.ts";
import type { Hart } from "../../policy/hart.ts";
import { WAIT } from "../sched/wait.ts";
import { hasTerminal } from "../tty/tty-job-control.ts";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TMPFILE_ALONE,
  O_TRUNC,
} from "../uapi.ts";
import { DEVICE_TTY, deviceKind } from "./char-devices.ts";
import { openFifo } from "./fifo.ts";
import { allocFile } from "./file.ts";
import { fput } from "./files.ts";
import { applyUmask } from "./fs-struct.ts";

/** Flags of openat that are not status flags of the file. */
const CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
const PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;

/**
 * Opens the path at `path` (kernel memory, PATH_FIRST of the hart) from dentry `start` (0: the working directory). A
 * file with one reference, -errno, or WAIT. `start` is held by the caller.
 */
export function openPath(hart: Hart, start: number, path: number, bytes: number, flags: number, mode: number): number {
  const wanted = (flags & O_PATH) !== 0 ? flags & PATH_FLAGS : flags;
  const isUnnamed = (wanted & O_TMPFILE_ALONE) !== 0;
  if (isUnnamed && !isTmpfile(wanted)) return -EINVAL;
  const find = isUnnamed ? createTmpfile : findOrCreate;
  const dentry = find(hart, start, path, bytes, wanted, mode);
  if (dentry < 0) return dentry;
  const file = openDentry(hart, dentry, wanted);
  if (file < 0 && file !== WAIT) dput(hart, dentry);
  return file;
}

/** Old kernels took the flag for O_DIRECTORY, and must refuse the rest. (build_open_flags) */
function isTmpfile(flags: number): boolean {
  return (flags & (O_TMPFILE | O_CREAT)) === O_TMPFILE && (flags & O_ACCMODE) !== O_RDONLY;
}

/** The path names the directory. O_EXCL: the file will never have a name. (do_tmpfile) */
function createTmpfile(hart: Hart, start: number, path: number, bytes: number, flags: number, mode: number): number {
  const walkFlags = WALK_DIRECTORY | ((flags & O_NOFOLLOW) === 0 ? WALK_FOLLOW : 0);
  const error = pathLock(hart, start, path, bytes, walkFlags);
  if (error !== 0) return error;
  const full = S_IFREG | applyUmask(hart, mode & PERMISSION_BITS);
  const dentry = createUnnamed(hart, hart.walk.dentry, full, (flags & O_EXCL) === 0);
  pathUnlock(hart, walkFlags);
  return dentry;
}

/** The dentry to open, with a reference, or -errno. */
function findOrCreate(hart: Hart, start: number, path: number, bytes: number, flags: number, mode: number): number {
  const creates = (flags & O_CREAT) !== 0;
  const follows = (flags & O_NOFOLLOW) === 0 && (flags & (O_CREAT | O_EXCL)) !== (O_CREAT | O_EXCL);
  let walkFlags = follows ? WALK_FOLLOW : 0;
  if (creates) walkFlags |= WALK_CREATE | WALK_WRITE;
  const error = pathLock(hart, start, path, bytes, walkFlags);
  if (error !== 0) return error;
  const result = creates ? lastOrNew(hart, flags, mode) : checkLast(hart, hart.walk.dentry, flags);
  if (result > 0) dget(hart, result);
  pathUnlock(hart, walkFlags);
  return result;
}

/** O_CREAT: the dentry, made if it is absent. Requires: FS_LOCK for write. */
function lastOrNew(hart: Hart, flags: number, mode: number): number {
  const { walk } = hart;
  if ((flags & O_DIRECTORY) !== 0) return -EINVAL;
  if (walk.lastKind === LAST_JUMP) return checkLast(hart, walk.dentry, flags);
  if (walk.lastKind !== LAST_NORMAL || (walk.trailingSlash && walk.dentry === 0)) return -EISDIR;
  if (walk.dentry === 0) {
    const error = mayCreate(hart, walk, false);
    return error !== 0 ? error : createNode(hart, walk, S_IFREG | applyUmask(hart, mode & PERMISSION_BITS), 0);
  }
  if ((flags & O_EXCL) !== 0) return -EEXIST;
  if (fileType(hart, hart.shared.get(walk.dentry + DENTRY_INODE)) === S_IFDIR) return -EISDIR;
  return checkLast(hart, walk.dentry, flags);
}

/** May what is there be opened like that? Its dentry, or -errno. Requires: FS_LOCK. (Linux: may_open) */
function checkLast(hart: Hart, dentry: number, flags: number): number {
  const inode = hart.shared.get(dentry + DENTRY_INODE);
  const type = fileType(hart, inode);
  if ((flags & O_DIRECTORY) !== 0 && type !== S_IFDIR) return -ENOTDIR;
  if ((flags & O_PATH) !== 0) return dentry;
  const writes = (flags & O_ACCMODE) !== O_RDONLY;
  if (type === S_IFLNK) return -ELOOP;
  if (type === S_IFDIR && writes) return -EISDIR;
  if (type === S_IFSOCK || type === S_IFBLK) return -ENXIO;
  if (type === S_IFREG && (writes || (flags & O_TRUNC) !== 0) && isReadOnly(hart, inode)) return -EROFS;
  return dentry;
}

/** Opens `dentry`, whose reference it takes over unless it fails: a file, -errno or WAIT. */
export function openDentry(hart: Hart, dentry: number, flags: number): number {
  const { shared } = hart;
  const inode = shared.get(dentry + DENTRY_INODE);
  const kind = kindOf(hart, inode, flags);
  if (kind < 0) return kind;
  const file = allocFile(hart, kind, flags & ~CREATION_FLAGS, dentry);
  if (file === 0) return -ENFILE;
  if (kind === FILE_KIND_REGULAR && (flags & O_TRUNC) !== 0) contentTruncate(hart, inode, 0);
  if (kind !== FILE_KIND_PIPE) return file;
  const result = openFifo(hart, file);
  if (result === 0 || result === WAIT) return result === 0 ? file : WAIT;
  // The caller still has the dentry's reference.
  dget(hart, dentry);
  fput(hart, file);
  return result;
}

/** FILE_KIND_* or -errno. */
function kindOf(hart: Hart, inode: number, flags: number): number {
  if ((flags & O_PATH) !== 0) return FILE_KIND_PATH;
  const type = fileType(hart, inode);
  const own = fsTypeOf(hart, inode).fileKind(hart, inode);
  if (own !== 0) return own;
  if (type === S_IFCHR) return charDeviceKind(hart, hart.shared.get(inode + INODE_RDEV));
  if (type === S_IFIFO) return FILE_KIND_PIPE;
  return type === S_IFDIR ? FILE_KIND_DIRECTORY : FILE_KIND_REGULAR;
}

/** /dev/tty is the caller's terminal, if its session has one. */
function charDeviceKind(hart: Hart, device: number): number {
  return device === DEVICE_TTY && !hasTerminal(hart) ? -ENXIO : deviceKind(device);
}
