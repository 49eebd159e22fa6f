// Calls that take a path. There is no file system yet, so every name is absent, except /proc/self/exe as a link.

import { HART_BUFFER, PROCESS_EXE, PROCESS_EXE_BYTES, TASK_PROCESS } from "../../../assembly/layout.ts";
import { EBADF, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, ERANGE } from "../../memory/errno.ts";
import { copyToUser, strncpyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { fget, fput } from "../files.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { statConsole, statxConsole } from "../stat.ts";
import { call, type SystemCall } from "./types.ts";

export const pathCalls: readonly (readonly [number, SystemCall])[] = [
  [17, call("getcwd", ["pointer", "size"], sysGetcwd)],
  [48, call("faccessat", ["dirfd", "path", "int"], sysFaccessat)],
  [56, call("openat", ["dirfd", "path", "octal", "octal"], sysOpenat)],
  [78, call("readlinkat", ["dirfd", "path", "pointer", "int"], sysReadlinkat)],
  [79, call("newfstatat", ["dirfd", "path", "pointer", "hex"], sysNewfstatat)],
  [80, call("fstat", ["fd", "pointer"], sysFstat)],
  [291, call("statx", ["dirfd", "path", "hex", "hex", "pointer"], sysStatx)],
  [439, call("faccessat2", ["dirfd", "path", "int", "hex"], sysFaccessat2)],
];

const PATH_BYTES_MAX = 4096; // PATH_MAX, the NUL included
const SLASH = 0x2f;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EACCESS = 0x200;
const AT_NO_AUTOMOUNT = 0x800;
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_SYNC_TYPE = 0x6000;
const ACCESS_MODE_MASK = 7;

/** The path at `va` into HART_BUFFER: its length, 0 if it is empty, or -errno. */
function loadPath(hart: Hart, va: number): number {
  const length = strncpyFromUser(hart, hart.base + HART_BUFFER, va, PATH_BYTES_MAX);
  if (length < 0) return -EFAULT;
  return length >= PATH_BYTES_MAX ? -ENAMETOOLONG : length;
}

/** What looking up the path in HART_BUFFER from `dirfd` gives: always an error. */
function lookUp(hart: Hart, dirfd: number): number {
  if (dirfd === AT_FDCWD || hart.shared.u8[hart.base + HART_BUFFER] === SLASH) return -ENOENT;
  const file = fget(hart, dirfd);
  if (file === 0) return -EBADF;
  fput(hart, file);
  return -ENOTDIR;
}

function failedLookUp(hart: Hart): number {
  const length = loadPath(hart, argAddress(hart, 1));
  if (length < 0) return length;
  return length === 0 ? -ENOENT : lookUp(hart, argInt(hart, 0));
}

function sysOpenat(hart: Hart): number {
  return failedLookUp(hart);
}

function sysFaccessat(hart: Hart): number {
  if ((argUint(hart, 2) & ~ACCESS_MODE_MASK) !== 0) return -EINVAL;
  return failedLookUp(hart);
}

function sysFaccessat2(hart: Hart): number {
  if ((argUint(hart, 3) & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return sysFaccessat(hart);
}

function sysReadlinkat(hart: Hart): number {
  const bytesMax = argInt(hart, 3);
  if (bytesMax <= 0) return -EINVAL;
  const length = loadPath(hart, argAddress(hart, 1));
  if (length < 0) return length;
  if (!bufferHolds(hart, length, "/proc/self/exe")) return length === 0 ? -ENOENT : lookUp(hart, argInt(hart, 0));
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  const bytes = Math.min(hart.shared.get(process + PROCESS_EXE_BYTES), bytesMax);
  return copyToUser(hart, argAddress(hart, 2), process + PROCESS_EXE, bytes) < 0 ? -EFAULT : bytes;
}

function bufferHolds(hart: Hart, length: number, text: string): boolean {
  if (length !== text.length) return false;
  for (let i = 0; i < length; i++) {
    if (hart.shared.u8[hart.base + HART_BUFFER + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The working directory is the root. The result counts the NUL. */
function sysGetcwd(hart: Hart): number {
  if (argAddress(hart, 1) < 2) return -ERANGE;
  const { u8 } = hart.shared;
  u8[hart.base + HART_BUFFER] = SLASH;
  u8[hart.base + HART_BUFFER + 1] = 0;
  return copyToUser(hart, argAddress(hart, 0), hart.base + HART_BUFFER, 2) < 0 ? -EFAULT : 2;
}

function sysFstat(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => statConsole(hart, file, argAddress(hart, 1)));
}

function sysNewfstatat(hart: Hart): number {
  const flags = argUint(hart, 3);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const length = loadPath(hart, argAddress(hart, 1));
  if (length < 0) return length;
  if (length > 0) return lookUp(hart, argInt(hart, 0));
  if ((flags & AT_EMPTY_PATH) === 0) return -ENOENT;
  return withFile(hart, argInt(hart, 0), (file) => statConsole(hart, file, argAddress(hart, 2)));
}

const STATX_RESERVED = 1 << 31;

function sysStatx(hart: Hart): number {
  const flags = argUint(hart, 2);
  if ((argUint(hart, 3) & STATX_RESERVED) !== 0) return -EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) return -EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0) return -EINVAL;
  // Since Linux 6.11 a null path with AT_EMPTY_PATH is the empty path.
  const va = argAddress(hart, 1);
  const length = va === 0 && (flags & AT_EMPTY_PATH) !== 0 ? 0 : loadPath(hart, va);
  if (length < 0) return length;
  if (length > 0) return lookUp(hart, argInt(hart, 0));
  if ((flags & AT_EMPTY_PATH) === 0) return -ENOENT;
  return withFile(hart, argInt(hart, 0), (file) => statxConsole(hart, file, argAddress(hart, 4)));
}

function withFile(hart: Hart, fd: number, use: (file: number) => number): number {
  const file = fget(hart, fd);
  if (file === 0) return -EBADF;
  const result = use(file);
  fput(hart, file);
  return result;
}
