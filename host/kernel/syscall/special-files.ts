// Files that no path leads to: eventfd2, memfd_create, userfaultfd; and what splices between files is not there.
// (Linux: fs/eventfd.c, mm/memfd.c)

import {
  FILE_EVENT_COUNT,
  FILE_EVENT_SEMAPHORE,
  FILE_INODE,
  FILE_KIND_EVENTFD,
  FILE_KIND_REGULAR,
  HART_BUFFER,
  INODE_MAPPING,
  MAPPING_FLAGS,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { dput } from "../../fs/dentry.ts";
import { EFAULT, EINVAL, ENFILE, ENOMEM } from "../../memory/errno.ts";
import { strncpyFromUser } from "../../mm/uaccess.ts";
import { F_SEAL_SEAL } from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { anonymousFile } from "../file/anonymous-file.ts";
import { allocFile } from "../file/file.ts";
import { memoryDentry } from "../file/memory-dentry.ts";
import { freeContext, newContext, userfaultfdFile } from "../memory/userfaultfd.ts";
import { UFFD_USER_MODE_ONLY } from "../memory/userfaultfd-uapi.ts";
import { argAddress, argUint } from "../registers.ts";
import { O_CLOEXEC, O_LARGEFILE, O_NONBLOCK, O_RDWR } from "../uapi.ts";
import { installOrDrop } from "./open.ts";
import { call, type SystemCall } from "./types.ts";

export const specialFilesCalls: readonly (readonly [number, SystemCall])[] = [
  [19, call("eventfd2", ["uint", "octal"], sysEventfd2, "fd")],
  [282, call("userfaultfd", ["octal"], sysUserfaultfd, "fd")],
  [279, call("memfd_create", ["path", "hex"], sysMemfdCreate, "fd")],
];

const EFD_SEMAPHORE = 1;

function sysEventfd2(hart: Hart): number {
  const flags = argUint(hart, 1);
  if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const file = anonymousFile(hart, FILE_KIND_EVENTFD, 0o600, O_RDWR | (flags & O_NONBLOCK), "anon_inode:[eventfd]");
  if (file === 0) return -ENFILE;
  hart.shared.set(file + FILE_EVENT_SEMAPHORE, flags & EFD_SEMAPHORE);
  hart.shared.setF64(file + FILE_EVENT_COUNT, argUint(hart, 0));
  return installOrDrop(hart, file, flags);
}

function sysUserfaultfd(hart: Hart): number {
  const flags = argUint(hart, 0);
  if ((flags & ~(UFFD_USER_MODE_ONLY | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const context = newContext(hart, hart.shared.get(hart.current + TASK_MM), flags);
  if (context === 0) return -ENOMEM;
  const file = userfaultfdFile(hart, context);
  if (file === 0) {
    freeContext(hart, context);
    return -ENFILE;
  }
  return installOrDrop(hart, file, flags);
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_NOEXEC_SEAL = 8;
const MFD_EXEC = 16;
const PREFIX = "memfd:";
const NAME_BYTES_MAX = 249; // NAME_MAX without the prefix

function sysMemfdCreate(hart: Hart): number {
  const flags = argUint(hart, 1);
  if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)) !== 0) return -EINVAL;
  if ((flags & MFD_NOEXEC_SEAL) !== 0 && (flags & MFD_EXEC) !== 0) return -EINVAL;
  const name = hart.base + HART_BUFFER;
  const bytes = strncpyFromUser(hart, name + PREFIX.length, argAddress(hart, 0), NAME_BYTES_MAX + 1);
  if (bytes < 0) return -EFAULT;
  if (bytes > NAME_BYTES_MAX) return -EINVAL;
  for (let i = 0; i < PREFIX.length; i++) hart.shared.u8[name + i] = PREFIX.charCodeAt(i);
  const isExecutable = (flags & MFD_NOEXEC_SEAL) === 0;
  const dentry = memoryDentry(hart, name, PREFIX.length + bytes, isExecutable ? 0o777 : 0o666);
  if (dentry < 0) return dentry;
  const file = allocFile(hart, FILE_KIND_REGULAR, O_RDWR | O_LARGEFILE, dentry);
  if (file === 0) {
    dput(hart, dentry);
    return -ENFILE;
  }
  if ((flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)) === 0) forbidSeals(hart, file);
  return installOrDrop(hart, file, (flags & MFD_CLOEXEC) !== 0 ? O_CLOEXEC : 0);
}

function forbidSeals(hart: Hart, file: number): void {
  const inode = hart.shared.get(file + FILE_INODE);
  hart.shared.fetchOr(hart.shared.get(inode + INODE_MAPPING) + MAPPING_FLAGS, F_SEAL_SEAL);
}
