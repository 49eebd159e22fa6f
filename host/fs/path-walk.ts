// Walking a path (Linux: path_lookupat in fs/namei.c). The whole walk happens under FS_LOCK (path-lock.ts), so no
// reference is taken on the way. Links are followed without recursion: what is left of the path in which a link was met
// goes on a small stack, as addresses, since neither the path (in the hart's buffer) nor the link's text (in its inode)
// moves meanwhile.

import {
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_REVALIDATE,
  FS_CWD,
  FS_ROOT,
  HART_BUFFER,
  INODE_LINK,
  INODE_LINK_BYTES,
  TASK_FS,
} from "../../assembly/layout.ts";
import { ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from "../memory/errno.ts";
import { LINK_JUMP } from "../memory/fs-type.ts";
import { LAST_DOT, LAST_DOTDOT, LAST_JUMP, LAST_NORMAL, LAST_ROOT, type PathWalk } from "../memory/path-walk.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryFind, HASH_START, hashByte, isBacked } from "./dentry.ts";
import { fileType, fsTypeOf } from "./inode.ts";
import { crossMounts, parentOf } from "./mounts.ts";
import { LINKS_IN_WALK_MAX, NAME_MAX, PATH_MAX, S_IFDIR, S_IFLNK } from "./uapi.ts";

/** Follow a link that is the last name. */
export const WALK_FOLLOW = 1;
/** The last name may be absent: then walk.parent and walk.name say where it would be. */
export const WALK_CREATE = 2;
/** FS_LOCK is taken for write. */
export const WALK_WRITE = 4;
/** The path must end at a directory. */
export const WALK_DIRECTORY = 8;
/** A directory at the end must be in the tree with all its entries: it is about to be removed if it is empty. */
export const WALK_WHOLE = 16;

const LINK_TEXTS = HART_BUFFER + 5 * PATH_MAX;
const LINK_TEXTS_END = HART_BUFFER + 12 * PATH_MAX;

const SLASH = 0x2f;
const DOT = 0x2e;

/** walkLocked: walk.parent has no entry walk.name in the tree, but its file system may have. */
export const MISSING = -2000;
/** The walk has ended at a directory whose entries its file system must bring in first. */
export const HOLLOW = -2001;

/**
 * walkLocked, and HOLLOW if WALK_WHOLE is not fulfilled, which nobody needs of a directory whose names are fixed.
 * Requires: FS_LOCK.
 */
export function walkWhole(
  hart: Hart,
  walk: PathWalk,
  start: number,
  path: number,
  bytes: number,
  flags: number,
): number {
  const error = walkLocked(hart, walk, start, path, bytes, flags);
  if (error !== 0 || (flags & WALK_WHOLE) === 0 || walk.dentry === 0) return error;
  if (!isDirectory(hart, walk.dentry) || !isBacked(hart, walk.dentry)) return 0;
  return fsTypeOf(hart, hart.shared.get(walk.dentry + DENTRY_INODE)).hasFixedNames ? 0 : HOLLOW;
}

/** 0, -errno or MISSING. Requires: FS_LOCK. */
function walkLocked(hart: Hart, walk: PathWalk, start: number, path: number, bytes: number, flags: number): number {
  const { shared } = hart;
  const { u8 } = shared;
  const fs = shared.get(hart.current + TASK_FS);
  const root = shared.get(fs + FS_ROOT);
  begin(walk, hart.base + LINK_TEXTS);
  let directory = start === 0 ? shared.get(fs + FS_CWD) : start;
  let at = path;
  let end = path + bytes;
  if (u8[at] === SLASH) directory = root;
  for (;;) {
    while (at < end && u8[at] === SLASH) at++;
    if (at === end) {
      if (walk.depth === 0) return finish(hart, walk, directory, flags);
      walk.depth--;
      at = walk.restAt[walk.depth];
      end = walk.restEnd[walk.depth];
      continue;
    }
    if (!isDirectory(hart, directory)) return -ENOTDIR;
    const name = at;
    let hash = HASH_START;
    for (; at < end && u8[at] !== SLASH; at++) hash = hashByte(hash, u8[at]);
    const nameBytes = at - name;
    const nameEnd = at;
    while (at < end && u8[at] === SLASH) at++;
    const isLast = at === end && walk.depth === 0;
    if (isLast && at > nameEnd) walk.trailingSlash = true;
    if (u8[name] === DOT && nameBytes <= 2 && (nameBytes === 1 || u8[name + 1] === DOT)) {
      walk.lastKind = nameBytes === 1 ? LAST_DOT : LAST_DOTDOT;
      if (nameBytes === 2) directory = parentOf(hart, directory, root);
      continue;
    }
    if (nameBytes > NAME_MAX) return -ENAMETOOLONG;
    walk.lastKind = LAST_NORMAL;
    walk.parent = directory;
    walk.name = name;
    walk.nameBytes = nameBytes;
    const entry = dentryFind(hart, directory, name, nameBytes, hash);
    if (entry === 0 ? isBacked(hart, directory) : isStale(hart, entry)) return MISSING;
    walk.entry = entry;
    const inode = entry === 0 ? 0 : shared.get(entry + DENTRY_INODE);
    if (inode === 0) {
      if (!isLast || (flags & WALK_CREATE) === 0) return -ENOENT;
      walk.dentry = 0;
      return 0;
    }
    const follows = !isLast || (flags & WALK_FOLLOW) !== 0 || walk.trailingSlash;
    if (follows && fileType(hart, inode) === S_IFLNK) {
      if (++walk.linkCount > LINKS_IN_WALK_MAX) return -ELOOP;
      if (at < end) push(walk, at, end);
      const length = linkText(hart, walk, inode);
      if (length === LINK_JUMP) {
        directory = walk.jumps[walk.jumpCount - 1];
        at = end;
        walk.lastKind = LAST_JUMP;
        continue;
      }
      if (length < 0) return length;
      at = shared.get(inode + INODE_LINK) >>> 0;
      if (at === 0) at = walk.textAt - length;
      end = at + length;
      if (u8[at] === SLASH) {
        directory = root;
        walk.lastKind = LAST_ROOT;
      }
      continue;
    }
    directory = crossMounts(hart, entry);
    if (isLast) return finish(hart, walk, directory, flags);
  }
}

function begin(walk: PathWalk, textAt: number): void {
  walk.parent = 0;
  walk.entry = 0;
  walk.dentry = 0;
  walk.name = 0;
  walk.nameBytes = 0;
  walk.lastKind = LAST_ROOT;
  walk.trailingSlash = false;
  walk.linkCount = 0;
  walk.depth = 0;
  walk.textAt = textAt;
}

function push(walk: PathWalk, at: number, end: number): void {
  walk.restAt[walk.depth] = at;
  walk.restEnd[walk.depth] = end;
  walk.depth++;
}

function finish(hart: Hart, walk: PathWalk, dentry: number, flags: number): number {
  walk.dentry = dentry;
  if (walk.lastKind !== LAST_NORMAL) walk.entry = dentry;
  const mustBeDirectory = walk.trailingSlash || (flags & WALK_DIRECTORY) !== 0;
  return mustBeDirectory && !isDirectory(hart, dentry) ? -ENOTDIR : 0;
}

/** Length of the link's text, LINK_JUMP, or -errno. Text that is made up on the fly ends at walk.textAt. */
function linkText(hart: Hart, walk: PathWalk, inode: number): number {
  const { shared } = hart;
  if (shared.get(inode + INODE_LINK) !== 0) return shared.get(inode + INODE_LINK_BYTES);
  const room = Math.min(hart.base + LINK_TEXTS_END - walk.textAt, PATH_MAX);
  if (!walk.canJump) return -ELOOP;
  const length = fsTypeOf(hart, inode).readLink(hart, inode, walk, walk.textAt, room);
  if (length > 0) walk.textAt += length;
  return length === 0 ? -ENOENT : length;
}

function isDirectory(hart: Hart, dentry: number): boolean {
  return fileType(hart, hart.shared.get(dentry + DENTRY_INODE)) === S_IFDIR;
}

/** Has the entry gone behind the tree's back? */
function isStale(hart: Hart, entry: number): boolean {
  const { shared } = hart;
  if ((shared.get(entry + DENTRY_FLAGS) & DENTRY_REVALIDATE) === 0) return false;
  return fsTypeOf(hart, shared.get(entry + DENTRY_INODE)).revalidate?.(hart, entry) === false;
}
