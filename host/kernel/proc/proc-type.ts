// The file system type of /proc. Names enter the tree of dentries when they are looked up or listed. Those of
// processes, threads and descriptors are looked at again each time (DENTRY_REVALIDATE), because these come and go.

import {
  DENTRY_CHILD_FIRST,
  DENTRY_COMPLETE,
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_NAME_BYTES,
  DENTRY_PARENT,
  DENTRY_REVALIDATE,
  DENTRY_SIBLING_NEXT,
  FILE_KIND_PROC,
  HART_BUFFER,
  INODE_SUPER,
} from "../../../assembly/layout.ts";
import { dentryAlloc, dentryFind, dentryLink, dentryName, dentryUnlink, dput, hashName } from "../../fs/dentry.ts";
import { changeLinks, fileType, inodeAlloc, iput } from "../../fs/inode.ts";
import { fsReadLock, fsReadUnlock, fsWriteLock, fsWriteUnlock } from "../../fs/lock.ts";
import { PATH_MAX, S_IFDIR, S_IFMT, S_IFREG } from "../../fs/uapi.ts";
import { EINVAL, ENAMETOOLONG, ENFILE, ENOENT } from "../../memory/errno.ts";
import type { FsType } from "../../memory/fs-type.ts";
import type { PathWalk } from "../../memory/path-walk.ts";
import type { Hart } from "../../policy/hart.ts";
import type { ProcNode, ProcTarget } from "./node.ts";
import { SYS_ROOT } from "./sys-tree.ts";
import { nodeOf, setNode, targetOfInode } from "./tree.ts";

const PROC_SUPER_MAGIC = 0x9fa0;
const SYSFS_MAGIC = 0x62656572;
/** Work space in HART_BUFFER, behind that of a path walk. */
const NAME_BUFFER = HART_BUFFER + 13 * PATH_MAX;

export const procType: FsType = {
  name: "proc",
  magic: PROC_SUPER_MAGIC,
  hasBacking: true,
  hasFixedNames: true,
  lookup,
  populate,
  revalidate,
  readLink,
  evict: () => {},
  fileKind: (hart, inode) => (fileType(hart as Hart, inode) === S_IFREG ? FILE_KIND_PROC : 0),
};

/** /sys: the same with other nodes. */
export const sysType: FsType = {
  ...procType,
  name: "sysfs",
  magic: SYSFS_MAGIC,
  initRoot: (hart, inode) => setNode(hart as Hart, inode, SYS_ROOT, { pid: 0, startNs: 0, fd: 0 }),
};

/** FsType.lookup. A name that is not there leaves no trace: it may be there a moment later. */
function lookup(hart: Hart, directory: number, name: number, nameBytes: number): number {
  const parent = hart.shared.get(directory + DENTRY_INODE);
  const node = nodeOf(hart, parent);
  const of = targetOfInode(hart, parent);
  const text = textAt(hart, name, nameBytes);
  const child = node.children.find((candidate) => candidate.name === text);
  const target = child !== undefined ? of : node.members?.findMember(hart, of, text);
  if (target === undefined) {
    dropStale(hart, directory, name, nameBytes);
    return -ENOENT;
  }
  return enter(hart, directory, name, nameBytes, child ?? (node.members?.node as ProcNode), target);
}

/** FsType.populate: what has gone goes from the tree, what has come comes in. */
function populate(hart: Hart, directory: number): number {
  const { shared } = hart;
  const parent = shared.get(directory + DENTRY_INODE);
  const { children, members } = nodeOf(hart, parent);
  dropAllStale(hart, directory);
  const names = [
    ...children.map(({ name }) => name),
    ...(members?.listMembers(hart, targetOfInode(hart, parent)) ?? []),
  ];
  const at = hart.base + NAME_BUFFER;
  for (const name of names) {
    for (let i = 0; i < name.length; i++) shared.u8[at + i] = name.charCodeAt(i);
    fsReadLock(hart);
    const known = dentryFind(hart, directory, at, name.length, hashName(hart, at, name.length)) !== 0;
    fsReadUnlock(hart);
    const error = known ? 0 : lookup(hart, directory, at, name.length);
    if (error !== 0 && error !== -ENOENT) return error;
    hart.pollIrq();
  }
  if (members !== undefined) return 0;
  fsWriteLock(hart);
  shared.set(directory + DENTRY_FLAGS, shared.get(directory + DENTRY_FLAGS) | DENTRY_COMPLETE);
  fsWriteUnlock(hart);
  return 0;
}

