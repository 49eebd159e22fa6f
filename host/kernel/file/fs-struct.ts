// fs_struct: working directory, root and umask, shared by threads (CLONE_FS). The two dentries change under FS_LOCK
// held for write, so that a walk may use them without references of its own.

import { FS_BYTES, FS_CWD, FS_REFCOUNT, FS_ROOT, FS_UMASK, POOL_FS, TASK_FS } from "../../../assembly/layout.ts";
import { dget, dput } from "../../fs/dentry.ts";
import { fsReadLock, fsReadUnlock, fsWriteLock, fsWriteUnlock } from "../../fs/lock.ts";
import { reapDetached } from "../../fs/unmount.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";

const UMASK_DEFAULT = 0o022;

/** The fs_struct of the first process: both directories are `root`. 0: none left. */
export function allocFs(hart: Hart, root: number): number {
  const { shared } = hart;
  const fs = kmemCacheAlloc(hart, POOL_FS);
  if (fs === 0) return 0;
  hart.core.zeroBytes(fs, FS_BYTES);
  shared.set(fs + FS_CWD, dget(hart, root));
  shared.set(fs + FS_ROOT, dget(hart, root));
  shared.set(fs + FS_UMASK, UMASK_DEFAULT);
  shared.storeRelease(fs + FS_REFCOUNT, 1);
  return fs;
}

/** Another task shares `fs` (CLONE_FS). */
export function getFs(hart: Hart, fs: number): number {
  hart.shared.fetchAdd(fs + FS_REFCOUNT, 1);
  return fs;
}

/** No lock held: the last directory reference may free files. */
export function putFs(hart: Hart, fs: number): void {
  const { shared } = hart;
  if (shared.fetchAdd(fs + FS_REFCOUNT, -1) !== 1) return;
  dput(hart, shared.get(fs + FS_CWD));
  dput(hart, shared.get(fs + FS_ROOT));
  reapDetached(hart);
  kmemCacheFree(hart, POOL_FS, fs);
}

/** A copy for a new process (fork without CLONE_FS), or 0. */
export function copyFs(hart: Hart, fs: number): number {
  const { shared } = hart;
  const copy = kmemCacheAlloc(hart, POOL_FS);
  if (copy === 0) return 0;
  hart.core.zeroBytes(copy, FS_BYTES);
  fsReadLock(hart);
  shared.set(copy + FS_CWD, dget(hart, shared.get(fs + FS_CWD)));
  shared.set(copy + FS_ROOT, dget(hart, shared.get(fs + FS_ROOT)));
  fsReadUnlock(hart);
  shared.set(copy + FS_UMASK, shared.loadOnce(fs + FS_UMASK));
  shared.storeRelease(copy + FS_REFCOUNT, 1);
  return copy;
}

/** `field` (FS_CWD or FS_ROOT) of the current task becomes `dentry`, whose reference it takes over. */
export function setFsDirectory(hart: Hart, field: number, dentry: number): void {
  const fs = hart.shared.get(hart.current + TASK_FS);
  fsWriteLock(hart);
  const old = hart.shared.get(fs + field);
  hart.shared.set(fs + field, dentry);
  fsWriteUnlock(hart);
  dput(hart, old);
  reapDetached(hart);
}

/** File mode bits that the current task's umask leaves. */
export function applyUmask(hart: Hart, mode: number): number {
  return mode & ~hart.shared.loadOnce(hart.shared.get(hart.current + TASK_FS) + FS_UMASK);
}
