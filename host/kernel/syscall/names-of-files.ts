// Calls that change the tree of names: mkdirat, mknodat, unlinkat, symlinkat, linkat, renameat2. (Linux: fs/namei.c)

import { DENTRY_INODE, INODE_SUPER } from "../../../assembly/layout.ts";
import { addName, createLink, createNode, mayCreate, removeEntry } from "../../fs/namei.ts";
import { PATH_FIRST, PATH_SECOND, pathLock, pathLockTwo, pathUnlock } from "../../fs/path-lock.ts";
import { WALK_CREATE, WALK_DIRECTORY, WALK_FOLLOW, WALK_WHOLE, WALK_WRITE } from "../../fs/path-walk.ts";
import { renameEntry } from "../../fs/rename.ts";
import {
  LINK_TARGET_MAX,
  PERMISSION_BITS,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISVTX,
} from "../../fs/uapi.ts";
import { EINVAL, ENAMETOOLONG, ENOENT, EPERM, EXDEV } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { fput } from "../file/files.ts";
import { applyUmask } from "../file/fs-struct.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW } from "../uapi.ts";
import { loadPath, startDentry, startFile, withDentry, withPath } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

const SLASH = 0x2f;

export const namesOfFilesCalls: readonly (readonly [number, SystemCall])[] = [
  [33, call("mknodat", ["dirfd", "path", "octal", "hex"], sysMknodat)],
  [34, call("mkdirat", ["dirfd", "path", "octal"], sysMkdirat)],
  [35, call("unlinkat", ["dirfd", "path", "hex"], sysUnlinkat)],
  [36, call("symlinkat", ["path", "dirfd", "path"], sysSymlinkat)],
  [37, call("linkat", ["dirfd", "path", "dirfd", "path", "hex"], sysLinkat)],
  [38, call("renameat", ["dirfd", "path", "dirfd", "path"], sysRenameat)],
  [276, call("renameat2", ["dirfd", "path", "dirfd", "path", "hex"], sysRenameat2)],
];

const CREATE = WALK_CREATE | WALK_WRITE;

function sysMkdirat(hart: Hart): number {
  const mode = S_IFDIR | applyUmask(hart, argUint(hart, 2) & (0o777 | S_ISVTX));
  return create(hart, argInt(hart, 0), argAddress(hart, 1), true, () => createNode(hart, hart.walk, mode, 0));
}

function sysMknodat(hart: Hart): number {
  const mode = argUint(hart, 2) & 0xffff;
  const type = (mode & S_IFMT) === 0 ? S_IFREG : mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type)) return -EINVAL;
  const rdev = type === S_IFCHR || type === S_IFBLK ? argUint(hart, 3) : 0;
  const full = type | applyUmask(hart, mode & PERMISSION_BITS);
  return create(hart, argInt(hart, 0), argAddress(hart, 1), false, () => createNode(hart, hart.walk, full, rdev));
}

/** Walks to a name that must be absent, and calls `make` with FS_LOCK held for write. 0 or -errno. */
function create(hart: Hart, dirfd: number, va: number, isDirectory: boolean, make: () => number): number {
  return withPath(hart, dirfd, va, (start, bytes) =>
    createAt(hart, start, hart.base + PATH_FIRST, bytes, isDirectory, make),
  );
}

function createAt(
  hart: Hart,
  start: number,
  path: number,
  bytes: number,
  isDirectory: boolean,
  make: () => number,
): number {
  const error = pathLock(hart, start, path, bytes, CREATE);
  if (error !== 0) return error;
  const refused = mayCreate(hart, hart.walk, isDirectory);
  const result = refused !== 0 ? refused : make();
  pathUnlock(hart, CREATE);
  return Math.min(result, 0);
}

function sysUnlinkat(hart: Hart): number {
  const flags = argUint(hart, 2);
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  return withPath(hart, argInt(hart, 0), argAddress(hart, 1), (start, bytes) => {
    const walkFlags = flags === 0 ? WALK_WRITE : WALK_WRITE | WALK_WHOLE;
    const error = pathLock(hart, start, hart.base + PATH_FIRST, bytes, walkFlags);
    if (error !== 0) return error;
    const result = removeEntry(hart, hart.walk, flags !== 0);
    pathUnlock(hart, walkFlags);
    return result;
  });
}

