// struct stat and struct statx of the console: a terminal is a character device, anything else looks like a pipe.

import { CONSOLE_IS_TTY, FILE_CONSOLE_FD, HART_BUFFER } from "../../assembly/layout.ts";
import { consoleFlags } from "../devices/console.ts";
import { copyToUser } from "../mm/uaccess.ts";
import type { Hart } from "../policy/hart.ts";
import { storeU64 } from "./registers.ts";
import { NS_PER_SECOND } from "./uapi.ts";
import { realtimeOffset } from "./user-time.ts";

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const DEVICE_MINOR = 24; // the device that holds the console's inode: devpts or pipefs, a number without meaning
const PTS_MAJOR = 136; // UNIX98_PTY_SLAVE_MAJOR
const TTY_BLOCK_BYTES = 1024;
const PIPE_BLOCK_BYTES = 4096;
/** Inodes: a terminal is one for all descriptors, pipes are three. */
const INODE_FIRST = 3;

export function isTerminal(hart: Hart): boolean {
  return (consoleFlags(hart) & CONSOLE_IS_TTY) !== 0;
}

function modeOf(hart: Hart): number {
  return isTerminal(hart) ? S_IFCHR | 0o620 : S_IFIFO | 0o600;
}

function inodeOf(hart: Hart, file: number): number {
  return isTerminal(hart) ? INODE_FIRST : INODE_FIRST + 1 + hart.shared.get(file + FILE_CONSOLE_FD);
}

function blockBytes(hart: Hart): number {
  return isTerminal(hart) ? TTY_BLOCK_BYTES : PIPE_BLOCK_BYTES;
}

const STAT_BYTES = 128;
const STAT_ATIME = 72;

/** Fills the struct stat (asm-generic/stat.h, 64 bit) at `va`; 0 or -EFAULT. */
export function statConsole(hart: Hart, file: number, va: number): number {
  const { shared, base } = hart;
  const stat = base + HART_BUFFER;
  hart.core.zeroBytes(stat, STAT_BYTES);
  storeU64(hart, stat, DEVICE_MINOR);
  storeU64(hart, stat + 8, inodeOf(hart, file));
  shared.set(stat + 16, modeOf(hart));
  shared.set(stat + 20, 1); // links
  if (isTerminal(hart)) storeU64(hart, stat + 32, PTS_MAJOR << 8);
  shared.set(stat + 56, blockBytes(hart));
  for (let time = STAT_ATIME; time <= STAT_ATIME + 32; time += 16) {
    storeU64(hart, stat + time, Math.floor(realtimeOffset(hart) / NS_PER_SECOND));
    storeU64(hart, stat + time + 8, realtimeOffset(hart) % NS_PER_SECOND);
  }
  return copyToUser(hart, va, stat, STAT_BYTES);
}

const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const STATX_TIMES: readonly number[] = [64, 96, 112]; // atime, ctime, mtime; btime (80) is not known

/** Fills the struct statx (linux/stat.h) at `va`; 0 or -EFAULT. */
export function statxConsole(hart: Hart, file: number, va: number): number {
  const { shared, base } = hart;
  const statx = base + HART_BUFFER;
  hart.core.zeroBytes(statx, STATX_BYTES);
  shared.set(statx, STATX_BASIC_STATS);
  shared.set(statx + 4, blockBytes(hart));
  shared.set(statx + 16, 1); // links
  shared.set(statx + 28, modeOf(hart)); // 16 bits and 16 spare ones
  storeU64(hart, statx + 32, inodeOf(hart, file));
  for (const time of STATX_TIMES) {
    storeU64(hart, statx + time, Math.floor(realtimeOffset(hart) / NS_PER_SECOND));
    shared.set(statx + time + 8, realtimeOffset(hart) % NS_PER_SECOND);
  }
  if (isTerminal(hart)) shared.set(statx + 128, PTS_MAJOR);
  shared.set(statx + 140, DEVICE_MINOR);
  return copyToUser(hart, va, statx, STATX_BYTES);
}
