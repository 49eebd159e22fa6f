// The length of files: truncate, ftruncate, fallocate, and advice about them. (Linux: fs/open.c, mm/fadvise.c)

import { DENTRY_INODE, FILE_INODE, FILE_KIND, FILE_KIND_PIPE, FILE_KIND_REGULAR } from "../../../assembly/layout.ts";
import { contentAllocate, contentPunch, contentTruncate } from "../../fs/content.ts";
import { fileType, TOUCH_CTIME, TOUCH_MTIME, touch } from "../../fs/inode.ts";
import { isReadOnly } from "../../fs/namei.ts";
import { S_IFDIR, S_IFIFO, S_IFREG } from "../../fs/uapi.ts";
import { EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, EROFS, ESPIPE } from "../../memory/errno.ts";
import { MAPPING_LENGTH_MAX } from "../../mm/mapping/mapping.ts";
import type { Hart } from "../../policy/hart.ts";
import { isReadable, isWritable } from "../file/file.ts";
import { bytesAllowed, refuseSize } from "../file/regular-file.ts";
import { argAddress, argInt, argLong, argUint } from "../registers.ts";
import { AT_FDCWD } from "../uapi.ts";
import { withDentry, withFile } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const truncateCalls: readonly (readonly [number, SystemCall])[] = [
  [45, call("truncate", ["path", "long"], sysTruncate)],
  [46, call("ftruncate", ["fd", "long"], sysFtruncate)],
  [47, call("fallocate", ["fd", "hex", "long", "long"], sysFallocate)],
  [213, call("readahead", ["fd", "long", "size"], sysReadahead)],
  [223, call("fadvise64", ["fd", "long", "long", "int"], sysFadvise)],
];

function sysTruncate(hart: Hart): number {
  const bytes = argLong(hart, 1);
  if (bytes < 0) return -EINVAL;
  return withDentry(hart, AT_FDCWD, argAddress(hart, 0), 0, (dentry) => {
    const inode = hart.shared.get(dentry + DENTRY_INODE);
    if (fileType(hart, inode) === S_IFDIR) return -EISDIR;
    if (fileType(hart, inode) !== S_IFREG) return -EINVAL;
    return isReadOnly(hart, inode) ? -EROFS : setLength(hart, inode, bytes);
  });
}

function sysFtruncate(hart: Hart): number {
  const bytes = argLong(hart, 1);
  if (bytes < 0) return -EINVAL;
  return withFile(hart, argInt(hart, 0), (file) => {
    if (hart.shared.get(file + FILE_KIND) !== FILE_KIND_REGULAR || !isWritable(hart, file)) return -EINVAL;
    return setLength(hart, hart.shared.get(file + FILE_INODE), bytes);
  });
}

function setLength(hart: Hart, inode: number, bytes: number): number {
  if (bytesAllowed(hart, bytes) < 0) return refuseSize(hart, bytes);
  const error = contentTruncate(hart, inode, bytes);
  if (error === 0) touch(hart, inode, TOUCH_MTIME | TOUCH_CTIME);
  return error;
}

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

function sysFallocate(hart: Hart): number {
  const [mode, position, bytes] = [argUint(hart, 1), argLong(hart, 2), argLong(hart, 3)];
  return withFile(hart, argInt(hart, 0), (file) => {
    if (position < 0 || bytes <= 0) return -EINVAL;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
    if (mode === FALLOC_FL_PUNCH_HOLE) return -EOPNOTSUPP;
    if (!isWritable(hart, file)) return -EBADF;
    const inode = hart.shared.get(file + FILE_INODE);
    const type = fileType(hart, inode);
    if (type === S_IFIFO) return -ESPIPE;
    if (type === S_IFDIR) return -EISDIR;
    if (hart.shared.get(file + FILE_KIND) !== FILE_KIND_REGULAR) return -ENODEV;
    if (position + bytes > MAPPING_LENGTH_MAX) return -EFBIG;
    return allocate(hart, inode, mode, position, bytes);
  });
}

function allocate(hart: Hart, inode: number, mode: number, position: number, bytes: number): number {
  const punches = (mode & FALLOC_FL_PUNCH_HOLE) !== 0;
  if (!punches && bytesAllowed(hart, position) < bytes) return refuseSize(hart, position + bytes);
  const error = punches
    ? contentPunch(hart, inode, position, bytes)
    : contentAllocate(hart, inode, position, bytes, (mode & FALLOC_FL_KEEP_SIZE) !== 0);
  if (error === 0) touch(hart, inode, TOUCH_MTIME | TOUCH_CTIME);
  return error;
}

const FADVISE_LAST = 5; // POSIX_FADV_NOREUSE

/** Advice changes nothing here. */
function sysFadvise(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => {
    if (hart.shared.get(file + FILE_KIND) === FILE_KIND_PIPE) return -ESPIPE;
    return argUint(hart, 3) > FADVISE_LAST || argLong(hart, 2) < 0 ? -EINVAL : 0;
  });
}

function sysReadahead(hart: Hart): number {
  return withFile(hart, argInt(hart, 0), (file) => {
    if (!isReadable(hart, file)) return -EBADF;
    return hart.shared.get(file + FILE_KIND) === FILE_KIND_REGULAR ? 0 : -EINVAL;
  });
}
