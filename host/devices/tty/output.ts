// Output processing: what the terminal is sent for what programs write (OPOST), and where its cursor is then. Pieces
// are small enough for the console to take each as a whole or not at all. Under TTY_LOCK. (Linux: do_output_char)

import {
  TTY_BASE,
  TTY_COLUMN,
  TTY_ECHO,
  TTY_ECHO_BYTES,
  TTY_ECHO_COUNT,
  TTY_OUTPUT,
  TTY_OUTPUT_BYTES,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { consoleWrite } from "../console.ts";
import { EXTPROC, localFlags, OCRNL, ONLCR, ONLRET, ONOCR, OPOST, outputFlags, TABDLY, XTABS } from "./termios.ts";

const BACKSPACE = 0x08;
const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;
const TAB_COLUMNS = 8;

const COLUMN = TTY_BASE + TTY_COLUMN;
const OUTPUT = TTY_BASE + TTY_OUTPUT;
const ECHO_COUNT = TTY_BASE + TTY_ECHO_COUNT;

/** Bytes of input that never grow beyond TTY_OUTPUT_BYTES: a tab becomes eight spaces at most. */
const PIECE_BYTES = TTY_OUTPUT_BYTES / TAB_COLUMNS;

/** Does the terminal get bytes as they are? */
export function isRawOutput(shared: SharedMemory): boolean {
  return (outputFlags(shared) & OPOST) === 0 || (localFlags(shared) & EXTPROC) !== 0;
}

/**
 * Sends up to `bytes` bytes at `address` through output processing. How many were taken, 0 if the ring is full, -EPIPE.
 * Requires: TTY_LOCK.
 */
export function writeProcessed(hart: HartLocal, address: number, bytes: number): number {
  const { shared } = hart;
  if (isRawOutput(shared)) return consoleWrite(hart, 1, address, bytes);
  let done = 0;
  while (done < bytes) {
    const piece = Math.min(bytes - done, PIECE_BYTES);
    const column = shared.get(COLUMN);
    let length = 0;
    for (let i = 0; i < piece; i++) length = processByte(shared, shared.u8[address + done + i], length);
    const taken = length === 0 ? 0 : consoleWrite(hart, 1, OUTPUT, length);
    if (length !== 0 && taken <= 0) {
      shared.set(COLUMN, column);
      return done > 0 ? done : taken;
    }
    done += piece;
  }
  return done;
}

/** Adds what `byte` becomes to TTY_OUTPUT at `length`; the new length. */
function processByte(shared: SharedMemory, byte: number, length: number): number {
  const flags = outputFlags(shared);
  const column = shared.get(COLUMN);
  let at = length;
  switch (byte) {
    case NEWLINE:
      if ((flags & (ONLCR | ONLRET)) !== 0) shared.set(COLUMN, 0);
      if ((flags & ONLCR) !== 0) shared.u8[OUTPUT + at++] = CARRIAGE_RETURN;
      break;
    case CARRIAGE_RETURN:
      if ((flags & ONOCR) !== 0 && column === 0) return at;
      if ((flags & OCRNL) !== 0) return put(shared, NEWLINE, at);
      shared.set(COLUMN, 0);
      break;
    case TAB: {
      const spaces = TAB_COLUMNS - (column % TAB_COLUMNS);
      shared.set(COLUMN, column + spaces);
      if ((flags & TABDLY) !== XTABS) break;
      for (let i = 0; i < spaces; i++) at = put(shared, SPACE, at);
      return at;
    }
    case BACKSPACE:
      if (column > 0) shared.set(COLUMN, column - 1);
      break;
    default:
      // The bytes after the first of a UTF-8 character take no room.
      if (byte >= SPACE && byte !== DELETE && (byte & 0xc0) !== 0x80) shared.set(COLUMN, column + 1);
  }
  return put(shared, byte, at);
}

function put(shared: SharedMemory, byte: number, at: number): number {
  shared.u8[OUTPUT + at] = byte;
  return at + 1;
}

/** Remembers a byte to be shown; what does not fit is not shown. */
export function echoByte(shared: SharedMemory, byte: number): void {
  const count = shared.get(ECHO_COUNT);
  if (count === TTY_ECHO_BYTES) return;
  shared.u8[TTY_BASE + TTY_ECHO + count] = byte;
  shared.set(ECHO_COUNT, count + 1);
}

/** Shows what was typed. A full ring loses it: echo never waits. Requires: TTY_LOCK. */
export function sendEcho(hart: HartLocal): void {
  const { shared } = hart;
  const count = shared.get(ECHO_COUNT);
  shared.set(ECHO_COUNT, 0);
  if (count > 0) writeProcessed(hart, TTY_BASE + TTY_ECHO, count);
}
