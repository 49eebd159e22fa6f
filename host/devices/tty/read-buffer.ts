// What has been typed and not yet read: a ring of bytes, each with a bit that says whether a line ends there. In
// canonical mode readers see finished lines only. All of it under TTY_LOCK. (Linux: n_tty_data)
//
//      READ_TAIL            LINE_START                READ_HEAD
//          | finished lines      | line being edited      |

import {
  TTY_BASE,
  TTY_BUFFER,
  TTY_BUFFER_BYTES,
  TTY_DELIMITERS,
  TTY_LINE_START,
  TTY_PUSHED,
  TTY_READ_HEAD,
  TTY_READ_TAIL,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { isCanonical } from "./termios.ts";

const INDEX_MASK = TTY_BUFFER_BYTES - 1;
const BUFFER = TTY_BASE + TTY_BUFFER;
const READ_TAIL = TTY_BASE + TTY_READ_TAIL;
const LINE_START = TTY_BASE + TTY_LINE_START;
const READ_HEAD = TTY_BASE + TTY_READ_HEAD;
const PUSHED = TTY_BASE + TTY_PUSHED;

/** Stands for an end of file in the ring: a delimiter that no reader gets (Linux: __DISABLED_CHAR). */
const END_OF_FILE = 0;

/** Bytes in the ring, finished or not. */
export function bufferedBytes(shared: SharedMemory): number {
  return (shared.get(READ_HEAD) - shared.get(READ_TAIL)) | 0;
}

export function bufferRoom(shared: SharedMemory): number {
  return TTY_BUFFER_BYTES - 1 - bufferedBytes(shared);
}

/** Bytes of the line that is being edited. */
export function editedBytes(shared: SharedMemory): number {
  return (shared.get(READ_HEAD) - shared.get(LINE_START)) | 0;
}

/** Byte `index` of the line that is being edited. */
export function editedByte(shared: SharedMemory, index: number): number {
  return shared.u8[BUFFER + ((shared.get(LINE_START) + index) & INDEX_MASK)];
}

/** Bytes that a read could get now: of finished lines in canonical mode. An end of file counts as one. */
export function readableBytes(shared: SharedMemory): number {
  const end = isCanonical(shared) || shared.get(PUSHED) !== 0 ? LINE_START : READ_HEAD;
  return (shared.get(end) - shared.get(READ_TAIL)) | 0;
}

export function appendByte(shared: SharedMemory, byte: number): void {
  const head = shared.get(READ_HEAD);
  shared.u8[BUFFER + (head & INDEX_MASK)] = byte;
  setDelimiter(shared, head, false);
  shared.set(READ_HEAD, (head + 1) | 0);
}

/** The line being edited ends with `byte`, and readers may have it. */
export function finishLine(shared: SharedMemory, byte: number): void {
  appendByte(shared, byte);
  const head = shared.get(READ_HEAD);
  setDelimiter(shared, (head - 1) | 0, true);
  shared.set(LINE_START, head);
}

/** The line being edited is handed to readers as it is; an empty one means the end of the file. */
export function finishWithoutNewline(shared: SharedMemory): void {
  finishLine(shared, END_OF_FILE);
}

/** The last byte of the line being edited is taken back. */
export function dropLastByte(shared: SharedMemory): void {
  shared.set(READ_HEAD, (shared.get(READ_HEAD) - 1) | 0);
}

/** Forgets everything that was typed (TCIFLUSH, and signals without NOFLSH). */
export function flushBuffer(shared: SharedMemory): void {
  shared.set(READ_TAIL, shared.get(READ_HEAD));
  shared.set(LINE_START, shared.get(READ_HEAD));
  shared.set(PUSHED, 0);
}

/**
 * Takes up to `bytesMax` bytes to `destination`, in canonical mode no more than one line. Requires: readableBytes > 0.
 * 0 means the end of the file.
 */
export function takeBytes(shared: SharedMemory, destination: number, bytesMax: number): number {
  const byLine = isCanonical(shared) || shared.get(PUSHED) !== 0;
  const available = Math.min(readableBytes(shared), byLine ? Number.POSITIVE_INFINITY : bytesMax);
  let tail = shared.get(READ_TAIL);
  let taken = 0;
  for (let left = available; left > 0; left--) {
    const ends = byLine && isDelimiter(shared, tail);
    const byte = shared.u8[BUFFER + (tail & INDEX_MASK)];
    const isEndOfFile = ends && byte === END_OF_FILE;
    // The mark that ends a line without a newline goes with the line's last byte, or the next read would see it alone.
    if (taken === bytesMax && !isEndOfFile) break;
    tail = (tail + 1) | 0;
    if (!isEndOfFile) shared.u8[destination + taken++] = byte;
    if (ends) break;
  }
  shared.set(READ_TAIL, tail);
  if (((shared.get(LINE_START) - tail) | 0) <= 0) shared.set(PUSHED, 0);
  if (!byLine) shared.set(LINE_START, tail);
  return taken;
}

/** ICANON or EXTPROC has changed: what was typed before stays readable. (Linux: n_tty_set_termios) */
export function settleAfterModeChange(shared: SharedMemory): void {
  for (let i = 0; i < TTY_BUFFER_BYTES >>> 3; i++) shared.u8[TTY_BASE + TTY_DELIMITERS + i] = 0;
  const head = shared.get(READ_HEAD);
  const isPushed = isCanonical(shared) && bufferedBytes(shared) > 0;
  if (isPushed) setDelimiter(shared, (head - 1) | 0, true);
  shared.set(LINE_START, isPushed ? head : shared.get(READ_TAIL));
  shared.set(PUSHED, isPushed ? 1 : 0);
}

function delimiterByte(position: number): number {
  return TTY_BASE + TTY_DELIMITERS + ((position & INDEX_MASK) >>> 3);
}

function setDelimiter(shared: SharedMemory, position: number, ends: boolean): void {
  const bit = 1 << (position & 7);
  if (ends) shared.u8[delimiterByte(position)] |= bit;
  else shared.u8[delimiterByte(position)] &= ~bit;
}

function isDelimiter(shared: SharedMemory, position: number): boolean {
  return (shared.u8[delimiterByte(position)] & (1 << (position & 7))) !== 0;
}
