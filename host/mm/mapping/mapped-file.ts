// mmap of a file: what its mode allows. (Linux: the file part of do_mmap in mm/mmap.c, shmem_mmap in mm/shmem.c)

import { MAPPING_FLAGS, VM_MAYEXEC, VM_MAYSHARE, VM_MAYWRITE, VM_SHARED, VM_WRITE } from "../../../assembly/layout.ts";
import { EACCES, EINVAL, ENODEV, EOPNOTSUPP, EPERM } from "../../memory/errno.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import {
  F_SEAL_FUTURE_WRITE,
  F_SEAL_WRITE,
  MAP_DENYWRITE,
  MAP_EXECUTABLE,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_TYPE,
  MAP_UNINITIALIZED,
  PROT_EXEC,
  PROT_WRITE,
} from "../uapi.ts";

/** An open file as mmap sees it. */
export interface MappedFile {
  /** struct file, which each vma of it counts by hart.fileHooks. */
  readonly file: number;
  /** Its pages, or 0: it can not be mapped. */
  readonly mapping: number;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  /** O_APPEND, or an append-only inode. */
  readonly isAppend: boolean;
  /** On a file system mounted noexec. */
  readonly isNoexec: boolean;
}

const LEGACY_MAP_MASK =
  MAP_TYPE |
  MAP_FIXED |
  MAP_FIXED_NOREPLACE |
  MAP_GROWSDOWN |
  MAP_DENYWRITE |
  MAP_EXECUTABLE |
  MAP_LOCKED |
  MAP_NORESERVE |
  MAP_POPULATE |
  MAP_NONBLOCK |
  MAP_STACK |
  MAP_UNINITIALIZED;

/** `flags` (VM_*, without VM_SHARED) of the new vma as the file allows them, or -errno, in Linux's order of checks. */
export function fileVmFlags(source: MappedFile, prot: number, mapFlags: number, flags: number): number {
  const kind = mapFlags & MAP_TYPE;
  let allowed = flags;
  if (kind === MAP_SHARED || kind === MAP_SHARED_VALIDATE) {
    if (kind === MAP_SHARED_VALIDATE && (mapFlags & ~LEGACY_MAP_MASK) !== 0) return -EOPNOTSUPP;
    if ((prot & PROT_WRITE) !== 0 && !source.canWrite) return -EACCES;
    if (source.isAppend && source.canWrite) return -EACCES;
    allowed |= VM_SHARED | VM_MAYSHARE;
    // Nobody can ever write through it: then it is a private mapping that nobody copies.
    if (!source.canWrite) allowed &= ~(VM_MAYWRITE | VM_SHARED);
  } else if (kind !== MAP_PRIVATE) {
    return -EINVAL;
  }
  if (!source.canRead) return -EACCES;
  if (source.isNoexec) {
    if ((prot & PROT_EXEC) !== 0) return -EPERM;
    allowed &= ~VM_MAYEXEC;
  }
  if (source.mapping === 0) return -ENODEV;
  if ((mapFlags & MAP_GROWSDOWN) !== 0) return -EINVAL;
  return allowed;
}

/** What a sealed memfd still lets a new vma do: its flags, or -EPERM. (Linux: memfd_check_seals_mmap) */
export function sealedVmFlags(hart: HartLocal, mapping: number, flags: number): number {
  const seals = hart.shared.loadAcquire(mapping + MAPPING_FLAGS) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
  if (seals === 0 || (flags & VM_SHARED) === 0) return flags;
  return (flags & VM_WRITE) !== 0 ? -EPERM : flags & ~VM_MAYWRITE;
}
