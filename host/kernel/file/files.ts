// Descriptor tables (files_struct) and open files (struct file). A table is shared by the threads of a group; its
// lock guards the slots, each of which holds one reference to its file; who only looks one up takes no lock.

import {
  FD_COUNT_MAX,
  FD_RECORD_BYTES,
  FILE_CONSOLE_FD,
  FILE_DENTRY,
  FILE_INODE,
  FILE_KIND_CONSOLE,
  FILE_REFCOUNT,
  FILES_BYTES,
  FILES_END,
  FILES_FIRST_FREE,
  FILES_LOCK,
  FILES_REFCOUNT,
  FILES_TABLE,
  POOL_FILE,
  POOL_FILES,
  TASK_FILES,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { dput } from "../../fs/dentry.ts";
import { S_IFIFO } from "../../fs/uapi.ts";
import { reapDetached } from "../../fs/unmount.ts";
import { EBADF, EMFILE } from "../../memory/errno.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { softLimit } from "../process/process.ts";
import { FD_CLOEXEC, O_RDONLY, O_RDWR, O_WRONLY, RLIMIT_NOFILE } from "../uapi.ts";
import { anonymousDentry, PIPE_NAME } from "./anonymous-file.ts";
import { allocFile, getFileNotZero } from "./file.ts";
import { opsOf } from "./file-kinds.ts";
import { dropFileLocks } from "./file-locks.ts";
import { consoleDentry } from "./mount-root.ts";

const FD_FILE = 0; // fields of a slot
const FD_FLAGS = 4;

/** A table with the host's stdin, stdout and stderr as descriptors 0, 1 and 2, or 0. Before the first task runs. */
export function allocConsoleFiles(hart: Hart, isTty: boolean): number {
  const files = allocFiles(hart);
  if (files === 0) return 0;
  for (let fd = 0; fd <= 2; fd++) {
    const file = allocConsoleFile(hart, fd, isTty);
    if (file === 0) return 0;
    hart.shared.set(slotOf(files, fd) + FD_FILE, file);
  }
  hart.shared.set(files + FILES_FIRST_FREE, 3);
  hart.shared.set(files + FILES_END, 3);
  return files;
}

function allocFiles(hart: Hart): number {
  const files = kmemCacheAlloc(hart, POOL_FILES);
  if (files === 0) return 0;
  hart.core.zeroBytes(files, FILES_BYTES);
  hart.shared.storeRelease(files + FILES_REFCOUNT, 1);
  return files;
}

/**
 * A terminal is /dev/console; with pipes each stream is one of its own. The dentry has a name and an inode to look at,
 * the bytes are the console's.
 */
function allocConsoleFile(hart: Hart, hostFd: number, isTty: boolean): number {
  // A login shell has one terminal open for reading and writing; with pipes each end has its direction.
  const flags = isTty ? O_RDWR : hostFd === 0 ? O_RDONLY : O_WRONLY;
  const dentry = isTty ? consoleDentry(hart) : anonymousDentry(hart, S_IFIFO | 0o600, PIPE_NAME);
  const file = dentry === 0 ? 0 : allocFile(hart, FILE_KIND_CONSOLE, flags, dentry);
  if (file !== 0) hart.shared.set(file + FILE_CONSOLE_FD, hostFd);
  return file;
}

export function getFiles(hart: Hart, files: number): number {
  hart.shared.fetchAdd(files + FILES_REFCOUNT, 1);
  return files;
}

/** A table of its own with the same open files, or 0. (dup_fd) */
export function dupFiles(hart: Hart, from: number): number {
  const files = allocFiles(hart);
  if (files === 0) return 0;
  const { shared } = hart;
  spinLock(hart, from + FILES_LOCK);
  const end = shared.get(from + FILES_END);
  for (let fd = 0; fd < end; fd++) {
    const file = shared.get(slotOf(from, fd) + FD_FILE);
    if (file === 0) continue;
    shared.fetchAdd(file + FILE_REFCOUNT, 1);
    shared.set(slotOf(files, fd) + FD_FILE, file);
    shared.set(slotOf(files, fd) + FD_FLAGS, shared.get(slotOf(from, fd) + FD_FLAGS));
  }
  shared.set(files + FILES_FIRST_FREE, shared.get(from + FILES_FIRST_FREE));
  shared.set(files + FILES_END, end);
  spinUnlock(hart, from + FILES_LOCK);
  return files;
}

/** The last reference closes every descriptor. */
export function putFiles(hart: Hart, files: number): void {
  const { shared } = hart;
  if (shared.fetchAdd(files + FILES_REFCOUNT, -1) !== 1) return;
  for (let fd = 0; fd < shared.get(files + FILES_END); fd++) {
    const file = shared.get(slotOf(files, fd) + FD_FILE);
    if (file !== 0) dropDescriptor(hart, files, file);
  }
  kmemCacheFree(hart, POOL_FILES, files);
}

/**
 * The file behind descriptor `fd` of the current task with a reference of the caller's own (fput), or 0: EBADF. Takes
 * no lock: the file may be closed meanwhile and its record be another one, which the second look at the slot finds out.
 * (Linux: __fget_files_rcu; filp is SLAB_TYPESAFE_BY_RCU)
 */
export function fget(hart: Hart, fd: number): number {
  if (fd < 0 || fd >= FD_COUNT_MAX) return 0;
  const { shared } = hart;
  const slot = slotOf(shared.get(hart.current + TASK_FILES), fd) + FD_FILE;
  for (;;) {
    rcuReadLock(hart);
    const file = shared.loadAcquire(slot);
    const isCounted = file !== 0 && getFileNotZero(hart, file);
    rcuReadUnlock(hart);
    if (file === 0) return 0;
    if (!isCounted) continue; // its last reference was that of a slot which has changed since
    if (shared.loadAcquire(slot) === file) return file;
    fput(hart, file);
  }
}

/** The last reference closes the file. No lock held. */
export function fput(hart: Hart, file: number): void {
  const { shared } = hart;
  if (shared.fetchAdd(file + FILE_REFCOUNT, -1) !== 1) return;
  opsOf(hart, file).release(hart, file);
  dropFileLocks(hart, shared.get(file + FILE_INODE), file);
  const dentry = shared.get(file + FILE_DENTRY);
  kmemCacheFree(hart, POOL_FILE, file);
  dput(hart, dentry);
  reapDetached(hart);
}

/**
 * Closes every descriptor of `files` that says so (execve). The table is the caller's alone. (Linux:
 * do_close_on_exec)
 */
export function closeOnExec(hart: Hart, files: number): void {
  const { shared } = hart;
  for (let fd = 0; fd < shared.get(files + FILES_END); fd++) {
    const slot = slotOf(files, fd);
    const file = shared.get(slot + FD_FILE);
    if (file === 0 || (shared.get(slot + FD_FLAGS) & FD_CLOEXEC) === 0) continue;
    spinLock(hart, files + FILES_LOCK);
    shared.storeRelease(slot + FD_FILE, 0);
    if (fd < shared.get(files + FILES_FIRST_FREE)) shared.set(files + FILES_FIRST_FREE, fd);
    spinUnlock(hart, files + FILES_LOCK);
    dropDescriptor(hart, files, file);
  }
}

/** Puts `file` (and the caller's reference) into the lowest free slot in [from, limit); the descriptor, or -EMFILE. */
export function installFd(hart: Hart, file: number, from: number, limit: number, fdFlags: number): number {
  const { shared } = hart;
  const files = shared.get(hart.current + TASK_FILES);
  spinLock(hart, files + FILES_LOCK);
  const firstFree = shared.get(files + FILES_FIRST_FREE);
  let fd = Math.max(from, firstFree);
  while (fd < limit && shared.get(slotOf(files, fd) + FD_FILE) !== 0) fd++;
  if (fd < limit) {
    shared.storeRelease(slotOf(files, fd) + FD_FILE, file);
    shared.set(slotOf(files, fd) + FD_FLAGS, fdFlags);
    if (from <= firstFree) shared.set(files + FILES_FIRST_FREE, fd + 1);
    if (fd >= shared.get(files + FILES_END)) shared.set(files + FILES_END, fd + 1);
  }
  spinUnlock(hart, files + FILES_LOCK);
  return fd < limit ? fd : -EMFILE;
}

/** Puts `file` (0: nothing) into slot `fd` and returns what was there; that reference is now the caller's. */
export function replaceFd(hart: Hart, fd: number, file: number, fdFlags: number): number {
  const { shared } = hart;
  const files = shared.get(hart.current + TASK_FILES);
  const slot = slotOf(files, fd);
  spinLock(hart, files + FILES_LOCK);
  const old = shared.get(slot + FD_FILE);
  shared.storeRelease(slot + FD_FILE, file);
  shared.set(slot + FD_FLAGS, fdFlags);
  if (fd >= shared.get(files + FILES_END)) shared.set(files + FILES_END, fd + 1);
  if (file === 0 && old !== 0 && fd < shared.get(files + FILES_FIRST_FREE)) shared.set(files + FILES_FIRST_FREE, fd);
  spinUnlock(hart, files + FILES_LOCK);
  return old;
}

/** FD_CLOEXEC or 0 of an open descriptor. */
export function fdFlags(hart: Hart, fd: number): number {
  return hart.shared.get(slotOf(hart.shared.get(hart.current + TASK_FILES), fd) + FD_FLAGS);
}

export function setFdFlags(hart: Hart, fd: number, flags: number): void {
  const files = hart.shared.get(hart.current + TASK_FILES);
  spinLock(hart, files + FILES_LOCK);
  hart.shared.set(slotOf(files, fd) + FD_FLAGS, flags);
  spinUnlock(hart, files + FILES_LOCK);
}

/** Closes descriptor `fd` of the current task; false if it is not open. */
export function closeFd(hart: Hart, fd: number): boolean {
  if (fd < 0 || fd >= FD_COUNT_MAX) return false;
  const file = replaceFd(hart, fd, 0, 0);
  if (file === 0) return false;
  dropDescriptor(hart, hart.shared.get(hart.current + TASK_FILES), file);
  return true;
}

/**
 * A descriptor of table `files` no longer leads to `file`, whose reference it drops. POSIX wants all locks of the
 * process on that file to go with any of its descriptors. (Linux: filp_close)
 */
export function dropDescriptor(hart: Hart, files: number, file: number): void {
  dropFileLocks(hart, hart.shared.get(file + FILE_INODE), files);
  fput(hart, file);
}

/** Another descriptor, from `from` up, for what is behind `fd`; or -errno. */
export function duplicateFd(hart: Hart, fd: number, from: number, flags: number): number {
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const result = installFd(hart, file, from, fileLimit(hart), flags);
  if (result < 0) fput(hart, file);
  return result;
}

/** How many descriptors the current process may have: RLIMIT_NOFILE. */
export function fileLimit(hart: Hart): number {
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  return Math.min(softLimit(hart.shared, process, RLIMIT_NOFILE), FD_COUNT_MAX);
}

function slotOf(files: number, fd: number): number {
  return files + FILES_TABLE + fd * FD_RECORD_BYTES;
}
