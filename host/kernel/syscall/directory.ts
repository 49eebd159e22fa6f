// Directories and where a process stands in the tree: getdents64, getcwd, chdir, chroot, umask.

import {
  DENTRY_INODE,
  FILE_KIND,
  FILE_KIND_PATH,
  FS_CWD,
  FS_ROOT,
  FS_UMASK,
  HART_BUFFER,
  HART_BUFFER_BYTES,
  TASK_FS,
} from "../../../assembly/layout.ts";
import { dget } from "../../fs/dentry.ts";
import { fullPath, isUnlinked } from "../../fs/full-path.ts";
import { fileType } from "../../fs/inode.ts";
import { fsReadLock, fsReadUnlock } from "../../fs/lock.ts";
import { PATH_MAX, S_IFDIR } from "../../fs/uapi.ts";
import { EBADF, EFAULT, ENOENT, ENOTDIR, ERANGE } from "../../memory/errno.ts";
import { copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { readDirectory } from "../file/directory.ts";
import { setFsDirectory } from "../file/fs-struct.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { AT_FDCWD } from "../uapi.ts";
import { startDentry, withDentry, withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const directoryCalls: readonly (readonly [number, SystemCall])[] = [
  [17, call("getcwd", ["pointer", "size"], sysGetcwd)],
  [49, call("chdir", ["path"], sysChdir)],
  [50, call("fchdir", ["fd"], sysFchdir)],
  [51, call("chroot", ["path"], sysChroot)],
  [61, call("getdents64", ["fd", "pointer", "uint"], sysGetdents64)],
  [166, call("umask", ["octal"], sysUmask, "octal")],
];

function sysGetdents64(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => {
    if (hart.shared.get(file + FILE_KIND) === FILE_KIND_PATH) return -EBADF;
    return readDirectory(hart, file, argAddress(hart, 1), argUint(hart, 2));
  });
}

/** The result counts the NUL. */
function sysGetcwd(hart: Hart): number {
  const { shared } = hart;
  const fs = shared.get(hart.current + TASK_FS);
  const end = hart.base + HART_BUFFER + HART_BUFFER_BYTES - 1;
  shared.u8[end] = 0;
  fsReadLock(hart);
  const cwd = shared.get(fs + FS_CWD);
  const bytes = isUnlinked(hart, cwd) ? -ENOENT : fullPath(hart, cwd, shared.get(fs + FS_ROOT), end, PATH_MAX - 1);
  fsReadUnlock(hart);
  if (bytes < 0) return bytes;
  if (argAddress(hart, 1) < bytes + 1) return -ERANGE;
  return copyToUser(hart, argAddress(hart, 0), end - bytes, bytes + 1) < 0 ? -EFAULT : bytes + 1;
}

function sysChdir(hart: Hart): number {
  return withDentry(hart, AT_FDCWD, argAddress(hart, 0), 0, (dentry) => enter(hart, FS_CWD, dentry));
}

function sysFchdir(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => enter(hart, FS_CWD, startDentry(hart, file)));
}

function sysChroot(hart: Hart): number {
  return withDentry(hart, AT_FDCWD, argAddress(hart, 0), 0, (dentry) => enter(hart, FS_ROOT, dentry));
}

function enter(hart: Hart, field: number, dentry: number): number {
  if (fileType(hart, hart.shared.get(dentry + DENTRY_INODE)) !== S_IFDIR) return -ENOTDIR;
  setFsDirectory(hart, field, dget(hart, dentry));
  return 0;
}

function sysUmask(hart: Hart): number {
  return hart.shared.exchange(hart.shared.get(hart.current + TASK_FS) + FS_UMASK, argUint(hart, 0) & 0o777);
}
