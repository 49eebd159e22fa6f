// Dentries: the names of files, as a tree and as a hash table over {parent, name}. All of it is guarded by FS_LOCK
// (lock.ts); only the reference counts are atomic.
//
// DENTRY_COUNT is 1 for being in the tree (LINKED), 1 for each child whose DENTRY_PARENT it is, and 1 for each holder:
// open file, working directory, mount. A dentry that has left the tree lives on until the last of them has gone; nobody
// can find it any more, so its end needs no lock. A dentry without inode says that the name is absent: file systems
// with a backing store keep such ones, so that what was removed here does not come back from there.

import {
  DCACHE_BASE,
  DCACHE_BUCKET_COUNT,
  DENTRY_BYTES,
  DENTRY_CHILD_FIRST,
  DENTRY_CHILD_LAST,
  DENTRY_COMPLETE,
  DENTRY_COOKIE,
  DENTRY_COUNT,
  DENTRY_FLAGS,
  DENTRY_HASH,
  DENTRY_HASH_NEXT,
  DENTRY_INODE,
  DENTRY_LINKED,
  DENTRY_NAME,
  DENTRY_NAME_BYTES,
  DENTRY_NAME_BYTES_MAX,
  DENTRY_NAME_LONG,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  DENTRY_SIBLING_PREV,
  INODE_COOKIE,
  POOL_DENTRY,
  POOL_NAME,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../memory/slab.ts";
import type { Hart } from "../policy/hart.ts";
import { fsTypeOf, iput } from "./inode.ts";

/** First cookie of an entry: 0 and 1 are "." and "..". */
const COOKIE_FIRST = 2;

/**
 * A dentry with one reference that is not in the tree yet, or 0. It takes over the caller's reference to `inode` (0:
 * negative) and takes one of its own to `parent` (0: a root).
 */
export function dentryAlloc(hart: Hart, parent: number, name: number, nameBytes: number, inode: number): number {
  const { shared } = hart;
  const dentry = kmemCacheAlloc(hart, POOL_DENTRY);
  if (dentry === 0) return 0;
  hart.core.zeroBytes(dentry, DENTRY_BYTES);
  if (!setName(hart, dentry, name, nameBytes)) {
    kmemCacheFree(hart, POOL_DENTRY, dentry);
    return 0;
  }
  if (parent !== 0) dget(hart, parent);
  shared.set(dentry + DENTRY_PARENT, parent);
  shared.set(dentry + DENTRY_INODE, inode);
  shared.storeRelease(dentry + DENTRY_COUNT, 1);
  return dentry;
}

/** Another reference for a caller who has one, or holds FS_LOCK and found the dentry in the tree. */
export function dget(hart: Hart, dentry: number): number {
  hart.shared.fetchAdd(dentry + DENTRY_COUNT, 1);
  return dentry;
}

/** May free inodes with their contents: no lock held. */
export function dput(hart: Hart, dentry: number): void {
  const { shared } = hart;
  for (let at = dentry; at !== 0; ) {
    const old = shared.fetchAdd(at + DENTRY_COUNT, -1);
    if (old <= 0) throw new KernelBug("dentry reference dropped twice", { dentry: at });
    if (old !== 1) return;
    const parent = shared.get(at + DENTRY_PARENT);
    const inode = shared.get(at + DENTRY_INODE);
    freeLongName(hart, at);
    kmemCacheFree(hart, POOL_DENTRY, at);
    if (inode !== 0) iput(hart, inode);
    at = parent;
  }
}

/** Address of the name's bytes. */
export function dentryName(hart: Hart, dentry: number): number {
  const long = hart.shared.get(dentry + DENTRY_NAME_LONG);
  return long !== 0 ? long : dentry + DENTRY_NAME;
}

/** Hash of a name, before its directory comes in. FNV-1a. */
export function hashName(hart: Hart, name: number, nameBytes: number): number {
  const { u8 } = hart.shared;
  let hash = HASH_START;
  for (let i = 0; i < nameBytes; i++) hash = hashByte(hash, u8[name + i]);
  return hash;
}

export const HASH_START = 0x811c9dc5 | 0;

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** True while entries of the directory may lie in a backing store only. */
export function isBacked(hart: Hart, directory: number): boolean {
  const { shared } = hart;
  if ((shared.get(directory + DENTRY_FLAGS) & DENTRY_COMPLETE) !== 0) return false;
  return fsTypeOf(hart, shared.get(directory + DENTRY_INODE)).hasBacking;
}

/** The entry of `parent` with that name, or 0. Requires: FS_LOCK. `nameHash` is hashName's. */
export function dentryFind(hart: Hart, parent: number, name: number, nameBytes: number, nameHash: number): number {
  const { shared } = hart;
  const hash = withParent(nameHash, parent);
  let dentry = shared.get(bucketOf(hash));
  while (dentry !== 0) {
    if (
      shared.get(dentry + DENTRY_HASH) === hash &&
      shared.get(dentry + DENTRY_PARENT) === parent &&
      shared.get(dentry + DENTRY_NAME_BYTES) === nameBytes &&
      isSameName(hart, dentry, name, nameBytes)
    ) {
      return dentry;
    }
    dentry = shared.get(dentry + DENTRY_HASH_NEXT);
  }
  return 0;
}

/** Puts `dentry` into the tree; the caller's reference becomes the tree's. Requires: FS_LOCK for write. */
export function dentryLink(hart: Hart, dentry: number): void {
  const { shared } = hart;
  const parent = shared.get(dentry + DENTRY_PARENT);
  const nameHash = hashName(hart, dentryName(hart, dentry), shared.get(dentry + DENTRY_NAME_BYTES));
  const hash = withParent(nameHash, parent);
  shared.set(dentry + DENTRY_HASH, hash);
  shared.set(dentry + DENTRY_HASH_NEXT, shared.get(bucketOf(hash)));
  shared.set(bucketOf(hash), dentry);
  const last = shared.get(parent + DENTRY_CHILD_LAST);
  shared.set(dentry + DENTRY_SIBLING_PREV, last);
  shared.set(dentry + DENTRY_SIBLING_NEXT, 0);
  if (last === 0) shared.set(parent + DENTRY_CHILD_FIRST, dentry);
  else shared.set(last + DENTRY_SIBLING_NEXT, dentry);
  shared.set(parent + DENTRY_CHILD_LAST, dentry);
  const directory = shared.get(parent + DENTRY_INODE);
  const cookie = Math.max(shared.get(directory + INODE_COOKIE) + 1, COOKIE_FIRST);
  shared.set(directory + INODE_COOKIE, cookie);
  shared.set(dentry + DENTRY_COOKIE, cookie);
  shared.set(dentry + DENTRY_FLAGS, shared.get(dentry + DENTRY_FLAGS) | DENTRY_LINKED);
}

/**
 * Takes `dentry` out of the tree. The tree's reference becomes the caller's, who drops it once FS_LOCK is free.
 * Requires: FS_LOCK for write, and the dentry in the tree.
 */
export function dentryUnlink(hart: Hart, dentry: number): void {
  const { shared } = hart;
  const parent = shared.get(dentry + DENTRY_PARENT);
  unhash(hart, dentry);
  const next = shared.get(dentry + DENTRY_SIBLING_NEXT);
  const previous = shared.get(dentry + DENTRY_SIBLING_PREV);
  if (previous === 0) shared.set(parent + DENTRY_CHILD_FIRST, next);
  else shared.set(previous + DENTRY_SIBLING_NEXT, next);
  if (next === 0) shared.set(parent + DENTRY_CHILD_LAST, previous);
  else shared.set(next + DENTRY_SIBLING_PREV, previous);
  shared.set(dentry + DENTRY_FLAGS, shared.get(dentry + DENTRY_FLAGS) & ~DENTRY_LINKED);
}

/**
 * Gives an entry of the tree another directory and name. False: no memory for the name, nothing has changed. The
 * reference to the old parent becomes the caller's. Requires: FS_LOCK for write.
 */
export function dentryMove(hart: Hart, dentry: number, parent: number, name: number, nameBytes: number): boolean {
  const { shared } = hart;
  const oldLong = shared.get(dentry + DENTRY_NAME_LONG);
  const oldBytes = shared.get(dentry + DENTRY_NAME_BYTES);
  dentryUnlink(hart, dentry);
  const moved = setName(hart, dentry, name, nameBytes);
  if (moved) {
    if (oldLong !== 0) kmemCacheFree(hart, POOL_NAME, oldLong);
    shared.set(dentry + DENTRY_PARENT, dget(hart, parent));
  } else {
    shared.set(dentry + DENTRY_NAME_BYTES, oldBytes);
  }
  dentryLink(hart, dentry);
  return moved;
}

/** Two entries of the tree change places, names and all. Requires: FS_LOCK for write. */
export function dentryExchange(hart: Hart, first: number, second: number): void {
  dentryUnlink(hart, first);
  dentryUnlink(hart, second);
  for (const field of [DENTRY_PARENT, DENTRY_NAME_BYTES, DENTRY_NAME_LONG]) swapWords(hart, first, second, field);
  for (let i = 0; i < DENTRY_NAME_BYTES_MAX; i += 4) swapWords(hart, first, second, DENTRY_NAME + i);
  dentryLink(hart, first);
  dentryLink(hart, second);
}

function swapWords(hart: Hart, first: number, second: number, field: number): void {
  const word = hart.shared.get(first + field);
  hart.shared.set(first + field, hart.shared.get(second + field));
  hart.shared.set(second + field, word);
}

function setName(hart: Hart, dentry: number, name: number, nameBytes: number): boolean {
  const { shared } = hart;
  let at = dentry + DENTRY_NAME;
  let long = 0;
  if (nameBytes > DENTRY_NAME_BYTES_MAX) {
    long = kmemCacheAlloc(hart, POOL_NAME);
    if (long === 0) return false;
    at = long;
  }
  if (nameBytes > 0) hart.core.copyBytes(at, name, nameBytes);
  shared.set(dentry + DENTRY_NAME_LONG, long);
  shared.set(dentry + DENTRY_NAME_BYTES, nameBytes);
  return true;
}

function freeLongName(hart: Hart, dentry: number): void {
  const long = hart.shared.get(dentry + DENTRY_NAME_LONG);
  if (long !== 0) kmemCacheFree(hart, POOL_NAME, long);
}

function unhash(hart: Hart, dentry: number): void {
  const { shared } = hart;
  const bucket = bucketOf(shared.get(dentry + DENTRY_HASH));
  const next = shared.get(dentry + DENTRY_HASH_NEXT);
  let at = shared.get(bucket);
  if (at === dentry) {
    shared.set(bucket, next);
    return;
  }
  for (; at !== 0; at = shared.get(at + DENTRY_HASH_NEXT)) {
    if (shared.get(at + DENTRY_HASH_NEXT) !== dentry) continue;
    shared.set(at + DENTRY_HASH_NEXT, next);
    return;
  }
  throw new KernelBug("dentry not in its hash chain", { dentry });
}

function isSameName(hart: Hart, dentry: number, name: number, nameBytes: number): boolean {
  const { u8 } = hart.shared;
  const own = dentryName(hart, dentry);
  for (let i = 0; i < nameBytes; i++) if (u8[own + i] !== u8[name + i]) return false;
  return true;
}

function withParent(nameHash: number, parent: number): number {
  return nameHash ^ Math.imul(parent, 0x9e3779b1 | 0);
}

function bucketOf(hash: number): number {
  return DCACHE_BASE + 4 * ((hash ^ (hash >>> 15)) & (DCACHE_BUCKET_COUNT - 1));
}
