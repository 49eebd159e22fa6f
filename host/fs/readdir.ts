// Directories as getdents64 sees them. An entry's position is its cookie, which grows for ever, so that a reader finds
// its place again whatever has been added or removed since. (Linux: simple_offset_dir_operations)

import {
  DENTRY_CHILD_FIRST,
  DENTRY_COOKIE,
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_LINKED,
  DENTRY_NAME_BYTES,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  INODE_MODE,
  INODE_NUMBER,
} from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryName } from "./dentry.ts";

/** Position of ".", and of "..", and of the first entry that can be. */
export const POSITION_DOT = 0;
export const POSITION_DOTDOT = 1;

const RECORD_HEADER_BYTES = 19; // struct linux_dirent64 {u64 ino; s64 off; u16 reclen; u8 type; name}
const MODE_TYPE_SHIFT = 12;

/**
 * The first entry of `directory` whose cookie is at least `position`, or 0. `hint` is an entry where a reader ended, or
 * 0: it is looked at only if it still is one. Requires: FS_LOCK.
 */
export function entryFrom(hart: Hart, directory: number, position: number, hint: number): number {
  const { shared } = hart;
  let entry = isUsable(hart, directory, position, hint) ? hint : shared.get(directory + DENTRY_CHILD_FIRST);
  while (entry !== 0 && (shared.get(entry + DENTRY_COOKIE) < position || shared.get(entry + DENTRY_INODE) === 0)) {
    entry = shared.get(entry + DENTRY_SIBLING_NEXT);
  }
  return entry;
}

/** Records of dentries are never anything else, so a stale hint is safe to look at. */
function isUsable(hart: Hart, directory: number, position: number, hint: number): boolean {
  if (hint === 0) return false;
  const { shared } = hart;
  return (
    (shared.get(hint + DENTRY_FLAGS) & DENTRY_LINKED) !== 0 &&
    shared.get(hint + DENTRY_PARENT) === directory &&
    shared.get(hint + DENTRY_COOKIE) <= position
  );
}

/** Writes the record of an entry at `address`: its bytes, or 0 if it has no room. Requires: FS_LOCK. */
export function writeEntry(hart: Hart, address: number, room: number, entry: number): number {
  const { shared } = hart;
  const inode = shared.get(entry + DENTRY_INODE);
  const nameBytes = shared.get(entry + DENTRY_NAME_BYTES);
  const next = shared.get(entry + DENTRY_COOKIE) + 1;
  const bytes = writeHeader(hart, address, room, inode, next, nameBytes);
  if (bytes > 0) hart.core.copyBytes(address + RECORD_HEADER_BYTES, dentryName(hart, entry), nameBytes);
  return bytes;
}

/** The record of "." (one dot) or "..". */
export function writeDots(hart: Hart, address: number, room: number, inode: number, dots: number): number {
  const bytes = writeHeader(hart, address, room, inode, dots === 1 ? POSITION_DOTDOT : POSITION_DOTDOT + 1, dots);
  if (bytes > 0) hart.shared.u8.fill(0x2e, address + RECORD_HEADER_BYTES, address + RECORD_HEADER_BYTES + dots);
  return bytes;
}

/** Bytes of the records that end among the first `bytes` bytes at `address`, where filled ones begin. */
export function wholeRecords(hart: Hart, address: number, bytes: number): number {
  const { u8 } = hart.shared;
  let done = 0;
  while (done + RECORD_HEADER_BYTES < bytes) {
    const recordBytes = u8[address + done + 16] + (u8[address + done + 17] << 8);
    if (done + recordBytes > bytes) break;
    done += recordBytes;
  }
  return done;
}

/** The position of the record at `address`. */
export function recordPosition(hart: Hart, address: number): number {
  return Math.max(hart.shared.get(address + 8) - 1, 0);
}

function writeHeader(
  hart: Hart,
  address: number,
  room: number,
  inode: number,
  next: number,
  nameBytes: number,
): number {
  const { shared } = hart;
  const bytes = (RECORD_HEADER_BYTES + nameBytes + 1 + 7) & ~7;
  if (bytes > room) return 0;
  hart.core.zeroBytes(address, bytes);
  const number = shared.getF64(inode + INODE_NUMBER);
  shared.set(address, number);
  shared.set(address + 4, number / 2 ** 32);
  shared.set(address + 8, next);
  shared.u8[address + 16] = bytes;
  shared.u8[address + 17] = bytes >>> 8;
  shared.u8[address + 18] = shared.get(inode + INODE_MODE) >>> MODE_TYPE_SHIFT;
  return bytes;
}
