// Calls that make descriptors of files: openat, pipe2. (Linux: do_sys_openat2 in fs/open.c, do_pipe2 in fs/pipe.c)

import { FILE_KIND_PIPE, HART_BUFFER, HART_KERNEL_SCRATCH, TASK_RESTART_FILE } from "../../../assembly/layout.ts";
import { dget, dput } from "../../fs/dentry.ts";
import { PATH_FIRST } from "../../fs/path-lock.ts";
import { PERMISSION_BITS, S_IFIFO } from "../../fs/uapi.ts";
import { E2BIG, EFAULT, EINVAL, ENFILE, ENOMEM } from "../../memory/errno.ts";
import { copyFromUser, copyToUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { anonymousDentry, PIPE_NAME } from "../file/anonymous-file.ts";
import { resumeFifo } from "../file/fifo.ts";
import { allocFile } from "../file/file.ts";
import { closeFd, fileLimit, fput, installFd } from "../file/files.ts";
import { openPath } from "../file/open.ts";
import { openPipeEnd } from "../file/pipe-end.ts";
import { argAddress, argInt, argUint, loadU64 } from "../registers.ts";
import { isRestart } from "../sched/wait.ts";
import { FD_CLOEXEC, O_CLOEXEC, O_CREAT, O_DIRECT, O_LARGEFILE, O_NONBLOCK, O_RDONLY, O_WRONLY } from "../uapi.ts";
import { withPath } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

const OPENAT = 56;
const OPENAT2 = 437;

export const openCalls: readonly (readonly [number, SystemCall])[] = [
  [OPENAT, call("openat", ["dirfd", "path", "octal", "octal"], sysOpenat, "fd")],
  [OPENAT2, call("openat2", ["dirfd", "path", "pointer", "size"], sysOpenat2, "fd")],
  [59, call("pipe2", ["pointer", "octal"], sysPipe2)],
];

function sysOpenat(hart: Hart): number {
  return openAt(hart, OPENAT, argInt(hart, 2), argUint(hart, 3));
}

// struct open_how: u64 flags, mode, resolve
const HOW_BYTES = 24;
const HOW_BYTES_MAX = 4096;
const HOW_FLAGS_KNOWN = 0o37777703; // VALID_OPEN_FLAGS

/** openat with flags that are all looked at. (build_open_flags) */
function sysOpenat2(hart: Hart): number {
  const [va, bytes] = [argAddress(hart, 2), argAddress(hart, 3)];
  if (bytes < HOW_BYTES) return -EINVAL;
  if (bytes > HOW_BYTES_MAX) return -E2BIG;
  const buffer = hart.base + HART_BUFFER;
  if (copyFromUser(hart, buffer, va, bytes) < 0) return -EFAULT;
  for (let i = HOW_BYTES; i < bytes; i++) if (hart.shared.u8[buffer + i] !== 0) return -E2BIG;
  const [flags, mode, resolve] = [0, 8, 16].map((field) => loadU64(hart, buffer + field));
  if (flags >= 2 ** 31 || (flags & ~HOW_FLAGS_KNOWN) !== 0 || resolve !== 0) return -EINVAL;
  if ((flags & O_CREAT) === 0 ? mode !== 0 : mode > PERMISSION_BITS) return -EINVAL;
  return openAt(hart, OPENAT2, flags, mode);
}

function openAt(hart: Hart, call: number, flags: number, mode: number): number {
  const waited = isRestart(hart, call) && hart.shared.get(hart.current + TASK_RESTART_FILE) !== 0;
  const file = waited ? resumeFifo(hart) : open(hart, flags, mode);
  if (file < 0) return file;
  return installOrDrop(hart, file, flags);
}

function open(hart: Hart, flags: number, mode: number): number {
  return withPath(hart, argInt(hart, 0), argAddress(hart, 1), (start, bytes) =>
    openPath(hart, start, hart.base + PATH_FIRST, bytes, flags | O_LARGEFILE, mode),
  );
}

/** The descriptor, or -EMFILE. */
export function installOrDrop(hart: Hart, file: number, flags: number): number {
  const fd = installFd(hart, file, 0, fileLimit(hart), (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
  if (fd < 0) fput(hart, file);
  return fd;
}

function sysPipe2(hart: Hart): number {
  const flags = argInt(hart, 1);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -EINVAL;
  // O_DIRECT would keep writes apart as packets.
  if ((flags & O_DIRECT) !== 0) return -EINVAL;
  prepareResult(hart, argAddress(hart, 0), 8);
  const dentry = anonymousDentry(hart, S_IFIFO | 0o600, PIPE_NAME);
  if (dentry === 0) return -ENFILE;
  const readEnd = openEnd(hart, dget(hart, dentry), O_RDONLY | (flags & O_NONBLOCK));
  const writeEnd = readEnd < 0 ? readEnd : openEnd(hart, dget(hart, dentry), O_WRONLY | (flags & O_NONBLOCK));
  dput(hart, dentry);
  if (writeEnd < 0) {
    if (readEnd > 0) fput(hart, readEnd);
    return writeEnd;
  }
  return installEnds(hart, readEnd, writeEnd, flags);
}

/** An end of the pipe at `dentry`, whose reference it takes over; or -errno. */
function openEnd(hart: Hart, dentry: number, flags: number): number {
  const file = allocFile(hart, FILE_KIND_PIPE, flags, dentry);
  if (file === 0) {
    dput(hart, dentry);
    return -ENFILE;
  }
  if (openPipeEnd(hart, file)) return file;
  fput(hart, file);
  return -ENOMEM;
}

function installEnds(hart: Hart, readEnd: number, writeEnd: number, flags: number): number {
  const readFd = installOrDrop(hart, readEnd, flags);
  if (readFd < 0) {
    fput(hart, writeEnd);
    return readFd;
  }
  const writeFd = installOrDrop(hart, writeEnd, flags);
  if (writeFd < 0) {
    closeFd(hart, readFd);
    return writeFd;
  }
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  hart.shared.set(scratch, readFd);
  hart.shared.set(scratch + 4, writeFd);
  if (copyToUser(hart, argAddress(hart, 0), scratch, 8) === 0) return 0;
  closeFd(hart, readFd);
  closeFd(hart, writeFd);
  return -EFAULT;
}
