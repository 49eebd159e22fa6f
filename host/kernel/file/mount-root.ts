// The file systems that are there when the first process starts: the root, /dev with its nodes, /dev/shm, /tmp, /proc,
// /sys.
// Hart 0 makes them before any other hart runs, so nothing is locked here.

import {
  DENTRY_INODE,
  DENTRY_SUPER,
  FS_TYPE_DEVTMPFS,
  FS_TYPE_PIPE,
  FS_TYPE_PROC,
  FS_TYPE_SYSFS,
  FS_TYPE_TMPFS,
  HART_BUFFER,
  HART_KERNEL_SCRATCH,
  MACHINE_BASE,
  MACHINE_PIPE_SUPER,
  MACHINE_ROOT_SUPER,
  MACHINE_SHM_SUPER,
  SUPER_ROOT,
} from "../../../assembly/layout.ts";
import { dentryFind, dget, hashName, isBacked } from "../../fs/dentry.ts";
import { makeHostSuper } from "../../fs/host/host-type.ts";
import { fsTypeOf } from "../../fs/inode.ts";
import { mountOn } from "../../fs/mounts.ts";
import { createLink, createNode } from "../../fs/namei.ts";
import { superAlloc } from "../../fs/super.ts";
import { S_IFCHR, S_IFDIR, S_ISVTX } from "../../fs/uapi.ts";
import { ramFrameCount } from "../../mm/frame/page.ts";
import type { Hart } from "../../policy/hart.ts";
import { CHAR_DEVICES, deviceNumber } from "./char-devices.ts";

/** Links of /dev, as udev makes them. */
const DEV_LINKS: readonly (readonly [string, string])[] = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
];

/** The root directory, or 0: not enough memory. */
export function mountRoot(hart: Hart): number {
  const { shared } = hart;
  // Half of RAM, the default of tmpfs; so many files at most as there are pages.
  const pages = Math.floor(ramFrameCount(shared) / 2);
  const pipes = superAlloc(hart, FS_TYPE_PIPE, 0o700, 0, 0);
  const memory = superAlloc(hart, FS_TYPE_TMPFS, 0o777 | S_ISVTX, 0, 0);
  const rootSuper =
    hart.host === null ? superAlloc(hart, FS_TYPE_TMPFS, 0o755, pages, pages) : makeHostSuper(hart, pages);
  if (pipes === 0 || memory === 0 || rootSuper === 0) return 0;
  shared.set(MACHINE_BASE + MACHINE_PIPE_SUPER, pipes);
  shared.set(MACHINE_BASE + MACHINE_SHM_SUPER, memory);
  shared.set(MACHINE_BASE + MACHINE_ROOT_SUPER, rootSuper);
  const root = shared.get(rootSuper + SUPER_ROOT);
  const dev = mountAt(hart, root, "dev", FS_TYPE_DEVTMPFS, 0o755, pages);
  const isComplete =
    dev !== 0 &&
    makeDevices(hart, dev) &&
    mountAt(hart, dev, "shm", FS_TYPE_TMPFS, 0o777 | S_ISVTX, pages) !== 0 &&
    mountAt(hart, root, "tmp", FS_TYPE_TMPFS, 0o777 | S_ISVTX, pages) !== 0 &&
    mountAt(hart, root, "proc", FS_TYPE_PROC, 0o555, 0) !== 0 &&
    mountAt(hart, root, "sys", FS_TYPE_SYSFS, 0o555, 0) !== 0;
  return isComplete ? root : 0;
}

/** /dev/console, with a reference; or 0: it is not there. */
export function consoleDentry(hart: Hart): number {
  const { shared } = hart;
  const root = shared.get(shared.get(MACHINE_BASE + MACHINE_ROOT_SUPER) + SUPER_ROOT);
  const point = findChild(hart, root, "dev");
  const dev = point === 0 ? 0 : shared.get(superOn(hart, point) + SUPER_ROOT);
  const console = dev === 0 ? 0 : findChild(hart, dev, "console");
  return console === 0 ? 0 : dget(hart, console);
}

function superOn(hart: Hart, point: number): number {
  return hart.shared.get(point + DENTRY_SUPER);
}

/** Mounts a new file system on directory `name` of `parent`; its root, or 0. */
function mountAt(hart: Hart, parent: number, name: string, type: number, mode: number, pages: number): number {
  const point = directoryAt(hart, parent, name, 0o755);
  const superBlock = point === 0 ? 0 : superAlloc(hart, type, mode, pages, pages);
  if (superBlock === 0) return 0;
  mountOn(hart, superBlock, point);
  return hart.shared.get(superBlock + SUPER_ROOT);
}

function makeDevices(hart: Hart, dev: number): boolean {
  for (const { name, major, minor, mode } of CHAR_DEVICES) {
    aim(hart, dev, name);
    if (createNode(hart, hart.walk, S_IFCHR | mode, deviceNumber(major, minor)) < 0) return false;
  }
  for (const [name, target] of DEV_LINKS) {
    aim(hart, dev, name);
    const text = hart.base + HART_BUFFER;
    writeText(hart, text, target);
    if (createLink(hart, hart.walk, text, target.length) < 0) return false;
  }
  return true;
}

/** Directory `name` of `parent`, made if it is absent; or 0. */
function directoryAt(hart: Hart, parent: number, name: string, mode: number): number {
  const found = findChild(hart, parent, name);
  if (found !== 0 && hart.shared.get(found + DENTRY_INODE) !== 0) return found;
  aim(hart, parent, name);
  hart.walk.entry = found;
  const made = createNode(hart, hart.walk, S_IFDIR | mode, 0);
  return made < 0 ? 0 : made;
}

/** The entry, which may be negative; 0 if there is none. */
function findChild(hart: Hart, parent: number, name: string): number {
  const at = hart.base + HART_KERNEL_SCRATCH;
  writeText(hart, at, name);
  const found = dentryFind(hart, parent, at, name.length, hashName(hart, at, name.length));
  if (found !== 0 || !isBacked(hart, parent)) return found;
  const type = fsTypeOf(hart, hart.shared.get(parent + DENTRY_INODE));
  if (type.lookup(hart, parent, at, name.length) !== 0) return 0;
  writeText(hart, at, name);
  return dentryFind(hart, parent, at, name.length, hashName(hart, at, name.length));
}

/** As if a walk had ended at the absent `name` of `parent`. */
function aim(hart: Hart, parent: number, name: string): void {
  const { walk } = hart;
  const at = hart.base + HART_KERNEL_SCRATCH;
  writeText(hart, at, name);
  walk.parent = parent;
  walk.name = at;
  walk.nameBytes = name.length;
  walk.entry = 0;
  walk.dentry = 0;
}

function writeText(hart: Hart, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) hart.shared.u8[at + i] = text.charCodeAt(i);
}
