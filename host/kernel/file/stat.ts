// What stat and statx say of an inode. (Linux: generic_fillattr, cp_new_stat and cp_statx in fs/stat.c)

import {
  CONSOLE_IS_TTY,
  HART_BUFFER,
  INODE_ATIME,
  INODE_BTIME,
  INODE_CTIME,
  INODE_GID,
  INODE_LINK_BYTES,
  INODE_MODE,
  INODE_MTIME,
  INODE_NLINK,
  INODE_NUMBER,
  INODE_RDEV,
  INODE_SUPER,
  INODE_UID,
  PAGE_BYTES,
  SUPER_DEVICE,
} from "../../../assembly/layout.ts";
import { consoleFlags } from "../../devices/console.ts";
import { contentBytes, contentPages } from "../../fs/content.ts";
import { fsTypeOf, timeNsField } from "../../fs/inode.ts";
import { S_IFLNK, S_IFMT, S_IFREG } from "../../fs/uapi.ts";
import { copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { storeU64 } from "../registers.ts";
import { majorOf, minorOf } from "./char-devices.ts";

const BLOCKS_PER_PAGE = 8; // of 512 bytes

export function isTerminal(hart: Hart): boolean {
  return (consoleFlags(hart) & CONSOLE_IS_TTY) !== 0;
}

function bytesOf(hart: Hart, inode: number): number {
  const type = hart.shared.get(inode + INODE_MODE) & S_IFMT;
  if (type === S_IFREG) return contentBytes(hart, inode);
  if (type === S_IFLNK) return hart.shared.get(inode + INODE_LINK_BYTES);
  return fsTypeOf(hart, inode).directoryBytes?.(hart, inode) ?? 0;
}

function blocksOf(hart: Hart, inode: number): number {
  const own = fsTypeOf(hart, inode).blocks?.(hart, inode) ?? -1;
  if (own >= 0) return own;
  const isRegular = (hart.shared.get(inode + INODE_MODE) & S_IFMT) === S_IFREG;
  return isRegular ? contentPages(hart, inode) * BLOCKS_PER_PAGE : 0;
}

const STAT_BYTES = 128;
const STAT_TIMES: readonly (readonly [number, number])[] = [
  [72, INODE_ATIME],
  [88, INODE_MTIME],
  [104, INODE_CTIME],
];

/** Fills the struct stat (asm-generic/stat.h, 64 bit) at `va`; 0 or -EFAULT. */
export function statInode(hart: Hart, inode: number, va: number): number {
  const { shared, base } = hart;
  const stat = base + HART_BUFFER;
  hart.core.zeroBytes(stat, STAT_BYTES);
  storeU64(hart, stat, shared.get(shared.get(inode + INODE_SUPER) + SUPER_DEVICE));
  storeU64(hart, stat + 8, shared.getF64(inode + INODE_NUMBER));
  shared.set(stat + 16, shared.get(inode + INODE_MODE));
  shared.set(stat + 20, shared.get(inode + INODE_NLINK));
  shared.set(stat + 24, shared.get(inode + INODE_UID));
  shared.set(stat + 28, shared.get(inode + INODE_GID));
  storeU64(hart, stat + 32, shared.get(inode + INODE_RDEV));
  storeU64(hart, stat + 48, bytesOf(hart, inode));
  shared.set(stat + 56, PAGE_BYTES);
  storeU64(hart, stat + 64, blocksOf(hart, inode));
  for (const [at, field] of STAT_TIMES) {
    storeSigned(hart, stat + at, shared.getF64(inode + field));
    storeU64(hart, stat + at + 8, shared.get(inode + timeNsField(field)));
  }
  return copyToUser(hart, va, stat, STAT_BYTES);
}

const STATX_BYTES = 256;
const STATX_BASIC_STATS_AND_BTIME = 0xfff;
const STATX_TIMES: readonly (readonly [number, number])[] = [
  [64, INODE_ATIME],
  [80, INODE_BTIME],
  [96, INODE_CTIME],
  [112, INODE_MTIME],
];

/** Fills the struct statx (linux/stat.h) at `va`; 0 or -EFAULT. */
export function statxInode(hart: Hart, inode: number, va: number): number {
  const { shared, base } = hart;
  const statx = base + HART_BUFFER;
  hart.core.zeroBytes(statx, STATX_BYTES);
  shared.set(statx, STATX_BASIC_STATS_AND_BTIME);
  shared.set(statx + 4, PAGE_BYTES);
  shared.set(statx + 16, shared.get(inode + INODE_NLINK));
  shared.set(statx + 20, shared.get(inode + INODE_UID));
  shared.set(statx + 24, shared.get(inode + INODE_GID));
  shared.set(statx + 28, shared.get(inode + INODE_MODE)); // 16 bits and 16 spare ones
  storeU64(hart, statx + 32, shared.getF64(inode + INODE_NUMBER));
  storeU64(hart, statx + 40, bytesOf(hart, inode));
  storeU64(hart, statx + 48, blocksOf(hart, inode));
  for (const [at, field] of STATX_TIMES) {
    storeSigned(hart, statx + at, shared.getF64(inode + field));
    shared.set(statx + at + 8, shared.get(inode + timeNsField(field)));
  }
  const rdev = shared.get(inode + INODE_RDEV);
  const device = shared.get(shared.get(inode + INODE_SUPER) + SUPER_DEVICE);
  shared.set(statx + 128, majorOf(rdev));
  shared.set(statx + 132, minorOf(rdev));
  shared.set(statx + 136, majorOf(device));
  shared.set(statx + 140, minorOf(device));
  return copyToUser(hart, va, statx, STATX_BYTES);
}

/** A 64-bit word that may be negative: seconds before 1970. */
function storeSigned(hart: Hart, address: number, value: number): void {
  hart.shared.u32[address >>> 2] = value;
  hart.shared.i32[(address + 4) >>> 2] = Math.floor(value / 2 ** 32);
}
