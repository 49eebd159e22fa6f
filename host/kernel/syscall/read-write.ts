// read, write and their kin: the descriptor is looked up, the rest is the file's own. (Linux: fs/read_write.c)

import { FILE_KIND, FILE_KIND_PATH } from "../../../assembly/layout.ts";
import { EBADF, EINVAL, EOPNOTSUPP, ESPIPE } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { isReadable, isWritable } from "../file/file.ts";
import { opsOf } from "../file/file-kinds.ts";
import { POSITION_FILE } from "../file/file-ops.ts";
import { fget, fput } from "../file/files.ts";
import { argAddress, argInt, argLong } from "../registers.ts";
import { SINGLE, type UserBuffers } from "../user-buffers.ts";
import { call, type SystemCall } from "./types.ts";

export const readWriteCalls: readonly (readonly [number, SystemCall])[] = [
  [62, call("lseek", ["fd", "long", "int"], sysLseek)],
  [63, call("read", ["fd", "pointer", "size"], sysRead)],
  [64, call("write", ["fd", "text", "size"], sysWrite)],
  [65, call("readv", ["fd", "pointer", "int"], sysReadv)],
  [66, call("writev", ["fd", "pointer", "int"], sysWritev)],
  [67, call("pread64", ["fd", "pointer", "size", "long"], sysPread)],
  [68, call("pwrite64", ["fd", "text", "size", "long"], sysPwrite)],
  [69, call("preadv", ["fd", "pointer", "int", "long"], sysPreadv)],
  [70, call("pwritev", ["fd", "pointer", "int", "long"], sysPwritev)],
  [286, call("preadv2", ["fd", "pointer", "int", "long", "long", "hex"], sysPreadv2)],
  [287, call("pwritev2", ["fd", "pointer", "int", "long", "long", "hex"], sysPwritev2)],
];

function single(hart: Hart): UserBuffers {
  return { va: argAddress(hart, 1), count: SINGLE, bytes: argAddress(hart, 2) };
}

function vector(hart: Hart): UserBuffers {
  return { va: argAddress(hart, 1), count: argInt(hart, 2), bytes: 0 };
}

function sysRead(hart: Hart): number {
  return readFile(hart, single(hart), POSITION_FILE);
}

function sysReadv(hart: Hart): number {
  return readFile(hart, vector(hart), POSITION_FILE);
}

function sysPread(hart: Hart): number {
  const position = argLong(hart, 3);
  return position < 0 ? -EINVAL : readFile(hart, single(hart), position);
}

function sysPreadv(hart: Hart): number {
  const position = argLong(hart, 3);
  return position < 0 ? -EINVAL : readFile(hart, vector(hart), position);
}

// RWF_*: they ask for what is so anyway, since nothing is behind the memory.
const RWF_HIPRI = 1;
const RWF_DSYNC = 2;
const RWF_SYNC = 4;

/** Position -1 is the file's own. */
function sysPreadv2(hart: Hart): number {
  const position = argLong(hart, 3);
  if (position < -1) return -EINVAL;
  return hasOtherFlags(hart) ? -EOPNOTSUPP : readFile(hart, vector(hart), position);
}

function sysWrite(hart: Hart): number {
  return writeFile(hart, single(hart), POSITION_FILE);
}

function sysWritev(hart: Hart): number {
  return writeFile(hart, vector(hart), POSITION_FILE);
}

function sysPwrite(hart: Hart): number {
  const position = argLong(hart, 3);
  return position < 0 ? -EINVAL : writeFile(hart, single(hart), position);
}

function sysPwritev(hart: Hart): number {
  const position = argLong(hart, 3);
  return position < 0 ? -EINVAL : writeFile(hart, vector(hart), position);
}

function sysPwritev2(hart: Hart): number {
  const position = argLong(hart, 3);
  if (position < -1) return -EINVAL;
  return hasOtherFlags(hart) ? -EOPNOTSUPP : writeFile(hart, vector(hart), position);
}

function hasOtherFlags(hart: Hart): boolean {
  return (argInt(hart, 5) & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC)) !== 0;
}

/** A call that waited looks its descriptor up anew: one closed meanwhile is -EBADF, where Linux still has the file. */
function readFile(hart: Hart, buffers: UserBuffers, position: number): number {
  const file = fget(hart, argInt(hart, 0));
  if (file === 0) return -EBADF;
  try {
    const ops = opsOf(hart, file);
    if (position !== POSITION_FILE && !ops.hasPosition) return isPath(hart, file) ? -EBADF : -ESPIPE;
    return isReadable(hart, file) ? ops.read(hart, file, buffers, position) : -EBADF;
  } finally {
    fput(hart, file);
  }
}

function writeFile(hart: Hart, buffers: UserBuffers, position: number): number {
  const file = fget(hart, argInt(hart, 0));
  if (file === 0) return -EBADF;
  try {
    const ops = opsOf(hart, file);
    if (position !== POSITION_FILE && !ops.hasPosition) return isPath(hart, file) ? -EBADF : -ESPIPE;
    return isWritable(hart, file) ? ops.write(hart, file, buffers, position) : -EBADF;
  } finally {
    fput(hart, file);
  }
}

function isPath(hart: Hart, file: number): boolean {
  return hart.shared.get(file + FILE_KIND) === FILE_KIND_PATH;
}

function sysLseek(hart: Hart): number {
  const file = fget(hart, argInt(hart, 0));
  if (file === 0) return -EBADF;
  const result = opsOf(hart, file).seek(hart, file, argLong(hart, 1), argInt(hart, 2));
  fput(hart, file);
  return result;
}
