// A walk from beginning to end, with FS_LOCK around it:
//
//   pathLock(start, path, flags)  ──►  0: FS_LOCK is held, hart.walk says what was found; pathUnlock ends it
//                                 └─►  -errno: nothing is held
//
// A name that a file system with a backing store does not have in the tree yet is brought in with no lock held, and the
// walk begins again.

import { DENTRY_INODE, HART_BUFFER } from "../../assembly/layout.ts";
import type { PathWalk } from "../memory/path-walk.ts";
import type { Hart } from "../policy/hart.ts";
import { dget, dput } from "./dentry.ts";
import { fsTypeOf } from "./inode.ts";
import { fsReadLock, fsReadUnlock, fsWriteLock, fsWriteUnlock } from "./lock.ts";
import { HOLLOW, MISSING, WALK_WRITE, walkWhole } from "./path-walk.ts";
import { PATH_MAX } from "./uapi.ts";

/** Where paths lie in HART_BUFFER, PATH_MAX bytes each. */
export const PATH_FIRST = HART_BUFFER;
export const PATH_SECOND = HART_BUFFER + 2 * PATH_MAX;
const MISSING_NAME = HART_BUFFER + 4 * PATH_MAX;

/** Walks from dentry `start` (0: the working directory); the caller holds a reference to it. See above. */
export function pathLock(hart: Hart, start: number, path: number, bytes: number, flags: number): number {
  const { walk } = hart;
  for (;;) {
    lockFor(hart, flags);
    const error = walkWhole(hart, walk, start, path, bytes, flags);
    if (error === 0) return 0;
    const next = afterFailure(hart, walk, error, flags);
    if (next !== 0) return next;
  }
}

/** Walks two paths under one FS_LOCK, held for write: hart.walk and hart.walk2. */
export function pathLockTwo(
  hart: Hart,
  start: number,
  bytes: number,
  flags: number,
  start2: number,
  bytes2: number,
  flags2: number,
): number {
  const { walk, walk2 } = hart;
  for (;;) {
    fsWriteLock(hart);
    let failed = walk;
    let error = walkWhole(hart, walk, start, hart.base + PATH_FIRST, bytes, flags);
    if (error === 0) {
      failed = walk2;
      error = walkWhole(hart, walk2, start2, hart.base + PATH_SECOND, bytes2, flags2);
    }
    if (error === 0) return 0;
    const next = afterFailure(hart, failed, error, WALK_WRITE);
    if (next !== 0) return next;
  }
}

/** Ends what pathLock or pathLockTwo began; `flags` as there. */
export function pathUnlock(hart: Hart, flags: number): void {
  if ((flags & WALK_WRITE) !== 0) fsWriteUnlock(hart);
  else fsReadUnlock(hart);
  dropHeld(hart, hart.walk);
  dropHeld(hart, hart.walk2);
}

function lockFor(hart: Hart, flags: number): void {
  if ((flags & WALK_WRITE) !== 0) fsWriteLock(hart);
  else fsReadLock(hart);
}

/** Lets go of FS_LOCK and brings in what was missing: 0 to walk again, or -errno. */
function afterFailure(hart: Hart, walk: PathWalk, error: number, flags: number): number {
  if (error === HOLLOW) return fillDirectory(hart, walk.dentry, flags);
  if (error !== MISSING) {
    pathUnlock(hart, flags);
    return error;
  }
  const directory = dget(hart, walk.parent);
  const { nameBytes } = walk;
  const type = fsTypeOf(hart, hart.shared.get(directory + DENTRY_INODE));
  hart.core.copyBytes(hart.base + MISSING_NAME, walk.name, nameBytes);
  pathUnlock(hart, flags);
  const result = type.lookup(hart, directory, hart.base + MISSING_NAME, nameBytes);
  dput(hart, directory);
  return result;
}

function fillDirectory(hart: Hart, dentry: number, flags: number): number {
  const directory = dget(hart, dentry);
  const type = fsTypeOf(hart, hart.shared.get(directory + DENTRY_INODE));
  pathUnlock(hart, flags);
  const result = type.populate(hart, directory);
  dput(hart, directory);
  return result;
}

/** Requires: FS_LOCK is not held. */
export function dropHeld(hart: Hart, walk: PathWalk): void {
  while (walk.jumpCount > 0) dput(hart, walk.jumps[--walk.jumpCount]);
  if (walk.held === 0) return;
  const { held } = walk;
  walk.held = 0;
  dput(hart, held);
}
