// The terminal as the kernel uses it: bytes from the console's ring through the line discipline, finished input to
// readers, output to the ring. Nothing waits here (see kernel/tty/tty-read.ts).

import {
  TERMIOS_LFLAG,
  TTY_BASE,
  TTY_INPUT,
  TTY_LOCK,
  TTY_OUTPUT_STOPPED,
  TTY_TERMIOS,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { consoleInputEnded, consoleTake } from "../console.ts";
import { inputRoom, receiveBytes } from "./input.ts";
import { writeProcessed } from "./output.ts";
import {
  editedBytes,
  finishWithoutNewline,
  flushBuffer,
  readableBytes,
  settleAfterModeChange,
  takeBytes,
} from "./read-buffer.ts";
import { EXTPROC, ICANON, isCanonical, localFlags } from "./termios.ts";

const LOCK = TTY_BASE + TTY_LOCK;
const TERMIOS = TTY_BASE + TTY_TERMIOS;

/** Takes what has been typed as far as there is room for it. Returns what the foreground group is due (DUE_*). */
export function ttyReceive(hart: HartLocal): number {
  const { shared } = hart;
  let due = 0;
  spinLock(hart, LOCK);
  for (let room = inputRoom(shared); room > 0; room = inputRoom(shared)) {
    const bytes = consoleTake(hart, TTY_BASE + TTY_INPUT, room);
    if (bytes <= 0) break;
    due |= receiveBytes(hart, bytes);
  }
  // The end of the input ends a line that was begun.
  if (consoleInputEnded(hart) && isCanonical(shared) && editedBytes(shared) > 0) finishWithoutNewline(shared);
  spinUnlock(hart, LOCK);
  return due;
}

/** Bytes that a read could get now; in canonical mode those of finished lines. An end of file counts as one. */
export function ttyReadable(hart: HartLocal): number {
  spinLock(hart, LOCK);
  const bytes = readableBytes(hart.shared);
  spinUnlock(hart, LOCK);
  return bytes;
}

/** Takes up to `bytesMax` bytes, or one line, to `address`; -1 if there is nothing; 0 is the end of the file. */
export function ttyTake(hart: HartLocal, address: number, bytesMax: number): number {
  const { shared } = hart;
  spinLock(hart, LOCK);
  const taken = readableBytes(shared) === 0 ? -1 : takeBytes(shared, address, bytesMax);
  spinUnlock(hart, LOCK);
  return taken;
}

/** How many of the `bytes` bytes at `address` have been sent, or -EPIPE; 0: the ring is full, or VSTOP was typed. */
export function ttyWrite(hart: HartLocal, address: number, bytes: number): number {
  if (hart.shared.loadOnce(TTY_BASE + TTY_OUTPUT_STOPPED) !== 0) return 0;
  spinLock(hart, LOCK);
  const taken = writeProcessed(hart, address, bytes);
  spinUnlock(hart, LOCK);
  return taken;
}

/** Forgets what was typed and not yet read. */
export function ttyFlushInput(hart: HartLocal): void {
  spinLock(hart, LOCK);
  flushBuffer(hart.shared);
  spinUnlock(hart, LOCK);
}

/** The terminal's modes become the `bytes` bytes (of a struct termios or termios2) at `address`. */
export function ttySetModes(hart: HartLocal, address: number, bytes: number): void {
  const { shared } = hart;
  spinLock(hart, LOCK);
  const before = localFlags(shared);
  hart.core.copyBytes(TERMIOS, address, bytes);
  // Who edits lines is for the host to say.
  shared.set(TERMIOS + TERMIOS_LFLAG, (localFlags(shared) & ~EXTPROC) | (before & EXTPROC));
  if (((before ^ localFlags(shared)) & ICANON) !== 0) settleAfterModeChange(shared);
  spinUnlock(hart, LOCK);
}

/** Copies the modes to `address`. */
export function ttyGetModes(hart: HartLocal, address: number, bytes: number): void {
  spinLock(hart, LOCK);
  hart.core.copyBytes(address, TERMIOS, bytes);
  spinUnlock(hart, LOCK);
}
