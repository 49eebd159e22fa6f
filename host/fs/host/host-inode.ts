// A file of the host as an inode. What the host says of it is copied once, when its name is first met; from then on the
// guest's own changes count.

import {
  DENTRY_INODE,
  HART_BUFFER,
  HOST_BLOCKS,
  HOST_COUNTS_LINKS,
  HOST_DEVICE,
  HOST_FLAGS,
  HOST_FOUND,
  HOST_INODE,
  HOST_SIZE,
  HOST_SPECIAL,
  INODE_ATIME,
  INODE_BTIME,
  INODE_CTIME,
  INODE_GID,
  INODE_MAPPING,
  INODE_MODE,
  INODE_MTIME,
  INODE_NLINK,
  INODE_NUMBER,
  INODE_SUPER,
  INODE_UID,
  MAPPING_HOST,
  MAPPING_HOST_FILE,
  SUPER_ROOT,
} from "../../../assembly/layout.ts";
import { ENAMETOOLONG, ENFILE, ENOENT } from "../../memory/errno.ts";
import type { HostStat } from "../../memory/host-files.ts";
import { mappingCreate } from "../../mm/mapping/mapping.ts";
import type { Hart } from "../../policy/hart.ts";
import { inodeAlloc, iput, setTime } from "../inode.ts";
import { setLinkText } from "../symlink.ts";
import { LINK_TARGET_MAX, PATH_MAX, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../uapi.ts";
import { setHostPlace } from "./host-path.ts";

/** Work space in HART_BUFFER, behind that of a path walk, which begins again after a lookup. */
export const TARGET_BUFFER = HART_BUFFER + 12 * PATH_MAX;
export const NAME_BUFFER = HART_BUFFER + 13 * PATH_MAX;

/** Directories have this many links and one more for each directory in them. */
const DIRECTORY_LINKS_MIN = 2;

/**
 * An inode with one reference for what `stat` says of the file `name` in directory `parent`, or -errno. `target` is the
 * text of a symbolic link.
 */
export function makeHostInode(
  hart: Hart,
  parent: number,
  name: number,
  nameBytes: number,
  stat: HostStat,
  target: Uint8Array,
): number {
  const inode = inodeAlloc(hart, hart.shared.get(parent + INODE_SUPER), stat.mode, 0);
  if (inode === 0) return -ENFILE;
  fillHostInode(hart, inode, stat);
  const type = stat.mode & S_IFMT;
  const error =
    type === S_IFLNK ? setTarget(hart, inode, target) : type === S_IFREG ? setContents(hart, inode, stat) : 0;
  // A link is never looked at again on the host, and its text is where the name would be.
  const placed = type === S_IFLNK || setHostPlace(hart, inode, parent, name, nameBytes);
  if (error === 0 && placed) return inode;
  iput(hart, inode);
  return error === 0 ? -ENFILE : error;
}

/** Sets everything that the host says, but not where the file is. */
export function fillHostInode(hart: Hart, inode: number, stat: HostStat): void {
  const { shared } = hart;
  const type = stat.mode & S_IFMT;
  const isDirectory = type === S_IFDIR;
  // btrfs and overlayfs, for two, say 1 for every directory.
  const countsLinks = isDirectory && stat.links < DIRECTORY_LINKS_MIN;
  const isSpecial = !isDirectory && type !== S_IFREG && type !== S_IFLNK;
  const flags = HOST_FOUND | (countsLinks ? HOST_COUNTS_LINKS : 0) | (isSpecial ? HOST_SPECIAL : 0);
  shared.set(inode + INODE_MODE, stat.mode);
  shared.set(inode + INODE_UID, stat.uid);
  shared.set(inode + INODE_GID, stat.gid);
  shared.set(inode + INODE_NLINK, countsLinks ? DIRECTORY_LINKS_MIN : stat.links);
  shared.set(inode + HOST_FLAGS, flags);
  shared.setF64(inode + HOST_DEVICE, stat.device);
  shared.setF64(inode + HOST_INODE, stat.inode);
  if (type !== S_IFLNK) {
    shared.setF64(inode + HOST_SIZE, stat.bytes);
    shared.setF64(inode + HOST_BLOCKS, stat.blocks);
  }
  // Below another mount of the host, its numbers may occur twice: there the guest's own are used.
  if (stat.device === rootDevice(hart, inode)) shared.setF64(inode + INODE_NUMBER, stat.inode);
  setTime(hart, inode, INODE_ATIME, stat.atimeSeconds, stat.atimeNs);
  setTime(hart, inode, INODE_MTIME, stat.mtimeSeconds, stat.mtimeNs);
  setTime(hart, inode, INODE_CTIME, stat.ctimeSeconds, stat.ctimeNs);
  setTime(hart, inode, INODE_BTIME, stat.ctimeSeconds, stat.ctimeNs);
}

function setContents(hart: Hart, inode: number, stat: HostStat): number {
  const mapping = mappingCreate(hart, MAPPING_HOST_FILE, stat.bytes);
  if (mapping === 0) return -ENFILE;
  hart.shared.set(mapping + MAPPING_HOST, inode);
  hart.shared.set(inode + INODE_MAPPING, mapping);
  return 0;
}

function rootDevice(hart: Hart, inode: number): number {
  const { shared } = hart;
  const root = shared.get(shared.get(inode + INODE_SUPER) + SUPER_ROOT);
  return shared.getF64((root === 0 ? inode : shared.get(root + DENTRY_INODE)) + HOST_DEVICE);
}

function setTarget(hart: Hart, inode: number, target: Uint8Array): number {
  if (target.length === 0) return -ENOENT;
  if (target.length > LINK_TARGET_MAX) return -ENAMETOOLONG;
  const text = hart.base + TARGET_BUFFER;
  hart.shared.u8.set(target, text);
  return setLinkText(hart, inode, text, target.length) ? 0 : -ENFILE;
}
