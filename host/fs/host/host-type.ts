// The root file system of --root: a directory of the host below, which is only read, and the tree of dentries above.
//
// There is no second tree and no copying up. A name is looked up on the host when it is first met; what is found is
// from then on an ordinary dentry and inode, and the guest's changes are made to these, as in tmpfs. What the guest
// removed stays in its directory as a negative dentry, so that it does not come back from the host (a whiteout); a
// directory all of whose entries are in the tree, such as each one that the guest made, is COMPLETE, and the host is
// not asked any more (opaque). The pages of a file are read when they are first touched; its page cache has them then.
//
// So the guest sees each file as the host had it when it was first met. What the host changes later may show in pages
// that have not been read; another file in the place of one gives ESTALE.

import {
  DENTRY_COMPLETE,
  DENTRY_FLAGS,
  DENTRY_INODE,
  FS_TYPE_HOST,
  HOST_BLOCKS,
  HOST_COUNTS_LINKS,
  HOST_DEVICE,
  HOST_FLAGS,
  HOST_FOUND,
  HOST_INODE,
  HOST_SIZE,
  HOST_SPECIAL,
  INODE_MAPPING,
  PAGE_BYTES,
  SUPER_INODE_NEXT,
  SUPER_ROOT,
} from "../../../assembly/layout.ts";
import { EINVAL, ENFILE, ENOENT, ENXIO, ESTALE } from "../../memory/errno.ts";
import type { FsType } from "../../memory/fs-type.ts";
import type { PageIo } from "../../memory/hart-services.ts";
import type { HostFiles } from "../../memory/host-files.ts";
import { hostIo } from "../../memory/host-io.ts";
import { mappingBytes } from "../../mm/mapping/mapping.ts";
import type { Hart } from "../../policy/hart.ts";
import { contentCharge } from "../content.ts";
import { dentryAlloc, dentryFind, dentryLink, dput, hashName } from "../dentry.ts";
import { changeLinks, fileType, iput } from "../inode.ts";
import { fsReadLock, fsReadUnlock, fsWriteLock, fsWriteUnlock } from "../lock.ts";
import { superAlloc } from "../super.ts";
import { PATH_MAX, S_IFDIR, S_IFLNK, S_IFMT } from "../uapi.ts";
import { fillHostInode, makeHostInode, NAME_BUFFER } from "./host-inode.ts";
import { dropHostPlace, hostPath } from "./host-path.ts";

/** Linux has no magic number for a file system like this one: overlayfs is the nearest. */
const OVERLAYFS_SUPER_MAGIC = 0x794c7630;
/** Files that the guest makes get numbers from here on: the host's are below in most cases. */
const INODE_NUMBER_FIRST = 1 << 30;

export const hostType: FsType = {
  name: "overlay",
  magic: OVERLAYFS_SUPER_MAGIC,
  hasBacking: true,
  lookup,
  populate,
  readLink: () => -EINVAL,
  evict: (hart, inode) => dropHostPlace(hart as Hart, inode),
  directoryBytes: (hart, inode) => hart.shared.getF64(inode + HOST_SIZE),
  blocks: hostBlocks,
  fileKind: (hart, inode) => ((hart.shared.get(inode + HOST_FLAGS) & HOST_SPECIAL) !== 0 ? -ENXIO : 0),
};

/** The host's root as a file system that is not mounted yet, or 0. Before any other hart runs. */
export function makeHostSuper(hart: Hart, pagesMax: number): number {
  const { shared } = hart;
  const superBlock = superAlloc(hart, FS_TYPE_HOST, 0o755, pagesMax, 0);
  if (superBlock === 0) return 0;
  const root = shared.get(shared.get(superBlock + SUPER_ROOT) + DENTRY_INODE);
  const stat = hart.hostStat;
  if (hostIo(hart, () => hostOf(hart).lstat(hostPath(hart, root), stat)) < 0) return 0;
  shared.set(superBlock + SUPER_INODE_NEXT, INODE_NUMBER_FIRST);
  fillHostInode(hart, root, stat);
  return superBlock;
}

/** FsType.lookup. */
function lookup(hart: Hart, directory: number, name: number, nameBytes: number): number {
  const parent = hart.shared.get(directory + DENTRY_INODE);
  const inode = find(hart, parent, name, nameBytes);
  if (inode < 0 && inode !== -ENOENT) return inode;
  return enter(hart, directory, name, nameBytes, Math.max(inode, 0));
}

