// Open files (struct file): what descriptors of any process may share. What a file can do is decided by its kind
// (file-ops.ts); the table of descriptors is in files.ts.

import {
  DENTRY_INODE,
  FILE_BYTES,
  FILE_DENTRY,
  FILE_FLAGS,
  FILE_INODE,
  FILE_KIND,
  FILE_REFCOUNT,
  FILE_SERIAL,
  MACHINE_BASE,
  MACHINE_FILE_SERIAL,
  POOL_FILE,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";
import { O_ACCMODE, O_PATH, O_RDONLY, O_WRONLY } from "../uapi.ts";

/** A file of `kind` with one reference, or 0. It takes over the caller's reference to `dentry` if it succeeds. */
export function allocFile(hart: Hart, kind: number, flags: number, dentry: number): number {
  const { shared } = hart;
  const file = kmemCacheAlloc(hart, POOL_FILE);
  if (file === 0) return 0;
  hart.core.zeroBytes(file, FILE_BYTES);
  shared.set(file + FILE_KIND, kind);
  shared.set(file + FILE_FLAGS, flags);
  shared.set(file + FILE_DENTRY, dentry);
  shared.set(file + FILE_SERIAL, shared.fetchAdd(MACHINE_BASE + MACHINE_FILE_SERIAL, 1));
  shared.set(file + FILE_INODE, shared.get(dentry + DENTRY_INODE));
  shared.storeRelease(file + FILE_REFCOUNT, 1);
  return file;
}

/** Another reference for a caller who has one. */
export function getFile(hart: Hart, file: number): number {
  hart.shared.fetchAdd(file + FILE_REFCOUNT, 1);
  return file;
}

/** Counts in whatever file the record is now, if it is one: for who has no reference. (Linux: get_file_rcu) */
export function getFileNotZero(hart: Hart, file: number): boolean {
  const { shared } = hart;
  for (;;) {
    const count = shared.loadOnce(file + FILE_REFCOUNT);
    if (count <= 0) return false;
    if (shared.compareExchange(file + FILE_REFCOUNT, count, count + 1) === count) return true;
  }
}

/** Open for reading? An O_PATH file is open for neither. */
export function isReadable(hart: Hart, file: number): boolean {
  const flags = hart.shared.loadOnce(file + FILE_FLAGS);
  return (flags & O_PATH) === 0 && (flags & O_ACCMODE) !== O_WRONLY;
}

export function isWritable(hart: Hart, file: number): boolean {
  const flags = hart.shared.loadOnce(file + FILE_FLAGS);
  return (flags & O_PATH) === 0 && (flags & O_ACCMODE) !== O_RDONLY;
}
