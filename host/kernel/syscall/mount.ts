// mount and umount2: file systems in memory, and those of the kernel, on directories. A file system is mounted at one
// place (host/fs/README.md), so nothing can be bound to a second. (Linux: fs/namespace.c, mm/shmem.c)

import {
  DENTRY_INODE,
  FS_TYPE_PROC,
  FS_TYPE_SYSFS,
  FS_TYPE_TMPFS,
  HART_BUFFER,
  INODE_GID,
  INODE_SUPER,
  INODE_UID,
  PAGE_BYTES,
  SUPER_FLAGS,
  SUPER_PAGES,
  SUPER_PAGES_MAX,
  SUPER_POINT,
  SUPER_ROOT,
} from "../../../assembly/layout.ts";
import { fileType } from "../../fs/inode.ts";
import { fsWriteLock, fsWriteUnlock } from "../../fs/lock.ts";
import { mountOn } from "../../fs/mounts.ts";
import { ST_NODEV, ST_NOEXEC, ST_NOSUID, ST_RDONLY, superAlloc } from "../../fs/super.ts";
import { PATH_MAX, S_IFDIR, S_ISVTX } from "../../fs/uapi.ts";
import { unmount } from "../../fs/unmount.ts";
import { EFAULT, EINVAL, ENODEV, ENOMEM, ENOTDIR, EPERM } from "../../memory/errno.ts";
import { ramFrameCount } from "../../mm/frame/page.ts";
import { strncpyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { isCapable } from "../process/cred.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../uapi.ts";
import { withDentry } from "./at-path.ts";
import { call, type SystemCall } from "./types.ts";

export const mountCalls: readonly (readonly [number, SystemCall])[] = [
  [39, call("umount2", ["path", "hex"], sysUmount)],
  [40, call("mount", ["path", "path", "path", "hex", "pointer"], sysMount)],
];

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_MOVE = 8192;
const MS_PROPAGATION = (1 << 17) | (1 << 18) | (1 << 19) | (1 << 20); // unbindable, private, slave, shared
const MS_MGC_VAL = 0xc0ed0000;
const MS_MGC_MSK = 0xffff0000;

const MOUNTABLE: ReadonlyMap<string, number> = new Map([
  ["tmpfs", FS_TYPE_TMPFS],
  ["proc", FS_TYPE_PROC],
  ["sysfs", FS_TYPE_SYSFS],
]);

/** (do_mount, path_mount) */
function sysMount(hart: Hart): number {
  const wanted = argUint(hart, 3);
  const flags = (wanted & MS_MGC_MSK) >>> 0 === MS_MGC_VAL ? wanted & ~MS_MGC_MSK : wanted;
  const type = textArgument(hart, argAddress(hart, 2));
  const data = textArgument(hart, argAddress(hart, 4));
  if (typeof type === "number") return type;
  if (typeof data === "number") return data;
  return withDentry(hart, AT_FDCWD, argAddress(hart, 1), 0, (dentry) => {
    if (!isCapable(hart)) return -EPERM;
    if ((flags & MS_REMOUNT) !== 0) return remount(hart, dentry, flags, data);
    if ((flags & (MS_BIND | MS_MOVE)) !== 0) return -EINVAL;
    // There is one mount namespace: nothing is propagated anyway.
    if ((flags & MS_PROPAGATION) !== 0) return isRootOfMount(hart, dentry) ? 0 : -EINVAL;
    return mountNew(hart, dentry, flags, type, data);
  });
}

function mountNew(hart: Hart, point: number, flags: number, typeName: string, data: string): number {
  if (typeName === "") return -EINVAL;
  const type = MOUNTABLE.get(typeName);
  if (type === undefined) return -ENODEV;
  const options = type === FS_TYPE_TMPFS ? tmpfsOptions(hart, data) : PLAIN;
  if (options === null) return -EINVAL;
  if (fileType(hart, hart.shared.get(point + DENTRY_INODE)) !== S_IFDIR) return -ENOTDIR;
  fsWriteLock(hart);
  const superBlock = superAlloc(hart, type, options.mode, options.pages, options.inodes);
  if (superBlock !== 0) {
    const inode = hart.shared.get(hart.shared.get(superBlock + SUPER_ROOT) + DENTRY_INODE);
    hart.shared.set(inode + INODE_UID, options.uid);
    hart.shared.set(inode + INODE_GID, options.gid);
    hart.shared.set(superBlock + SUPER_FLAGS, superFlags(flags));
    mountOn(hart, superBlock, point);
  }
  fsWriteUnlock(hart);
  return superBlock === 0 ? -ENOMEM : 0;
}

/** (do_remount, shmem_reconfigure) */
function remount(hart: Hart, root: number, flags: number, data: string): number {
  const { shared } = hart;
  if (!isRootOfMount(hart, root)) return -EINVAL;
  const superBlock = superOf(hart, root);
  const options = tmpfsOptions(hart, data);
  if (options === null) return -EINVAL;
  const limits = shared.get(superBlock + SUPER_PAGES_MAX) !== 0 && /\bsize=/.test(data);
  if (limits && options.pages !== 0 && options.pages < shared.loadOnce(superBlock + SUPER_PAGES)) return -EINVAL;
  shared.storeOnce(superBlock + SUPER_FLAGS, superFlags(flags));
  if (limits) shared.storeOnce(superBlock + SUPER_PAGES_MAX, options.pages);
  return 0;
}

function superFlags(flags: number): number {
  return (
    ((flags & MS_RDONLY) !== 0 ? ST_RDONLY : 0) |
    ((flags & MS_NOSUID) !== 0 ? ST_NOSUID : 0) |
    ((flags & MS_NODEV) !== 0 ? ST_NODEV : 0) |
    ((flags & MS_NOEXEC) !== 0 ? ST_NOEXEC : 0)
  );
}

function superOf(hart: Hart, dentry: number): number {
  return hart.shared.get(hart.shared.get(dentry + DENTRY_INODE) + INODE_SUPER);
}

function isRootOfMount(hart: Hart, dentry: number): boolean {
  return hart.shared.get(superOf(hart, dentry) + SUPER_ROOT) === dentry;
}

interface TmpfsOptions {
  readonly mode: number;
  readonly pages: number;
  readonly inodes: number;
  readonly uid: number;
  readonly gid: number;
}

const PLAIN: TmpfsOptions = { mode: 0o555, pages: 0, inodes: 0, uid: 0, gid: 0 };
const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** size=, nr_blocks=, nr_inodes=, mode=, uid=, gid=; others that Linux has change nothing. Null: bad. */
function tmpfsOptions(hart: Hart, data: string): TmpfsOptions | null {
  const ram = ramFrameCount(hart.shared);
  const half = Math.floor(ram / 2);
  const options = { mode: 0o777 | S_ISVTX, pages: half, inodes: half, uid: 0, gid: 0 };
  for (const option of data.split(",").filter((text) => text !== "")) {
    const [name, value = ""] = option.split("=");
    const match = /^(\d+)([kmg%]?)$/i.exec(value);
    const unit = match?.[2].toLowerCase() ?? "";
    const amount = match === null ? Number.NaN : Number(match[1]);
    if (name === "size") options.pages = unit === "%" ? (ram * amount) / 100 : (amount * UNITS[unit]) / PAGE_BYTES;
    else if (name === "nr_blocks") options.pages = amount * (UNITS[unit] ?? Number.NaN);
    else if (name === "nr_inodes") options.inodes = amount * (UNITS[unit] ?? Number.NaN);
    else if (name === "uid") options.uid = amount;
    else if (name === "gid") options.gid = amount;
    else if (name === "mode")
      options.mode = /^[0-7]{1,5}$/.test(value) ? Number.parseInt(value, 8) & 0o7777 : Number.NaN;
    else if (!["huge", "mpol", "inode32", "inode64", "noswap"].includes(name)) return null;
  }
  const values = [options.mode, options.pages, options.inodes, options.uid, options.gid];
  if (values.some((number) => !(number >= 0 && number < 2 ** 31))) return null;
  return { ...options, pages: Math.ceil(options.pages) };
}

/** The text at `va`, "" if that is 0, or -errno. */
function textArgument(hart: Hart, va: number): string | number {
  if (va === 0) return "";
  const buffer = hart.base + HART_BUFFER;
  const bytes = strncpyFromUser(hart, buffer, va, PATH_MAX);
  if (bytes < 0) return -EFAULT;
  if (bytes >= PATH_MAX) return -EINVAL;
  let text = "";
  for (let i = 0; i < bytes; i++) text += String.fromCharCode(hart.shared.u8[buffer + i]);
  return text;
}

const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/** (ksys_umount, do_umount) */
function sysUmount(hart: Hart): number {
  const flags = argInt(hart, 1);
  if ((flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW)) !== 0) return -EINVAL;
  const atFlags = (flags & UMOUNT_NOFOLLOW) !== 0 ? AT_SYMLINK_NOFOLLOW : 0;
  let superBlock = 0;
  const error = withDentry(hart, AT_FDCWD, argAddress(hart, 0), atFlags, (dentry) => {
    if (!isRootOfMount(hart, dentry)) return -EINVAL;
    if (!isCapable(hart)) return -EPERM;
    superBlock = superOf(hart, dentry);
    // The first of all stays where it is.
    return hart.shared.get(superBlock + SUPER_POINT) === 0 ? -EINVAL : 0;
  });
  return error !== 0 ? error : unmount(hart, superBlock, (flags & MNT_DETACH) !== 0);
}