/** An inode for what the host has under that name, with one reference, or -errno. */
function find(hart: Hart, parent: number, name: number, nameBytes: number): number {
  const host = hostOf(hart);
  const path = hostPath(hart, parent, name, nameBytes);
  if (path.length >= PATH_MAX) return -ENOENT;
  const stat = hart.hostStat;
  let target: Uint8Array | number = path; // unless it is a link
  const error = hostIo(hart, () => {
    const status = host.lstat(path, stat);
    if (status === 0 && (stat.mode & S_IFMT) === S_IFLNK) target = host.readLink(path);
    return status;
  });
  if (error < 0) return error;
  if (typeof target === "number") return target;
  return makeHostInode(hart, parent, name, nameBytes, stat, target);
}

/** Puts `inode` (0: the name is absent) into the tree, unless somebody was faster. 0 or -errno. */
function enter(hart: Hart, directory: number, name: number, nameBytes: number, inode: number): number {
  const { shared } = hart;
  const entry = dentryAlloc(hart, directory, name, nameBytes, inode);
  if (entry === 0) {
    if (inode !== 0) iput(hart, inode);
    return -ENFILE;
  }
  fsWriteLock(hart);
  // COMPLETE: the directory was populated meanwhile. (Or removed: that makes it complete too.)
  const late =
    dentryFind(hart, directory, name, nameBytes, hashName(hart, name, nameBytes)) !== 0 ||
    (shared.get(directory + DENTRY_FLAGS) & DENTRY_COMPLETE) !== 0;
  if (!late) {
    dentryLink(hart, entry);
    const parent = shared.get(directory + DENTRY_INODE);
    const counts = (shared.get(parent + HOST_FLAGS) & HOST_COUNTS_LINKS) !== 0;
    if (counts && inode !== 0 && fileType(hart, inode) === S_IFDIR) changeLinks(hart, parent, 1);
  }
  fsWriteUnlock(hart);
  if (late) dput(hart, entry);
  return 0;
}

/** FsType.populate. */
function populate(hart: Hart, directory: number): number {
  const { shared } = hart;
  const path = hostPath(hart, shared.get(directory + DENTRY_INODE));
  const entries = hostIo(hart, () => hostOf(hart).readDirectory(path));
  if (typeof entries === "number") return entries;
  const name = hart.base + NAME_BUFFER;
  for (const entry of entries) {
    shared.u8.set(entry.name, name);
    fsReadLock(hart);
    const known = dentryFind(hart, directory, name, entry.name.length, hashName(hart, name, entry.name.length)) !== 0;
    fsReadUnlock(hart);
    const error = known ? 0 : lookup(hart, directory, name, entry.name.length);
    // A file that went away meanwhile is none; one that cannot be looked at is as good as none.
    if (error === -ENFILE) return error;
    hart.pollIrq();
  }
  fsWriteLock(hart);
  shared.set(directory + DENTRY_FLAGS, shared.get(directory + DENTRY_FLAGS) | DENTRY_COMPLETE);
  fsWriteUnlock(hart);
  return 0;
}

/** FsType.blocks: the host's, as long as the file has the host's length. */
function hostBlocks(hart: Hart, inode: number): number {
  const { shared } = hart;
  if ((shared.get(inode + HOST_FLAGS) & HOST_FOUND) === 0 || fileType(hart, inode) === S_IFLNK) return -1;
  const mapping = shared.get(inode + INODE_MAPPING);
  const isWhole = mapping === 0 || mappingBytes(hart, mapping) === shared.getF64(inode + HOST_SIZE);
  return isWhole ? shared.getF64(inode + HOST_BLOCKS) : -1;
}

/** The pages of the host's files, for the page cache. */
export const hostPageIo: PageIo = {
  readPage(hart, inode, index, address) {
    const { shared, host } = hart;
    const [device, number] = [shared.getF64(inode + HOST_DEVICE), shared.getF64(inode + HOST_INODE)];
    const path = hostPath(hart as Hart, inode);
    return (host ?? NO_FILES).read(path, device, number, index * PAGE_BYTES, address, PAGE_BYTES);
  },
  chargeFault: (hart, inode) => contentCharge(hart as Hart, inode),
};

function hostOf(hart: Hart): HostFiles {
  return hart.host ?? NO_FILES;
}

/** A machine without a root has no file of this type. */
const NO_FILES: HostFiles = {
  lstat: () => -ENOENT,
  readDirectory: () => -ENOENT,
  readLink: () => -ENOENT,
  read: () => -ESTALE,
};
