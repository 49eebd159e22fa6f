// What a kind of file system does differently from a tree in memory. The table FS_TYPE_* -> FsType is handed to each
// hart at boot (HartLocal.fsTypes), so that fs/ knows neither the host's files nor processes.

import type { HartLocal } from "./hart-local.ts";
import type { PathWalk } from "./path-walk.ts";

/** FsType.readLink: the link leads to the dentry of walk.jumpTo rather than along a path. */
export const LINK_JUMP = -1000;

export interface FsType {
  readonly name: string;
  /** f_type of statfs (linux/magic.h). */
  readonly magic: number;
  /** False: what is not in the tree is not there, and lookup and populate are never called. */
  readonly hasBacking: boolean;
  /** Names come and go by themselves: nobody removes, moves or adds one, and a directory may stay incomplete. */
  readonly hasFixedNames?: boolean;
  /**
   * `name` is not among the entries of directory `dir` that are in the tree. Adds an entry, a negative one if the name
   * is absent, and returns 0: the walk begins again. Or -errno. No lock held; may block on the host. (i_op->lookup)
   */
  lookup(hart: HartLocal, dir: number, name: number, nameBytes: number): number;
  /** Brings every entry of `dir` into the tree and sets DENTRY_COMPLETE, if they stay. 0 or -errno. No lock held. */
  populate(hart: HartLocal, dir: number): number;
  /**
   * Text of a link without INODE_LINK: bytes written to `address`, LINK_JUMP, or -errno. FS_LOCK held for read.
   * (i_op->get_link)
   */
  readLink(hart: HartLocal, inode: number, walk: PathWalk, address: number, bytesMax: number): number;
  /** The inode of a new file system's root directory gets what is this type's own. */
  initRoot?(hart: HartLocal, inode: number): void;
  /** Is an entry with DENTRY_REVALIDATE still there? If not, lookup is called. FS_LOCK held. (d_revalidate) */
  revalidate?(hart: HartLocal, dentry: number): boolean;
  /** The last reference to an inode has gone: gives up what INODE_PRIVATE holds. No lock needed. */
  evict(hart: HartLocal, inode: number): void;
  /** st_size of what is neither a regular file nor a link, if the file system has one. */
  directoryBytes?(hart: HartLocal, inode: number): number;
  /** st_blocks if the file system counts them itself, or -1: by its pages in memory. */
  blocks?(hart: HartLocal, inode: number): number;
  /** FILE_KIND_* of a file that is opened, 0 = the usual one, or -errno: it can not be. */
  fileKind(hart: HartLocal, inode: number): number;
}
