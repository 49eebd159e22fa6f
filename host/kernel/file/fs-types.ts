// The kinds of file systems (FS_TYPE_*), for HartLocal.fsTypes.

import {
  FS_TYPE_DEVTMPFS,
  FS_TYPE_HOST,
  FS_TYPE_PIPE,
  FS_TYPE_PROC,
  FS_TYPE_SYSFS,
  FS_TYPE_TMPFS,
} from "../../../assembly/layout.ts";
import { hostType } from "../../fs/host/host-type.ts";
import { EINVAL } from "../../memory/errno.ts";
import type { FsType } from "../../memory/fs-type.ts";
import { procType, sysType } from "../proc/proc-type.ts";

const TMPFS_MAGIC = 0x01021994;
const PIPEFS_MAGIC = 0x50495045;

/** A tree that is in memory and nowhere else. */
const tmpfs: FsType = {
  name: "tmpfs",
  magic: TMPFS_MAGIC,
  hasBacking: false,
  lookup: () => -EINVAL,
  populate: () => 0,
  readLink: () => -EINVAL,
  evict: () => {},
  fileKind: () => 0,
};

export const FS_TYPES: readonly (FsType | undefined)[] = table();

function table(): (FsType | undefined)[] {
  const types: (FsType | undefined)[] = [];
  types[FS_TYPE_TMPFS] = tmpfs;
  types[FS_TYPE_DEVTMPFS] = { ...tmpfs, name: "devtmpfs" };
  types[FS_TYPE_HOST] = hostType;
  types[FS_TYPE_PROC] = procType;
  types[FS_TYPE_SYSFS] = sysType;
  types[FS_TYPE_PIPE] = { ...tmpfs, name: "pipefs", magic: PIPEFS_MAGIC };
  return types;
}