function sysSymlinkat(hart: Hart): number {
  const bytes = loadPath(hart, argAddress(hart, 0), PATH_SECOND);
  if (bytes <= 0) return bytes === 0 ? -ENOENT : bytes;
  if (bytes > LINK_TARGET_MAX) return -ENAMETOOLONG;
  const text = hart.base + PATH_SECOND;
  return create(hart, argInt(hart, 1), argAddress(hart, 2), false, () => createLink(hart, hart.walk, text, bytes));
}

function sysLinkat(hart: Hart): number {
  const flags = argUint(hart, 4);
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const atFlags = (flags & AT_EMPTY_PATH) | ((flags & AT_SYMLINK_FOLLOW) !== 0 ? 0 : AT_SYMLINK_NOFOLLOW);
  return withDentry(hart, argInt(hart, 0), argAddress(hart, 1), atFlags, (dentry) => {
    const inode = hart.shared.get(dentry + DENTRY_INODE);
    return create(hart, argInt(hart, 2), argAddress(hart, 3), false, () => addName(hart, hart.walk, inode));
  });
}

function sysRenameat(hart: Hart): number {
  return rename(hart, 0);
}

function sysRenameat2(hart: Hart): number {
  const flags = argUint(hart, 4);
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  if ((flags & RENAME_EXCHANGE) !== 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  // No file system here knows whiteouts.
  return (flags & RENAME_WHITEOUT) !== 0 ? -EINVAL : rename(hart, flags);
}

function rename(hart: Hart, flags: number): number {
  const bytes = loadPath(hart, argAddress(hart, 1), PATH_FIRST);
  if (bytes <= 0) return bytes === 0 ? -ENOENT : bytes;
  const bytes2 = loadPath(hart, argAddress(hart, 3), PATH_SECOND);
  if (bytes2 <= 0) return bytes2 === 0 ? -ENOENT : bytes2;
  const from = startFile(hart, argInt(hart, 0), PATH_FIRST);
  if (from < 0) return from;
  const to = startFile(hart, argInt(hart, 2), PATH_SECOND);
  const result = to < 0 ? to : renameFrom(hart, startDentry(hart, from), bytes, startDentry(hart, to), bytes2, flags);
  if (from !== 0) fput(hart, from);
  if (to > 0) fput(hart, to);
  return result;
}

function renameFrom(hart: Hart, from: number, bytes: number, to: number, bytes2: number, flags: number): number {
  const error = pathLockTwo(hart, from, bytes, WALK_WRITE, to, bytes2, CREATE | WALK_WHOLE);
  // Linux looks at the two directories before it looks for the names.
  if (error === -ENOENT && isAcross(hart, from, bytes, to, bytes2)) return -EXDEV;
  if (error !== 0) return error;
  const result = renameEntry(hart, flags);
  pathUnlock(hart, WALK_WRITE);
  return result;
}

/** Are the directories of the two paths there, and in different file systems? */
function isAcross(hart: Hart, from: number, bytes: number, to: number, bytes2: number): boolean {
  const first = superOfParent(hart, from, hart.base + PATH_FIRST, bytes);
  const second = superOfParent(hart, to, hart.base + PATH_SECOND, bytes2);
  return first > 0 && second > 0 && first !== second;
}

/** The file system of the directory that the last name of a path is in, or -errno. */
function superOfParent(hart: Hart, start: number, path: number, bytes: number): number {
  const { u8 } = hart.shared;
  let end = bytes;
  while (end > 0 && u8[path + end - 1] === SLASH) end--;
  while (end > 0 && u8[path + end - 1] !== SLASH) end--;
  const error = pathLock(hart, start, path, end, WALK_FOLLOW | WALK_DIRECTORY);
  if (error !== 0) return error;
  const superBlock = hart.shared.get(hart.shared.get(hart.walk.dentry + DENTRY_INODE) + INODE_SUPER);
  pathUnlock(hart, 0);
  return superBlock;
}