/** FsType.revalidate. */
function revalidate(hart: Hart, dentry: number): boolean {
  const { shared } = hart;
  const parent = shared.get(shared.get(dentry + DENTRY_PARENT) + DENTRY_INODE);
  const name = textAt(hart, dentryName(hart, dentry), shared.get(dentry + DENTRY_NAME_BYTES));
  const found = nodeOf(hart, parent).members?.findMember(hart, targetOfInode(hart, parent), name);
  return found !== undefined && found.startNs === targetOfInode(hart, shared.get(dentry + DENTRY_INODE)).startNs;
}

/** FsType.readLink. */
function readLink(hart: Hart, inode: number, walk: PathWalk, address: number, bytesMax: number): number {
  const result = nodeOf(hart, inode).link?.(hart, targetOfInode(hart, inode), walk) ?? -EINVAL;
  if (typeof result === "number") return result;
  if (result.length > bytesMax) return -ENAMETOOLONG;
  for (let i = 0; i < result.length; i++) hart.shared.u8[address + i] = result.charCodeAt(i);
  return result.length;
}

/** Puts an instance of `node` into the tree, in place of one of another target, unless somebody was faster. */
function enter(
  hart: Hart,
  directory: number,
  name: number,
  nameBytes: number,
  node: ProcNode,
  target: ProcTarget,
): number {
  const { shared } = hart;
  const parent = shared.get(directory + DENTRY_INODE);
  const inode = inodeAlloc(hart, shared.get(parent + INODE_SUPER), node.mode, 0);
  if (inode === 0) return -ENFILE;
  setNode(hart, inode, node, target);
  changeLinks(hart, inode, (node.mode & S_IFMT) === S_IFDIR ? 2 : 1);
  const entry = dentryAlloc(hart, directory, name, nameBytes, inode);
  if (entry === 0) {
    iput(hart, inode);
    return -ENFILE;
  }
  if (node.name === "") shared.set(entry + DENTRY_FLAGS, DENTRY_REVALIDATE);
  fsWriteLock(hart);
  const old = dentryFind(hart, directory, name, nameBytes, hashName(hart, name, nameBytes));
  const isStale = old !== 0 && isVolatile(hart, old) && !revalidate(hart, old);
  if (isStale) dentryUnlink(hart, old);
  const late = old !== 0 && !isStale;
  if (!late) dentryLink(hart, entry);
  fsWriteUnlock(hart);
  if (late) dput(hart, entry);
  if (isStale) dput(hart, old);
  return 0;
}

/** The entry of that name goes if what it is about has gone. */
function dropStale(hart: Hart, directory: number, name: number, nameBytes: number): void {
  fsWriteLock(hart);
  const old = dentryFind(hart, directory, name, nameBytes, hashName(hart, name, nameBytes));
  const isStale = old !== 0 && isVolatile(hart, old) && !revalidate(hart, old);
  if (isStale) dentryUnlink(hart, old);
  fsWriteUnlock(hart);
  if (isStale) dput(hart, old);
}

function dropAllStale(hart: Hart, directory: number): void {
  const { shared } = hart;
  for (;;) {
    fsWriteLock(hart);
    let entry = shared.get(directory + DENTRY_CHILD_FIRST);
    while (entry !== 0 && (!isVolatile(hart, entry) || revalidate(hart, entry))) {
      entry = shared.get(entry + DENTRY_SIBLING_NEXT);
    }
    if (entry !== 0) dentryUnlink(hart, entry);
    fsWriteUnlock(hart);
    if (entry === 0) return;
    dput(hart, entry);
    hart.pollIrq();
  }
}

function isVolatile(hart: Hart, dentry: number): boolean {
  return (hart.shared.get(dentry + DENTRY_FLAGS) & DENTRY_REVALIDATE) !== 0;
}

function textAt(hart: Hart, address: number, bytes: number): string {
  let text = "";
  for (let i = 0; i < bytes; i++) text += String.fromCharCode(hart.shared.u8[address + i]);
  return text;
}
